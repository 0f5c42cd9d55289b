"""Offers: what the origin lets an admin choose in the second step of the form."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..origin_protocol import Choice, OriginAccount
from .hooks import Hook


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be chosen for one field. `is_cut` when the origin has more than the form shows."""

    choices: Sequence[Choice]
    is_cut: bool


OFFERS: Hook[Callable[[OriginAccount[Any]], Awaitable[Mapping[str, Offer]]]] = Hook()
"""Read by admin_ui: from an account, as the form's first step tells of it, to what the second offers by field."""
