"""The HTML that people see: rendered with everything escaped, and sent so that Zendesk may frame it."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from ...core.security import ZENDESK
from .translations import fill, language, translator

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters["fill"] = fill


class Pages:
    """Renders pages, named by their path in the package, into responses.

    `frame_ancestors` are the origins that may show the pages in a frame, as CSP writes them.
    """

    def __init__(self, frame_ancestors: Sequence[str] = (ZENDESK,)) -> None:
        self._frame_ancestors = tuple(frame_ancestors)

    def respond(
        self,
        page: str,
        /,
        *,
        locale: str = "en",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> HTMLResponse:
        """Answer with a page; `context` is what the page's own text names."""
        nonce = secrets.token_urlsafe(16)
        html = _environment.get_template(page).render(
            context | {"_": translator(locale), "language": language(locale), "nonce": nonce}
        )
        return HTMLResponse(
            html,
            status_code=status,
            headers={
                "Content-Security-Policy": self._policy(page, nonce),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                **(headers or {}),
            },
        )

    def _policy(self, page: str, nonce: str) -> str:
        ancestors = (
            self._frame_ancestors if page.startswith("admin_ui/") else ("'self'", *self._frame_ancestors)
        )
        rules = [
            "default-src 'none'",
            f"style-src 'nonce-{nonce}'",
            f"script-src 'nonce-{nonce}'",
            "img-src 'self' data:",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(ancestors)}",
        ]
        # `form-action` also governs where the answer to a form redirects, and Zendesk's own redirects are its business.
        if page != "admin_ui/admin_return.html":
            rules.append("form-action 'self'")
        return "; ".join(rules)
