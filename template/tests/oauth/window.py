"""The window in which an admin signs in, as a browser without eyes goes through it."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2


class Window:
    def __init__(self, service: httpx2.AsyncClient, site: httpx2.AsyncClient) -> None:
        self._service = service
        self._site = site

    async def open(self, form: httpx2.Response) -> str:
        """Follow the link of a form, and give the address at the provider."""
        started = await self._service.get(_link(form, "start"))
        assert started.status_code == 303, started.text
        return started.headers["location"]

    async def answer(self, asked: str, business: str = "corner-cafe") -> str:
        """Let the service in, or nobody if there is no such business, and give the address where that leads."""
        page = await self._site.get(asked)
        assert page.status_code == 200, page.text
        fields = dict(parse_qsl(urlsplit(asked).query)) | {"business": business}
        answered = await self._site.post("/oauth/authorize", data=fields)
        return answered.headers["location"]

    async def come_back(self, address: str) -> httpx2.Response:
        """Follow the provider's redirect."""
        parts = urlsplit(address)
        return await self._service.get(f"{parts.path}?{parts.query}")

    async def confirm(self, page: httpx2.Response, answer: str = "connect") -> httpx2.Response:
        """Say that this Zendesk is meant, or not."""
        (confirmation,) = re.findall(r'name="confirmation" value="([^"]*)"', page.text)
        form = {"confirmation": unescape(confirmation), "answer": answer}
        return await self._service.post("/channel/oauth/confirm", data=form)

    async def connect(self, form: httpx2.Response, business: str = "corner-cafe") -> httpx2.Response:
        """Go all the way."""
        back = await self.come_back(await self.answer(await self.open(form), business))
        return await self.confirm(back)

    async def status(self, form: httpx2.Response) -> dict[str, Any]:
        """What the form's own script learns."""
        told = await self._service.get(_link(form, "status"))
        assert told.status_code == 200
        document: dict[str, Any] = told.json()
        return document


def _link(form: httpx2.Response, name: str) -> str:
    (address,) = re.findall(rf'"(/channel/oauth/{name}\?[^"]*)"', form.text)
    return unescape(address)
