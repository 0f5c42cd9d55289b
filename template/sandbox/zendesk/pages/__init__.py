"""Zendesk's pages for people: what admins and agents use, and what developers look into."""

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from .admin import AdminPages
from .apps import AppPages
from .exchanges import ExchangePages
from .faults import FaultsPage
from .settings import SettingsPage
from .start import StartPage
from .tickets import TicketPages
from .zis import ZisPage

if TYPE_CHECKING:
    from ..zendesk import Zendesk

AREAS = (StartPage, AdminPages, TicketPages, ExchangePages, FaultsPage, SettingsPage, ZisPage, AppPages)


def routes(zendesk: "Zendesk") -> list[BaseRoute]:
    return [route for area in AREAS for route in area(zendesk).routes()]
