"""The package of a service that can do everything, and the examples of its page on the shapes of origins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import whole_package  # noqa: F401

ROOT = Path(__file__).parents[2]


class _Chosen(jinja2.Undefined):
    """Every capability is chosen."""

    def __bool__(self) -> bool:
        return True


@pytest.fixture(scope="session")
def page() -> str:
    """The page, for a project with every capability."""
    page = (ROOT / "template/docs/origins.md.jinja").read_text("utf-8")
    environment = jinja2.Environment(undefined=_Chosen, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    return environment.from_string(page).render()


@pytest.fixture(scope="session")
def shapes(page: str) -> list[list[str]]:
    """The rows of its table."""
    rows = re.findall(r"^\| (.*) \|$", page, re.MULTILINE)[1:]
    return [row.split(" | ") for row in rows]


@pytest.fixture(scope="session")
def examples(page: str) -> dict[str, Any]:
    """The classes that the page shows, by name, and the text of each."""
    shown: list[str] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(compile(PREAMBLE, "preamble", "exec", dont_inherit=True), namespace)  # noqa: S102
    for text in shown:
        exec(compile(text, "docs/origins.md", "exec", dont_inherit=True), namespace)  # noqa: S102
        name = text.partition("class ")[2].partition("(")[0]
        namespace[f"text of {name}"] = text
    return namespace


PREAMBLE = """
import hmac, json
from urllib.parse import parse_qsl
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Annotated, Any
from pydantic import BaseModel, Field, SecretStr
from acme_reviews.core.account_state import UnsavedState
from acme_reviews.core.bearer_auth import BearerAuth
from acme_reviews.core.changes import deletion_of, edit_of, reaction_to
from acme_reviews.core.messages import Author, ExternalResource, fit
from acme_reviews.origin_protocol import (
    Attachment, Choice, CredentialsRejectedError, Deliver, FileUrlMaker, OAuth, Offered, OriginAccount, OriginProtocol,
    OriginUnavailableError, Page, Reply, SharedWebhook, Webhook, WebhookAnswer, WebhookRejectedError, WebhookRequest,
)

class Configuration(BaseModel):
    page: str = "page-1"
    api_key: SecretStr = SecretStr("the key")

Account = OriginAccount[Configuration]
"""
