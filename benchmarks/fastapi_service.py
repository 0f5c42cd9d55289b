"""Runs inside a generated project: the bare service as FastAPI's tutorial teaches it, fields as parameters, answers as models.

python fastapi_service.py PORT
"""

from datetime import datetime
from typing import Annotated, Any

from bare_service import MANIFEST, Work, main, running
from fastapi import FastAPI, Form, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel


class Author(BaseModel):
    external_id: str
    name: str


class FieldValue(BaseModel):
    id: str
    value: str


class DisplayInfo(BaseModel):
    type: str
    data: dict[str, str]


class Resource(BaseModel):
    external_id: str
    message: str
    thread_id: str
    created_at: datetime
    author: Author
    display_info: list[DisplayInfo]
    fields: list[FieldValue] = []


class PullAnswer(BaseModel):
    external_resources: list[Resource]
    state: str


class ChannelbackAnswer(BaseModel):
    external_id: str
    allow_channelback: bool


def fastapi(work: Work) -> FastAPI:
    app = FastAPI(lifespan=lambda _app: running(work))

    @app.get("/channel/manifest")
    async def manifest() -> dict[str, Any]:
        return MANIFEST

    @app.post("/channel/pull")
    async def pull(metadata: Annotated[str, Form()], state: Annotated[str, Form()] = "") -> PullAnswer:
        return PullAnswer.model_validate(await work.pull(metadata, state))

    @app.post("/channel/channelback")
    async def channelback(
        metadata: Annotated[str, Form()],
        message: Annotated[str, Form()],
        parent_id: Annotated[str, Form()],
        request_unique_identifier: Annotated[str, Form()],
    ) -> ChannelbackAnswer:
        answer = await work.channelback(metadata, message, parent_id, request_unique_identifier)
        return ChannelbackAnswer.model_validate(answer)

    @app.get("/channel/clickthrough")
    async def clickthrough(external_id: str) -> RedirectResponse:
        return RedirectResponse(work.permalink(external_id), 302)

    @app.post("/channel/admin_ui")
    async def admin_ui(
        return_url: Annotated[str, Form()],
        subdomain: Annotated[str, Form()],
        instance_push_id: Annotated[str, Form()],
        zendesk_access_token: Annotated[str, Form()],
    ) -> HTMLResponse:
        opened = {
            "return_url": return_url,
            "subdomain": subdomain,
            "instance_push_id": instance_push_id,
            "zendesk_access_token": zendesk_access_token,
        }
        return HTMLResponse(work.form(opened))

    @app.post("/webhook/{account}", status_code=202)
    async def webhook(
        account: str,
        request: Request,
        webhook_timestamp: Annotated[str, Header()],
        webhook_signature: Annotated[str, Header()],
    ) -> None:
        await work.webhook(account, await request.body(), webhook_timestamp, webhook_signature)

    return app


if __name__ == "__main__":
    main(fastapi)
