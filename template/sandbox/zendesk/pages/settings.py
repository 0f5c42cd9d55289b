"""Every choice that nothing documents, to be looked up and changed; and time, to be hurried."""

import asyncio

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..settings import Settings
from .pages import Pages

_SETTINGS = TypeAdapter(Settings)
# Zendesk answers at its address already.
_DEFAULTS = {name: value for name, value in vars(Settings()).items() if name != "address"}


class SettingsPage(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/settings", self.read),
            self.route("/settings", self.change, "POST"),
            self.route("/settings/pull", self.pull, "POST"),
            self.route("/settings/events", self.flush, "POST"),
        ]

    async def read(self, request: Request) -> Response:
        values = vars(self.zendesk.settings)
        return self._page({name: _text(values[name]) for name in _DEFAULTS}, {})

    async def change(self, request: Request) -> Response | None:
        """Take all of them, or none if one is wrong."""
        form = await request.form()
        typed = {name: str(form.get(name, "")).strip() for name in _DEFAULTS}
        values = {name: _value(text, _DEFAULTS[name]) for name, text in typed.items()}
        try:
            settings = _SETTINGS.validate_python(values | {"address": self.zendesk.settings.address})
        except ValidationError as error:
            return self._page(typed, {str(wrong["loc"][0]): wrong["msg"] for wrong in error.errors()})
        vars(self.zendesk.settings).update(vars(settings))
        return None

    async def pull(self, request: Request) -> None:
        active = [account for account in self.zendesk.accounts if account.active]
        await asyncio.gather(*map(self.zendesk.pull, active))

    async def flush(self, request: Request) -> None:
        await self.zendesk.events.flush()

    def _page(self, typed: dict[str, str], errors: dict[str, str]) -> Response:
        defaults = {name: _text(value) for name, value in _DEFAULTS.items()}
        context = {"fields": _SETTINGS.json_schema()["properties"], "defaults": defaults}
        return self.show(
            "settings.html", context | {"typed": typed, "errors": errors}, 422 if errors else 200
        )


def _text(value: object) -> str:
    """A value as it is typed; a switch that is off posts nothing, nor does what is not set."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None or value is False else str(value)


def _value(text: str, default: object) -> object:
    if isinstance(default, tuple):
        return text.replace(",", " ").split()
    return bool(text) if isinstance(default, bool) else text or None
