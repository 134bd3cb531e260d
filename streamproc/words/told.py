"""What intake says of a record or of a column, in the reader's language.

It is kept in English (a dead letter's detail is data, and the same in every language), so it is recognised here by its
form. What is of no known form, such as an error of the system's own, stays as it is.
"""

import re
from functools import lru_cache

from streamproc.words.language import Words
from streamproc.words.terms import TERMS

KIND = "told"
_VALUE = re.compile(r"\{(\w+)\}")


def told(words: Words, text: str) -> str:
    """An English text of intake's in the language of `words`."""
    if words.language == "en":
        return text
    for code, form in _forms():
        if (found := form.fullmatch(text)) is not None:
            return words.term(KIND, code).format(**found.groupdict())
    return text


@lru_cache(maxsize=1)
def _forms() -> list[tuple[str, re.Pattern[str]]]:
    """The forms, each as a pattern; those with most text of their own first, for others may hold them as a value."""
    ordered = sorted(TERMS[KIND].items(), key=lambda item: -len(_VALUE.sub("", item[1])))
    return [(code, _pattern(english)) for code, english in ordered]


def _pattern(english: str) -> re.Pattern[str]:
    parts = _VALUE.split(english)  # text, name, text, name, …, text
    pieces = (f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile("".join(pieces), re.DOTALL)
