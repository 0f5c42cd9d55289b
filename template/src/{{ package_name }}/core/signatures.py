"""Webhook signatures: they prove the sender and the time of a request."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

REPLAY_WINDOW = timedelta(minutes=5)
"""How far the sender's clock and the way of a request may differ from ours."""


def sign(secret: str, moment: datetime, body: bytes) -> str:
    """HMAC-SHA256 over the moment in whole seconds since 1970, a full stop and the body, in hexadecimal digits."""
    signed = f"{int(moment.timestamp())}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, moment: str, signature: str, body: bytes, now: datetime) -> bool:
    """Whether `signature` belongs to `body` and to `moment` (seconds since 1970), and that lies within the window.

    Takes the same time however much of a forged signature is right.
    """
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 11):
        return False
    at = datetime.fromtimestamp(int(moment), UTC)
    expected = sign(secret, at, body)
    fresh = abs(now - at) <= REPLAY_WINDOW
    return hmac.compare_digest(expected.encode(), signature.encode(errors="replace")) and fresh
