"""Connection tokens: with one of them the flows of one Zendesk account prove themselves."""

from ..core.security import Signer, UntrustedError

PURPOSE = "zis connection"


def connection_token(signer: Signer, subdomain: str) -> str:
    """Give the token for an account's connection: always the same, until the signing keys change."""
    return signer.sign(PURPOSE, {"subdomain": subdomain.lower()})


def subdomain_of(signer: Signer, authorization: str) -> str:
    """Give the account from which a request with this header comes. Raises UntrustedError."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise UntrustedError("no bearer token")
    return str(signer.verify(PURPOSE, token.strip())["subdomain"])
