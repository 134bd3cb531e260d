"""Which language a reader gets, and the labels of the pages in it. Sentences and ways of writing are the words' own."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from streamproc.words import LANGUAGES, Language

NAMES: dict[Language, str] = {"en": "English", "zh-CN": "中文"}
"""Each language by its own name."""


def choose(asked: Sequence[str | None], accepted: str, default: Language) -> Language:
    """The first language named outright that there is, else the best of an Accept-Language header, else the default."""
    for name in asked:
        for language in LANGUAGES:
            if name == language:
                return language
    for wanted in _by_weight(accepted):
        for language in LANGUAGES:
            if language.partition("-")[0] == wanted.partition("-")[0].lower():
                return language
    return default


def _by_weight(accepted: str) -> list[str]:
    weighted = []
    for part in accepted.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight) if weight else 1.0, name.strip()))
        except ValueError:
            continue
    return [name for weight, name in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0 and name]


@lru_cache(maxsize=len(LANGUAGES))
def labels_in(language: Language) -> dict[str, str]:
    """The labels by key."""
    source = files("streamproc.adapters.web").joinpath("labels", f"{language}.toml")
    labels: dict[str, str] = tomllib.loads(source.read_text(encoding="utf-8"))
    return labels
