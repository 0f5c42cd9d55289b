"""Which origin the service reads: the demonstration origin, or one of its own."""

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from .live_reload import CODE, SETTINGS

DEMONSTRATION = "http://127.0.0.1:8001"
"""Where the service looks for the demonstration origin until something else is written there."""

_ASKED_FOR = re.compile(rf"""(["']){re.escape(DEMONSTRATION)}/?\1""")


class Demonstration(NamedTuple):
    """An origin to begin with, what an admin types for its accounts, and what the service has to be told of it."""

    title: str
    app: ASGIApp
    accounts: list[str]
    environment: dict[str, str]


HAS_DEMONSTRATION = Path(__file__).with_name("reviews").is_dir()
"""A project that began with another origin comes without it."""


def demonstration() -> Demonstration:
    made: Demonstration = import_module(".reviews.demonstration", __package__).demonstration()
    return made


class _Settings(BaseSettings):
    """Read as the service reads it."""

    model_config = SettingsConfigDict(env_prefix="ORIGIN_", env_file=SETTINGS, extra="ignore")

    url: str = ""


def wants_demonstration() -> bool:
    """Tell whether the service reads the demonstration origin: by ORIGIN_URL, or else by the code that is to be edited."""
    if not HAS_DEMONSTRATION:
        return False
    if told := _Settings().url:
        return told.rstrip("/") == DEMONSTRATION
    sources = [*CODE.glob("*/origin.py"), *CODE.glob("*/origin/**/*.py")]
    return not sources or any(_ASKED_FOR.search(each.read_text("utf-8", "replace")) for each in sources)
