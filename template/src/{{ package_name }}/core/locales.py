"""Locales: the languages that Zendesk knows people by (SVC-44)."""

from collections.abc import Mapping

LANGUAGES = (
    "ar bg bs ca cs da de el en-US es et fa fi fil fr he hi hr hu id is it ja ka ko lt lv mk ms nl no pl pt ro ru sk sl "
    "sq sr sv th tr uk ur vi zh-CN"
)
REGIONS = "de-AT de-CH en-AU en-CA en-GB en-IE en-NZ en-ZA es-419 es-ES es-MX fr-BE fr-CA fr-CH fr-FR it-CH nl-BE pt-BR zh-TW"
OTHER_NAMES = {
    "en": "en-US",
    "in": "id",
    "iw": "he",
    "nb": "no",
    "nn": "no",
    "tl": "fil",
    "zh": "zh-CN",
    "zh-hans": "zh-CN",
    "zh-hant": "zh-TW",
    "zh-hk": "zh-TW",
    "zh-mo": "zh-TW",
}

_KNOWN: Mapping[str, str] = {
    **{name.lower(): name for name in f"{LANGUAGES} {REGIONS}".split()},
    **OTHER_NAMES,
}


def zendesk_locale(tag: str) -> str | None:
    """Find what Zendesk calls a language such as `de_AT`, `nb-NO` or `zh-Hant-HK`; None if it does not know it."""
    parts = tag.replace("_", "-").partition(".")[0].lower().split("-")
    while parts:
        if known := _KNOWN.get("-".join(parts)):
            return known
        parts.pop()
    return None
