"""Locales: the languages that Zendesk knows people by (SVC-44)."""

from collections.abc import Mapping

# As Zendesk lists them for all accounts, https://support.zendesk.com/api/v2/locales/public.json, and its web widget, with
# their spelling.
LANGUAGES = (
    "af ar az bg bn bs ca cs cy da de el en-US es et eu fa fi fil fo fr ga gl he hi hr hu id is it ja ka kk ko ku lt lv "
    "mk mn ms my nl no pl ps pt ro ru si sk sl sq sr sv sw th tr uk ur vi zh-cn"
)
REGIONS = (
    "ar-eg de-at de-ch en-au en-be en-ca en-gb en-ie en-in en-my en-nz en-sg en-za es-419 es-ar es-cl es-co es-es es-mx "
    "es-pe es-us es-ve fr-002 fr-be fr-ca fr-ch fr-fr it-ch nl-be pt-br ru-kz sr-me zh-tw"
)
OTHER_NAMES = {
    "en": "en-US",
    "in": "id",
    "iw": "he",
    "nb": "no",
    "nn": "no",
    "tl": "fil",
    "zh": "zh-cn",
    "zh-hans": "zh-cn",
    "zh-hant": "zh-tw",
    "zh-hk": "zh-tw",
    "zh-mo": "zh-tw",
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
