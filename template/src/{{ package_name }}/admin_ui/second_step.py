"""The second step of the form: what the origin offers for the account that the first step describes.

What was typed in either step travels in the handshake, sealed, because each page holds the fields of its own step only.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.offers import Offer
from ..core.security import Sealer
from ..identity import NAME
from ..origin_protocol import OriginAccount
from ..web.forms import Form
from ..web.pages.translations import fill
from .form import NOT_CHOSEN, ConfigurationErrors, ConfigurationForm, Field

NOTHING_OFFERED = "{origin_name} offers nothing to choose here."
CUT = "Only the first {limit} are shown."
NOT_OFFERED = "{value} (no longer offered)"

Translate = Callable[[str], str]
Offers = Mapping[str, Offer]
AskOffers = Callable[[OriginAccount[Any]], Awaitable[Offers]]


class SecondStep:
    def __init__(
        self,
        form: ConfigurationForm[Any],
        sealer: Sealer,
        offers: Sequence[AskOffers],
    ) -> None:
        self._form = form
        self._sealer = sealer
        self._offers = offers

    @property
    def is_needed(self) -> bool:
        return bool(self._form.offered)

    async def offers(self, account: OriginAccount[Any]) -> Offers:
        """Ask the origin. Raises what `OriginProtocol.choices` raises, and TypeError if it names another field."""
        offered: dict[str, Offer] = {}
        for ask in self._offers:
            offered |= await ask(account)
        if unknown := ", ".join(sorted(offered.keys() - self._form.offered)):
            raise TypeError(
                f"choices are given for {unknown}: mark the fields with Offered, or leave them out"
            )
        return dict.fromkeys(self._form.offered, Offer((), is_cut=False)) | offered

    def sealed(self, form: Form) -> str:
        """Seal what was typed, for the next page."""
        typed = [(name, value) for name, value in form.pairs if name != "handshake"]
        return self._sealer.seal(json.dumps(typed, ensure_ascii=False))

    def resumed(self, sealed: str, form: Form, *, choosing: bool) -> Form:
        """Add what was typed before to what this page has brought. Raises UntrustedError if no key opens it."""
        if not sealed:
            return form
        before = [(str(name), str(value)) for name, value in json.loads(self._sealer.open(sealed))]
        kept = [
            (name, value)
            for name, value in before
            if (name in self._form.offered) != choosing
            or (name in self._form.secrets and not form[name].strip())
        ]
        return Form([*form.pairs, *kept])

    def shown(
        self, fields: Iterable[Field], offers: Offers | None, translate: Translate, *, choosing: bool
    ) -> list[Field]:
        """Give the fields of one step; `offers` is None if the origin could not be asked."""
        if not choosing:
            return [_kept(field) for field in fields if field.name not in self._form.offered]
        return [
            _with_choices(field, offers[field.name] if offers else None, translate)
            for field in fields
            if field.name in self._form.offered
        ]

    def check(self, configuration: Any, current: Any, offers: Offers, translate: Translate) -> None:
        """Raise ConfigurationErrors for what is neither offered nor chosen already."""
        wrong = {
            name
            for name, offer in offers.items()
            if _chosen(configuration, name) - _chosen(current, name) - {each.value for each in offer.choices}
        }
        if wrong:
            raise ConfigurationErrors(dict.fromkeys(wrong, translate(NOT_CHOSEN)))


def _chosen(configuration: Any, name: str) -> set[str]:
    value = getattr(configuration, name, None)
    return set() if not value else {value} if isinstance(value, str) else set(value)


def _kept(field: Field) -> Field:
    """A secret that was typed is sealed in the handshake, and need not be typed again."""
    return replace(field, stored=True, retype=False, required=False) if field.retype else field


def _with_choices(field: Field, offer: Offer | None, translate: Translate) -> Field:
    options = [*field.options, *((each.value, each.label) for each in (offer.choices if offer else ()))]
    chosen = field.value if isinstance(field.value, tuple) else (str(field.value),)
    known = {value for value, _label in options}
    remark, mark = "", "{value}"
    if offer and offer.is_cut:
        remark = fill(translate(CUT), limit=len(offer.choices))
    elif offer:
        mark = translate(NOT_OFFERED)
        remark = "" if offer.choices else fill(translate(NOTHING_OFFERED), origin_name=NAME)
    missing = [(value, fill(mark, value=value)) for value in chosen if value and value not in known]
    return replace(field, options=(*options, *missing), help=" ".join(filter(None, (field.help, remark))))
