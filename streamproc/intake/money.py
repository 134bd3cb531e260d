"""Decimal amounts → integer minor units, exactly."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from streamproc.intake.refusal import Refusal
from streamproc.wire.feed import Money

EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[])
"""Sixty digits and no exceptions: what does not fit is seen by `is_finite` and by size."""

MAX_MINOR = 10**15
"""The largest amount, in minor units: larger ones are refused, and sums of many stay within 64 bits."""

MAX_DIGITS = 6
"""The most digits a minor unit may have."""

_MAX_EXPONENT = 20
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)")
_FACTORS = [Decimal(10**digits) for digits in range(MAX_DIGITS + 1)]
_CODES = {0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND"}
_DIGITS = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
_NOT_PLAIN = "not a plain decimal; a mapping can set decimal_comma and thousands"


def digits_of(currency: str) -> int:
    """Digits of the minor unit (ISO 4217): 0 for JPY, 3 for KWD, 2 for most and for what is not known."""
    return _DIGITS.get(currency, 2)


def is_not_finite(text: str) -> bool:
    """Whether a text is how programs write what is no number: NaN, infinity."""
    return text.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"}


def to_decimal(amount: Money, field: str = "amount") -> Decimal | Refusal:
    """The amount as a decimal; a float is what its shortest text says.

    Text is plain decimal digits, with a sign and a point at most: blanks, separators, exponents and other
    scripts' digits could be read in more than one way, and are refused.
    """
    if not isinstance(amount, str):
        return Decimal(amount) if isinstance(amount, int) else Decimal(repr(amount))
    if _PLAIN.fullmatch(amount):
        return Decimal(amount)
    return Refusal("not_finite", field) if is_not_finite(amount) else Refusal("wrong_type", field, _NOT_PLAIN)


def to_minor(amount: Decimal, digits: int, field: str = "amount") -> int | Refusal:
    """Minor units of a decimal amount; what is finer is rounded half to even.

    Counts on Python's default precision of 28 digits, of which an amount that is not refused needs 16.
    """
    if not amount.is_finite():
        return Refusal("not_finite", field)
    if amount.adjusted() > _MAX_EXPONENT:
        return Refusal("out_of_range", field, "more than 1e15 minor units")
    minor = int((amount * _FACTORS[digits]).to_integral_value(ROUND_HALF_EVEN))
    if not -MAX_MINOR <= minor <= MAX_MINOR:
        return Refusal("out_of_range", field, "more than 1e15 minor units")
    return minor
