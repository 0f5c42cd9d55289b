"""The proxy, by which an app in the agent's browser calls the service through Zendesk (ZEN-58)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .. import json_text
from .addresses import is_secure, origin, resolved
from .calls import Calls, NoAnswerError
from .context import Part
from .front import Door, RefusedError
from .model import UnknownError
from .strangers import StrangerError, refuse_strangers
from .verdicts import Remark

LONGEST_PATH = 511


@dataclass
class Proxy(Part):
    calls: Calls

    def doors(self) -> list[Door]:
        return [("/api/v2/any_channel/proxy", "proxy", self._proxy)]

    async def _proxy(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        path = request.query_params.get("post_to_path", "")
        try:
            refuse_strangers(request, self.settings.address)
            manifest_url = self.state.installed.url
            ticket = self.state.ticket(int(request.query_params.get("ticket_id", "")))
            metadata = self.state.account(ticket.account_id).metadata
        except StrangerError as error:
            raise RefusedError(403, "Forbidden", str(error)) from None
        except (ValueError, UnknownError):
            raise RefusedError(404, "RecordNotFound", "There is no such ticket of this channel.") from None
        url = resolved(manifest_url, path)
        is_allowed = is_secure(url, self.settings) and origin(url) == origin(manifest_url)
        if not (path and len(path) <= LONGEST_PATH and is_allowed):
            limit = f"https, on the manifest's domain, at most {LONGEST_PATH} characters"
            raise RefusedError(422, "RecordInvalid", f"post_to_path must be {limit}.")
        fields = {"instance_metadata": metadata, "client_data": content.decode(errors="replace")}
        post = self.calls.post_json if self.settings.proxy_as_json else self.calls.post_form
        try:
            answer = await post("proxied", url, fields, self.settings.proxy_timeout)
            document = json_text.read(answer.content, parse_constant=_refuse)
            answer.must_be_json("SVC-61")
        except NoAnswerError as error:
            raise RefusedError(504, "GatewayTimeout", str(error)) from None
        except ValueError:
            answer.remark(Remark("", "a proxied call was not answered with JSON", ("SVC-61",)))
            raise RefusedError(502, "BadGateway", "The service did not answer with JSON.") from None
        return JSONResponse(document, answer.status)


def _refuse(constant: str) -> None:
    """Raise ValueError for NaN and the infinite, which are Python's, and no JSON."""
    raise ValueError(constant)
