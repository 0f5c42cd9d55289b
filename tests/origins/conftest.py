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
def examples() -> dict[str, Any]:
    """The classes that the page shows, by name, and the text of each."""
    page = (ROOT / "template/docs/origins.md.jinja").read_text("utf-8")
    environment = jinja2.Environment(undefined=_Chosen, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    shown: list[str] = re.findall(
        r"^```python\n(.*?)^```$", environment.from_string(page).render(), re.MULTILINE | re.DOTALL
    )
    namespace: dict[str, Any] = {}
    exec(compile(PREAMBLE, "preamble", "exec", dont_inherit=True), namespace)  # noqa: S102
    for text in shown:
        exec(compile(text, "docs/origins.md", "exec", dont_inherit=True), namespace)  # noqa: S102
        name = text.partition("class ")[2].partition("(")[0]
        namespace[f"text of {name}"] = text
    return namespace


PREAMBLE = """
import hmac, json
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Annotated, Any
from pydantic import BaseModel, Field, SecretStr
from acme_reviews.core.account_state import UnsavedState
from acme_reviews.core.bearer_auth import BearerAuth
from acme_reviews.core.messages import Author, ExternalResource, fit
from acme_reviews.origin_protocol import (
    Attachment, Choice, CredentialsRejectedError, FileUrlMaker, OAuth, Offered, OriginAccount, OriginProtocol,
    OriginUnavailableError, Page, Reply, SharedWebhook, Webhook, WebhookAnswer, WebhookRejectedError, WebhookRequest,
)

class Configuration(BaseModel):
    page: str = "page-1"
    api_key: SecretStr = SecretStr("the key")

Account = OriginAccount[Configuration]
"""
