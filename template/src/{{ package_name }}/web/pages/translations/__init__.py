"""The pages in the language of the admin who opened them.

The catalogues are the TOML files beside this module, each named by its language: `de.toml`, or `pt-pt.toml` for
one region. The English sentence is the key, and stands wherever a translation is missing. To add a language,
copy `de.toml` and translate it; to translate the labels of your own `origin.py`, add them to the `[origin]`
table of each file, or put files of the same names into `origin/translations/`.
"""

import re
import tomllib
from collections.abc import Callable
from importlib.resources import files

SOURCE = "en"
LONGEST_TAG = 35
"""Characters that a language tag needs at most (RFC 5646, section 4.4.1)."""


def _load() -> dict[str, dict[str, str]]:
    catalogues: dict[str, dict[str, str]] = {}
    of_the_origin = files(__name__.partition(".")[0]) / "origin" / "translations"
    for folder in (files(__name__), of_the_origin):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name.endswith(".toml"):
                catalogue = catalogues.setdefault(path.name.removesuffix(".toml"), {})
                for table in tomllib.loads(path.read_text(encoding="utf-8")).values():
                    catalogue |= table
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
