"""Accounts as an admin makes them: the form opens with a POST and ends at `return_url` (ZEN-07 to ZEN-13)."""

import html
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from .addresses import origin, resolved
from .calls import Answer, Calls, NoAnswerError
from .context import Part
from .events import Events
from .forms import Form, Page, Typed
from .framing import framing_remarks
from .front import Door
from .model import Account, NotDoneError
from .settings import RETURN_PATH
from .tokens import Tokens
from .verdicts import Remark, verdict
from .windows import go_through

MOST_PAGES = 15


class HandshakeError(NotDoneError):
    """No account came of an opened form; the text says what the service's page said."""


@dataclass
class Editor:
    """An opened form. There is one admin, who has one form open: nothing in `return_url` tells which."""

    url: str
    fields: dict[str, str]
    push_id: str
    account: Account | None = None
    """The account that is edited; after the form has returned, the account that was added."""
    returned: bool = False


@dataclass
class Admin(Part):
    calls: Calls
    events: Events
    tokens: Tokens
    zendesk: httpx2.AsyncClient
    """Leads to Zendesk's own pages, where the browser ends."""
    editor: Editor | None = None
    pressed: Sequence[str] = ()
    """The buttons that the admin presses in a window which a form opens, where somebody signs in; none leaves it alone."""

    def open(self, account: Account | None = None) -> Editor:
        """Prepare the form that a browser posts into the frame: a new account's, or an existing one's."""
        manifest = self.state.installed
        push_id = account.push_id if account else str(uuid.uuid4())
        fields = {
            "return_url": self.settings.return_url,
            "subdomain": self.settings.subdomain,
            "locale": self.settings.locale,
            "name": account.name if account else "",
            "metadata": account.metadata if account else "",
            "state": account.state if account else "",
        }
        if manifest.push_client_id:
            fields |= {"instance_push_id": push_id, "zendesk_access_token": self.tokens.mint(push_id)}
        self.editor = Editor(manifest.urls["admin_ui"], fields, push_id, account)
        return self.editor

    def doors(self) -> list[Door]:
        return [(RETURN_PATH, "return_url", self._returned)]

    async def _returned(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        found = await self.take_return(content)
        remarks += found
        if refusals := [str(remark) for remark in found if remark.refused]:
            return _page("The account was not saved", self.log.masked("; ".join(refusals)), 422)
        return _page("The account is saved", "Zendesk has the account now.", 200, leads_to="/admin")

    async def take_return(self, content: bytes) -> list[Remark]:
        """Store what was posted to `return_url`, or answer why it is refused."""
        editor = self.editor
        if editor is None or editor.returned:
            return [Remark("", "no account is being edited", remedy="Open the form from Zendesk again.")]
        if editor.account and editor.account not in self.state.accounts:
            return [Remark("", "the account has been removed", remedy="Add another one.")]
        found = verdict("admin-ui-return", content, self.settings, form=True)
        if found.refusals:
            return found.remarks
        name, metadata, state = (found.value.get(key) for key in ("name", "metadata", "state"))
        editor.returned = True
        self.tokens.give(editor.fields.get("zendesk_access_token", ""))
        if editor.account:
            editor.account.name, editor.account.metadata, editor.account.needs_update = name, metadata, False
            editor.account.state = editor.account.state if state is None else state
            return found.remarks
        number = self.state.new_id()
        editor.account = Account(number, name, metadata, state or "", editor.push_id, self.clock.now())
        self.state.accounts.append(editor.account)
        self.events.emit("create_integration_instance", {"metadata": metadata})
        await self.events.settle()
        return found.remarks

    async def go_through(self, account: Account | None, typed: Typed) -> Account:
        """Do what an admin's browser does: post, type into the forms, submit them until Zendesk has the account.

        Raises HandshakeError with the words of the page where it ends.
        """
        editor = self.open(account)
        left, seen = set(typed), set[tuple[str, frozenset[str]]]()
        known = {"name": editor.fields["name"], "metadata": editor.fields["metadata"]}
        url, answer = await self._post(editor.url, editor.fields)
        for _ in range(MOST_PAGES):
            form = self._form(url, answer)
            action = resolved(url, form.action)
            try:
                offered, posted = form.filled({}), form.filled(typed)
            except ValueError as error:
                raise HandshakeError(f"The form at {url} offers no such choice: {error}") from None
            if not seen:
                self._remark_on_first(answer, account, offered)
                for link in Page(answer.text).windows[:1] if self.pressed else ():
                    await go_through(self.calls.http, resolved(url, link), self.pressed)
            left -= form.open_names
            known |= {name: str(posted[name]) for name in form.open_names & {"name"} & posted.keys()}
            if action == self.settings.return_url:
                for name, value in known.items():
                    if _is_mangled(value, str(posted.get(name, value))):
                        wrong = f"{name} is {posted[name]!r}, and was {value!r}"
                        remark = Remark(
                            f"/{name}", wrong, ("SVC-20",), "Escape it for HTML, quoted.", refused=False
                        )
                        answer.remark(remark)
                if form.method != "post":
                    answer.remark(Remark("", "the form to return_url must POST", ("SVC-18",), refused=False))
                return await self._return(editor, posted, left)
            if (step := (action, frozenset(form.names))) in seen:
                raise HandshakeError(
                    f"The service did not accept what was typed. Its page says: {Page(answer.text).text}"
                )
            seen.add(step)
            self.log.hide(*(str(posted[name]) for name in form.passwords & posted.keys()))
            url, answer = await self._submit(action, form, posted)
        raise HandshakeError(
            f"After {MOST_PAGES} pages the form has not come back to {self.settings.return_url}."
        )

    async def check(self, editor: Editor) -> None:
        """Open a form once more, without a browser. Raises HandshakeError with what would keep it from an admin."""
        self._form(*await self._post(editor.url, editor.fields))

    def _form(self, url: str, answer: Answer) -> Form:
        page = Page(answer.text)
        if answer.media_type not in ("text/html", "application/xhtml+xml"):
            answer.remark(Remark("", "not declared as text/html", ("SVC-13",), refused=False))
        blocked = list(framing_remarks(answer.headers.multi_items(), url, self.settings.address))
        answer.exchange.remarks += blocked
        if origin(url) == origin(self.settings.address):
            if url.partition("?")[0] == self.settings.return_url:
                answer.remark(
                    Remark("", "a redirect led to return_url", ("SVC-18",), "End with a form that POSTs.")
                )
            raise HandshakeError(f"{url} is on Zendesk's own origin, where no frame protects either side.")
        if refusals := [remark for remark in blocked if remark.refused]:
            raise HandshakeError(str(refusals[0]))
        if not page.forms and answer.status != 200:
            answer.remark(Remark("", f"{answer.status} is not a page", ("SVC-13",), "Answer HTML with 200."))
            raise HandshakeError(f"{url} answered {answer.status}: {page.text}")
        forms = [form for form in page.forms if resolved(url, form.action) == self.settings.return_url]
        if page.has_scripts and not any(resolved(url, each.action).startswith("http") for each in page.forms):
            wrong = "no form is there until the page's scripts run"
            answer.remark(Remark("", wrong, remedy="Open it in a browser, which runs them.", refused=False))
            raise HandshakeError(f"At {url} {wrong}. Open it in a browser, from Zendesk's pages.")
        if not (forms or page.forms):
            answer.remark(Remark("", "the page has no form", ("SVC-18",), "End with a form to return_url."))
            raise HandshakeError(f"The page at {url} has no form. It says: {page.text}")
        return (forms or page.forms)[0]

    @staticmethod
    def _remark_on_first(answer: Answer, account: Account | None, offered: Typed) -> None:
        """Write into the log what is wrong with the page that `admin_ui` opens with, apart from its frame."""
        if answer.status != 200:
            answer.remark(Remark("", f"answered with {answer.status}, not 200", ("SVC-13",), refused=False))
        if account and str(offered.get("name", account.name)).split() != account.name.split():
            wrong = f"the form is not filled in with the account's name, {account.name}"
            answer.remark(Remark("", wrong, ("SVC-17",), refused=False))

    async def _submit(self, action: str, form: Form, posted: Typed) -> tuple[str, Answer]:
        if form.method == "post":
            return await self._post(action, posted)
        return await self._follow(f"{action.partition('?')[0]}?{urlencode(posted, doseq=True)}", None)

    async def _post(self, url: str, fields: Typed) -> tuple[str, Answer]:
        return await self._follow(url, fields)

    async def _follow(self, url: str, fields: Typed | None) -> tuple[str, Answer]:
        """Follow redirects as a browser does; answer where it ended."""
        timeout = self.settings.admin_timeout
        try:
            for _ in range(MOST_PAGES):
                if fields is None:
                    answer = await self.calls.get("admin_ui", url, timeout)
                else:
                    answer = await self.calls.post_form("admin_ui", url, fields, timeout)
                if answer.status not in (301, 302, 303, 307, 308):
                    break
                fields = fields if answer.status in (307, 308) else None
                url = resolved(url, answer.headers.get("location", ""))
        except NoAnswerError as error:
            raise HandshakeError(f"{url}: {error}") from None
        return url, answer

    async def _return(self, editor: Editor, posted: Typed, left: set[str]) -> Account:
        # Who lets nobody type a name gives the account one of his own.
        if left - {"name"}:
            raise HandshakeError(f"No page of the service asked for {', '.join(sorted(left))}.")
        answer = await self.zendesk.post(self.settings.return_url, data=dict(posted))
        if editor.account is None or not editor.returned:
            raise HandshakeError(f"Zendesk refused the account: {Page(answer.text).text}")
        return editor.account


def _is_mangled(text: str, returned: str) -> bool:
    """Tell whether a text was cut, or is another, because it was not written into HTML as it must be."""
    if text == returned:
        return False
    is_cut = (
        text.startswith(returned)
        and bool(text[len(returned) :].strip())
        and text[len(returned)] in "\"'<>&= \n"
    )
    bare = re.sub(r"<[^>]*>?", "", text)
    return (
        is_cut
        or text in (html.unescape(returned), html.escape(returned))
        or returned in (html.unescape(text), bare)
    )


def _page(title: str, text: str, status: int, leads_to: str | None = None) -> Response:
    """What the frame shows at the end; where all is well, the window around it goes on to `leads_to`."""
    onward = f' data-onward="{leads_to}"' if leads_to else ""
    link = f'<p><a href="{leads_to}" target="_top">Go on</a></p>' if leads_to else ""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="/style.css"><script src="/live.js" defer></script>'
        f'<body class="framed"{onward}><h1>{title}</h1><p>{html.escape(text)}</p>{link}</body></html>'
    )
    policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'self'"
    return HTMLResponse(page, status, {"content-security-policy": policy})
