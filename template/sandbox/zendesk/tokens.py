"""Push tokens: minted when an admin opens an account, asked for by the push API."""

import secrets
from datetime import timedelta

from .context import Part
from .model import Account, Token
from .verdicts import Remark


class Tokens(Part):
    def mint(self, push_id: str) -> str:
        """Make a new token of 64 hexadecimal characters; whether it voids the old ones is a setting (ZEN-10)."""
        if self.settings.edit_voids_old_token:
            self.revoke(push_id)
        token = Token(secrets.token_hex(32), push_id, self.clock.now())
        self.state.tokens.append(token)
        self.log.hide(token.text)
        return token.text

    def revoke(self, push_id: str) -> None:
        for token in self.state.tokens:
            token.revoked = token.revoked or token.push_id == push_id

    def rotate(self, account: Account) -> str:
        """Void an account's tokens behind its service's back."""
        self.revoke(account.push_id)
        return self.mint(account.push_id)

    def owner(self, authorization: str) -> str | None:
        """The push id that a header's Bearer token belongs to, if it is valid now."""
        token = self._find(authorization)
        if token is None:
            return None
        token.given = True
        return token.push_id if self._is_valid(token) else None

    def give(self, text: str) -> None:
        for token in self.state.tokens:
            token.given = token.given or token.text == text

    def remarks(self, authorization: str) -> list[Remark]:
        """What a service does wrong that sends such a header."""
        if not authorization.lower().startswith("bearer "):
            return [Remark("", "there is no Bearer token", ("SVC-56",))]
        token = self._find(authorization)
        if token and self.state.account_of_push_id(token.push_id):
            newest = [each for each in self.state.tokens if each.given and each.push_id == token.push_id][-1]
            # What it has is the best that it was given: the token has expired, or was rotated behind its back.
            return (
                []
                if newest is token
                else [
                    Remark(
                        "", "another token has taken the place of this one", ("SVC-23",), "Keep the latest."
                    )
                ]
            )
        if token:
            return [
                Remark("", "the account of this token has been removed", ("SVC-55",), "Forget its token.")
            ]
        return []

    def _find(self, authorization: str) -> Token | None:
        scheme, _, text = authorization.partition(" ")
        for token in self.state.tokens:
            if scheme.lower() == "bearer" and secrets.compare_digest(token.text.encode(), text.encode()):
                return token
        return None

    def _is_valid(self, token: Token) -> bool:
        lifetime = self.settings.token_lifetime
        expired = lifetime is not None and self.clock.now() >= token.minted_at + timedelta(seconds=lifetime)
        return not token.revoked and not expired
