"""API keys: secrets that travel in a header, and so hold nothing but visible ASCII."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr

NOT_A_KEY = "Copy the key as it is shown: it has no spaces, line breaks or accented letters."


def _without_margins(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _visible_ascii(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not (text and text.isascii() and text.isprintable()) or " " in text:
        raise ValueError(NOT_A_KEY)
    return key


ApiKey = Annotated[SecretStr, BeforeValidator(_without_margins), AfterValidator(_visible_ascii)]
"""A secret of an account that can stand in an `Authorization` header; what surrounds it in the form is cut off."""
