"""Dated currency rates: amounts in the currency they were paid in → the reporting currency.

The rate of an instant is the last one dated at or before it. amount × rate, brought to the reporting
currency's minor unit and rounded half to even (banker's rounding), all in decimal arithmetic.
"""

from bisect import bisect_right
from decimal import Decimal

from streamproc.core.events import FirmFact
from streamproc.core.time import to_text
from streamproc.intake.money import EXACT, MAX_MINOR, digits_of
from streamproc.intake.refusal import Refusal

MAX_RATES = 20_000
"""Rates kept a currency (54 years of daily ones); past it the oldest goes."""

MAX_CURRENCIES = 400

_CODE = 3


class Rates:
    """The rates known so far. `reporting` is the currency everything is counted in."""

    def __init__(self, reporting: str) -> None:
        self.reporting = reporting
        self._digits = digits_of(reporting)
        self._dates: dict[str, list[int]] = {}
        self._rates: dict[str, list[Decimal]] = {}

    def learn(self, fact: FirmFact) -> Refusal | None:
        """Take in a currency_rate fact: `value` reporting units a unit of `subject`; pass other facts.

        A second rate of the same instant replaces the first.
        """
        if fact.kind != "currency_rate":
            return None
        code, value = (fact.subject or "").upper(), fact.value
        if len(code) != _CODE or not code.isascii() or not code.isalpha():
            return Refusal("bad_value", "subject", "a currency code has three letters")
        if value is None:
            return Refusal("missing_field", "value")
        if not 0 < value < MAX_MINOR:
            return Refusal("out_of_range", "value", "a rate is above 0")
        if code not in self._dates and len(self._dates) >= MAX_CURRENCIES:
            return Refusal("out_of_range", "subject", f"more than {MAX_CURRENCIES} currencies")
        self._put(code, fact.at, Decimal(repr(value)))
        return None

    def _put(self, code: str, at: int, rate: Decimal) -> None:
        dates, rates = self._dates.setdefault(code, []), self._rates.setdefault(code, [])
        where = bisect_right(dates, at)
        if where and dates[where - 1] == at:
            rates[where - 1] = rate
            return
        dates.insert(where, at)
        rates.insert(where, rate)
        if len(dates) > MAX_RATES:
            del dates[0], rates[0]

    def convert(self, minor: int, currency: str, at: int) -> int | Refusal:
        """Minor units of the reporting currency for `minor` units of `currency` at `at` (µs), or no_rate."""
        if currency == self.reporting:
            return minor
        where = bisect_right(self._dates.get(currency, ()), at)
        if not where:
            detail = f"no rate {currency} to {self.reporting} at or before {to_text(at)}"
            return Refusal("no_rate", "currency", detail)
        exact = EXACT.multiply(Decimal(minor), self._rates[currency][where - 1])
        converted = int(EXACT.scaleb(exact, self._digits - digits_of(currency)).to_integral_value(context=EXACT))
        if not -MAX_MINOR <= converted <= MAX_MINOR:
            return Refusal("out_of_range", "amount", "more than 1e15 minor units")
        return converted

    def dump(self) -> dict[str, list[tuple[int, str]]]:
        """The state as plain data: currency → (instant, rate as decimal text), oldest first."""
        return {
            code: [(at, str(rate)) for at, rate in zip(dates, self._rates[code], strict=True)]
            for code, dates in self._dates.items()
        }

    @classmethod
    def load(cls, reporting: str, state: dict[str, list[tuple[int, str]]]) -> "Rates":
        """The rates that `dump` wrote down."""
        rates = cls(reporting)
        for code, dated in state.items():
            for at, rate in dated:
                rates._put(code, at, Decimal(rate))
        return rates
