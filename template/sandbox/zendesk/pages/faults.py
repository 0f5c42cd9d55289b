"""What goes wrong on purpose: set here, had by the next requests."""

from typing import get_args

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..faults import Endpoint, Fault
from ..imports import Code
from ..model import NotDoneError
from .pages import Pages

_ENDPOINT = TypeAdapter[Endpoint](Endpoint)
_FAULT = TypeAdapter(Fault)
_CODES = TypeAdapter(list[Code])


class FaultsPage(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/faults", self.read),
            self.route("/faults", self.add, "POST"),
            self.route("/faults/remove", self.remove, "POST"),
            self.route("/faults/push", self.add_push_results, "POST"),
            self.route("/faults/switches", self.switch, "POST"),
        ]

    async def read(self, request: Request) -> Response:
        context = {"endpoints": get_args(Endpoint), "codes": get_args(Code), "identity": id}
        return self.show("faults.html", context)

    async def add(self, request: Request) -> None:
        form = await request.form()
        wait = {"retry-after": form["retry_after"]} if form.get("retry_after") else {}
        told = {name: form.get(name) or None for name in ("times", "status", "dropped")}
        fault = _FAULT.validate_python(told | {"delay": form.get("delay") or 0, "headers": wait})
        if not str(fault):
            raise NotDoneError("Say what goes wrong: a status, a delay, or a dropped connection.")
        self.zendesk.faults.add(_ENDPOINT.validate_python(form.get("endpoint")), fault)

    async def remove(self, request: Request) -> None:
        form = await request.form()
        self.zendesk.faults.push_results.pop(str(form.get("external_id")), None)
        for waiting in self.zendesk.faults.waiting.values():
            waiting[:] = [fault for fault in waiting if str(id(fault)) != form.get("fault")]

    async def add_push_results(self, request: Request) -> None:
        form = await request.form()
        external_id, codes = str(form.get("external_id", "")), str(form.get("codes", ""))
        results = _CODES.validate_python(codes.replace(",", " ").split())
        if not (external_id and results):
            raise NotDoneError("Type the id of a post, and the codes of its next tries.")
        self.zendesk.faults.push_results.setdefault(external_id, []).extend(results)

    async def switch(self, request: Request) -> None:
        form = await request.form()
        for name in ("stale_manifest", "duplicate_events", "reorder_events"):
            setattr(self.zendesk.faults, name, name in form)
