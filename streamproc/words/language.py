"""One language: terms, messages, and how it writes numbers, money, dates and durations."""

from datetime import datetime, time
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Literal, get_args

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from streamproc.words.terms import TERMS

Language = Literal["en", "zh-CN"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_LOCALES: dict[Language, str] = {"en": "en", "zh-CN": "zh_Hans_CN"}
_SURE = 0.995


class Words:
    """Words of one language. Get one by `words_in`."""

    def __init__(self, language: Language, catalog: NullTranslations) -> None:
        self.language = language
        self._catalog = catalog
        self._locale = Locale.parse(_LOCALES[language])

    def term(self, kind: str, code: str | None) -> str:
        """The term for a code, a dash for None; a word of a feed's own that has no term stays as it is."""
        if code is None:
            return "–"
        english = TERMS[kind].get(code)
        return code if english is None else self._catalog.pgettext(kind, english)

    def say(self, message: str, **values: str) -> str:
        """A message with its values put in."""
        return self._catalog.gettext(message).format(**values)

    def count(self, one: str, many: str, n: float) -> str:
        """A message about `{n}` things."""
        return self._catalog.ngettext(one, many, 1 if n == 1 else 2).format(n=self.number(n))

    def days(self, n: float) -> str:
        """A number of days: `1 day`, `2.5 days`."""
        return self.count("{n} day", "{n} days", n)

    def number(self, n: float) -> str:
        """A number with at most two decimals."""
        return format_decimal(round(Decimal(str(n)), 2), "#,##0.##", locale=self._locale)

    def factor(self, factor: float) -> str:
        """What something is multiplied by, in two digits: `2.7`, `0.83`, `120`."""
        return self.number(float(f"{factor:.2g}"))

    def share(self, share: float) -> str:
        """A share in percent: `68 %`."""
        return format_percent(share, "#,##0 %" if self.language == "en" else None, locale=self._locale)

    def probability(self, probability: float) -> str:
        """A probability in percent; what is nearly certain is not written as certain."""
        if probability > _SURE:
            return f"> {self.share(0.99)}"
        return f"< {self.share(0.01)}" if probability < 1 - _SURE else self.share(probability)

    def money(self, amount: str, currency: str) -> str:
        """A decimal amount in a currency: `€1,234.50`."""
        return format_currency(Decimal(amount), currency, locale=self._locale)

    def date(self, when: str) -> str:
        """The day (UTC) of an RFC 3339 time."""
        return format_date(datetime.fromisoformat(when).date(), "medium", locale=self._locale)

    def moment(self, when: str) -> str:
        """Day and time (UTC) of an RFC 3339 time; the day alone at midnight."""
        at = datetime.fromisoformat(when).time()
        return self.date(when) if at == time() else f"{self.date(when)} {at:%H:%M} UTC"


@lru_cache(maxsize=len(LANGUAGES))
def words_in(language: Language) -> Words:
    """The words of a language."""
    if language == "en":
        return Words(language, NullTranslations())
    folder = files("streamproc.words") / "locale" / language.replace("-", "_") / "LC_MESSAGES"
    with (folder / "streamproc.mo").open("rb") as file:
        return Words(language, GNUTranslations(file))
