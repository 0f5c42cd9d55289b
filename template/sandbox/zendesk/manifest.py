"""The manifest: read, made complete, checked, and kept until the next poll (ZEN-01 to ZEN-04)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .. import json_text
from .addresses import is_secure, resolved
from .calls import Answer, Calls, NoAnswerError
from .context import Part
from .model import Manifest, NotDoneError
from .verdicts import Remark, verdict

TIMEOUT = 30
MOST_REDIRECTS = 5

_EMPTY = Remark("", "the URL is empty", ("SVC-04",), "Leave the key of a feature out that is not served.")


class ManifestRefusedError(NotDoneError):
    """Zendesk does not take a manifest; `remarks` are the reasons."""

    def __init__(self, url: str, remarks: list[Remark]) -> None:
        super().__init__(f"The manifest at {url} was refused: " + "; ".join(map(str, remarks)))
        self.remarks = remarks


@dataclass
class Manifests(Part):
    calls: Calls

    async def fetch(self, url: str, known: Manifest | None = None) -> Manifest:
        """Read a manifest, which may take the place of one that is `known`. Raises ManifestRefusedError.

        Relative URLs in it lead from the address that answered.
        """
        if not is_secure(url, self.settings):
            raise ManifestRefusedError(url, [_insecure("", url)])
        try:
            url, answer = await self._follow(url)
        except NoAnswerError as error:
            raise ManifestRefusedError(url, [Remark("", str(error), ("SVC-01",))]) from None
        if answer.status != 200:
            answer.remark(Remark("", f"it was answered with {answer.status}, not 200", ("SVC-01",)))
            raise ManifestRefusedError(url, answer.exchange.remarks)
        answer.must_be_json("SVC-01")
        found = verdict("manifest", _resolved(url, answer), self.settings)
        urls = found.value.get("urls") if isinstance(found.value, dict) else None
        told = {remark.pointer for remark in found.remarks}
        insecure = [
            _insecure(f"/urls/{key}", value) if value else _EMPTY._replace(pointer=f"/urls/{key}")
            for key, value in (urls.items() if isinstance(urls, dict) else ())
            if isinstance(value, str)
            and not is_secure(value, self.settings)
            and (not value or f"/urls/{key}" not in told)
        ]
        answer.exchange.remarks += found.remarks + insecure
        if refusals := found.refusals + insecure:
            raise ManifestRefusedError(url, refusals)
        kept = {key: value for key, value in found.value.items() if key in Manifest.__dataclass_fields__}
        fresh = Manifest(**kept | {"url": url, "fetched_at": self.clock.now()})
        if known:
            answer.exchange.remarks += _changes(known, fresh)
        return fresh

    async def _follow(self, url: str) -> tuple[str, Answer]:
        """Follow 301, the only redirect that is documented."""
        for _ in range(MOST_REDIRECTS):
            answer = await self.calls.get("manifest", url, TIMEOUT)
            if answer.status != 301 or "location" not in answer.headers:
                return url, answer
            url = resolved(url, answer.headers["location"])
            if not is_secure(url, self.settings):
                answer.remark(_insecure("", url))
                raise ManifestRefusedError(url, [_insecure("", url)])
        return url, answer


def _resolved(url: str, answer: Answer) -> bytes:
    """The manifest with complete URLs, which is what the schema is about; as it came if it is no manifest."""
    try:
        document = json_text.read(answer.content)
    except ValueError:
        return answer.content
    urls = document.get("urls") if isinstance(document, dict) else None
    if not isinstance(urls, dict):
        return answer.content
    complete = {
        key: resolved(url, value) if isinstance(value, str) and value else value
        for key, value in urls.items()
    }
    return json.dumps(document | {"urls": complete}).encode()


def _changes(known: Manifest, fresh: Manifest) -> Iterator[Remark]:
    """What a manifest changes that it must not."""
    if fresh.id != known.id:
        yield Remark("/id", f"it was {known.id!r}, and must stay so", ("SVC-02",), refused=False)
    if fresh.version == known.version and fresh != replace(known, fetched_at=fresh.fetched_at):
        remedy = "Change the version with every other value."
        yield Remark(
            "/version",
            "other values have changed, and the version has not",
            ("SVC-08",),
            remedy,
            refused=False,
        )


def _insecure(pointer: str, url: str) -> Remark:
    return Remark(pointer, f"{url} is not an https URL", ("SVC-03",), "Serve everything over https.")
