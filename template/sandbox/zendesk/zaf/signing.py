"""Signed URLs: a page of an app's own server is posted a token, by which the server knows Zendesk, account and place."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SECONDS = 60
"""How long a token is good for."""


@dataclass
class TokenSigner:
    """Signs JSON web tokens with a key of this session's (RS256)."""

    subdomain: str

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65_537, key_size=2048)

    @property
    def public_key(self) -> bytes:
        encoding, format_ = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(encoding, format_)

    def token(self, app: int, agent: int, place: str, url: str, now: datetime) -> str:
        """Say which agent looks at a page of an app, where, and from which account."""
        host, moment = f"{self.subdomain}.zendesk.com", int(now.timestamp())
        claims = {
            "iss": host,
            "aud": f"https://{host}/api/v2/apps/installations/{app}.json",
            "sub": f"https://{host}/api/v2/users/{agent}.json",
            "iat": moment,
            "nbf": moment,
            "exp": moment + SECONDS,
            "context": {"product": "support", "location": place, "url": url},
        }
        signed = b".".join(map(_base64, ({"typ": "JWT", "alg": "RS256"}, claims)))
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return (signed + b"." + _base64(signature)).decode()


def _base64(value: object) -> bytes:
    content = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=")
