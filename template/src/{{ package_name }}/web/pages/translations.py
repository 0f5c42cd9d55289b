"""The pages in the language of the admin who opened them.

Each `translations.toml` of this package, such as the one beside `origin.py`, holds sentences of its own folder: under
the English one what it is in other languages, by their tags: `de`, or `pt-pt` for one region. English stands wherever
a translation is missing. To add a language, add it to every sentence; a test tells which are missing.
"""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

SOURCE = "en"
LONGEST_TAG = 35
"""Characters that a language tag needs at most (RFC 5646, section 4.4.1)."""

PACKAGE = Path(__file__).parents[2]


def _load() -> dict[str, dict[str, str]]:
    catalogues: dict[str, dict[str, str]] = {}
    for path in sorted(PACKAGE.rglob("translations.toml")):
        for sentence, translations in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for tag, translation in translations.items():
                catalogues.setdefault(tag, {})[sentence] = translation
    return catalogues


CATALOGUES = _load()


def language(locale: str) -> str:
    """The catalogue for a locale such as `pt-BR`, `de_AT` or `EN-us`: the most particular one, else English."""
    wanted = locale.strip()[:LONGEST_TAG].replace("_", "-").lower()
    while wanted and wanted not in CATALOGUES:
        wanted = wanted.rpartition("-")[0]
    return wanted or SOURCE


def translator(locale: str) -> Callable[[str], str]:
    """Give the function that translates an English sentence for a locale."""
    catalogue = CATALOGUES.get(language(locale), {})
    return lambda sentence: catalogue.get(sentence, sentence)


def fill(sentence: str, **values: object) -> str:
    """Put values into a sentence's `{placeholders}`.

    Not `str.format`, which would let a sentence from outside reach into the values' attributes.
    """
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), sentence)
