"""How to read a feed that does not speak our names: a small TOML, or what the usual column names tell.

time_zone = "Europe/Berlin"         # of stamps that name none; default UTC
time_format = "%d.%m.%Y %H:%M"      # default: RFC 3339 / ISO 8601, or epoch numbers
currency = "EUR"                    # of amounts without a currency column; default the reporting currency
decimal_comma = true                # 12,50
thousands = "."                     # a separator to drop from numbers; none unless said
minor_digits = 2                    # digits of the minor unit, where they are not the currency's own
amounts = "usual"                   # or "inverted": purchases below zero, returns above
orders = "rows"                     # or "whole" or "sum": see `OrderRows`
encoding = "utf-8"                  # or gb18030, cp1252, ...
skip = ["quote", "test order"]      # kinds that are no event of ours: counted, not kept
ignore = ["internal_note"]          # columns not to be read, whatever they are called

[columns]                           # our field = their column
customer_id = "Cust No"
occurred_at = "When"
[constants]                         # our field = a value for every row
channel = "web"
[kinds]                             # their word = purchase, return, complaint, contact or customer_fact
Bestellung = "purchase"
"""

import tomllib
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from streamproc.intake.money import MAX_DIGITS
from streamproc.wire.feed import FeedComplaint, FeedContact, FeedCustomerFact, FeedPurchase

OrderRows = Literal["rows", "whole", "sum"]
"""What rows with the same order id are.

rows:  each row is an order of its own; its id is made distinct by the event's id (`489434#...`). The rule for
       tables that have no column by which a row could correct another: their reference may be an invoice
       exported a line a row, or no order number at all, and neither may collapse. What it costs: a row
       that was changed between two exports counts twice.
whole: the order id names the order; a later row with a higher revision replaces it, one that says cancelled
       removes it. The rule for JSON feeds, and for tables with a revision, status or cancelled column.
sum:   rows of one customer, one order id and one instant are lines of one order, and are added up.
"""

Amounts = Literal["usual", "inverted"]

FIELDS: frozenset[str] = frozenset(
    name
    for kind in (FeedPurchase, FeedComplaint, FeedContact, FeedCustomerFact)
    for name in kind.__struct_fields__
    if name != "schema_version"
) | {"kind"}
"""Our fields, which a column or a constant can fill."""

KINDS = ("purchase", "return", "complaint", "contact", "customer_fact")


Constant = str | int | float | bool


class Mapping(Struct, frozen=True):
    """How a feed is read; `columns` our field → their column, `kinds` their word (lower case) → ours."""

    columns: dict[str, str] = {}
    constants: dict[str, Constant] = {}
    kinds: dict[str, str] = {}
    skip: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time_zone: str = "UTC"
    time_format: str | None = None
    currency: str | None = None
    decimal_comma: bool = False
    thousands: str = ""
    minor_digits: int | None = None
    amounts: Amounts = "usual"
    orders: OrderRows | None = None
    encoding: str = "utf-8"


class MappingProblem(Struct, frozen=True):
    """Why a mapping cannot be used: every mistake, a sentence each."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        """The mistakes, one a line."""
        return "\n".join(self.problems)


def load_mapping(text: str) -> Mapping | MappingProblem:
    """The mapping that a TOML text states, or all that is wrong with it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return MappingProblem((f"not TOML: {error}",))
    problems: list[str] = []
    known = {name: value for name, value in raw.items() if _known(name, problems)}
    for name, value in known.items():
        problems.extend(_CHECKS[name](name, value))
    if problems:
        return MappingProblem(tuple(problems))
    lowered = {word.strip().lower(): kind for word, kind in known.get("kinds", {}).items()}
    skip = tuple(word.strip().lower() for word in known.get("skip", ()))
    ignore = tuple(known.get("ignore", ()))
    return Mapping(**{**known, "kinds": lowered, "skip": skip, "ignore": ignore})


def _known(name: str, problems: list[str]) -> bool:
    if name in _CHECKS:
        return True
    hint = f": did you mean it under [columns], {name} = ...?" if name in FIELDS else ""
    problems.append(f"{name}: no such setting{hint or '; there are ' + ', '.join(sorted(_CHECKS))}")
    return False


def _check_table(name: str, value: object) -> list[str]:
    """[columns] and [constants]: our fields on the left, text (in constants also numbers) on the right."""
    if not isinstance(value, dict):
        return [f"{name}: a table is expected: [{name}]"]
    right = str if name == "columns" else (str, int, float)
    problems = [
        f"{name}.{field}: no such field; there are {', '.join(sorted(FIELDS))}"
        for field in value
        if field not in FIELDS
    ]
    problems += [f"{name}.{field}: text is expected" for field, cell in value.items() if not isinstance(cell, right)]
    return problems


def _check_kinds(name: str, value: object) -> list[str]:
    if not isinstance(value, dict):
        return [f"{name}: a table is expected: [{name}]"]
    return [
        f"{name}.{word}: one of {', '.join(KINDS)} is expected" for word, kind in value.items() if kind not in KINDS
    ]


def _check_texts(name: str, value: object) -> list[str]:
    good = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return [] if good else [f'{name}: a list of texts is expected, as in {name} = ["one", "two"]']


def _check_zone(name: str, value: object) -> list[str]:
    try:
        ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        return [f'{name}: no such time zone; write it as in "Asia/Shanghai"']
    return []


def _check_format(name: str, value: object) -> list[str]:
    good = isinstance(value, str) and "%" in value
    return [] if good else [f'{name}: a format is expected, as in "%d/%m/%Y %H:%M"']


def _check_currency(name: str, value: object) -> list[str]:
    good = isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()  # noqa: PLR2004
    return [] if good else [f'{name}: a code of three letters is expected, as in "EUR"']


def _check_flag(name: str, value: object) -> list[str]:
    return [] if isinstance(value, bool) else [f"{name}: true or false is expected"]


def _check_thousands(name: str, value: object) -> list[str]:
    good = isinstance(value, str) and len(value) == 1 and not value.isdigit() and value not in "-+"
    return [] if good else [f'{name}: one character is expected, as in ","']


def _check_digits(name: str, value: object) -> list[str]:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DIGITS
    return [] if good else [f"{name}: a number from 0 to {MAX_DIGITS} is expected"]


def _check_choice(name: str, value: object) -> list[str]:
    choices = get_args(Amounts if name == "amounts" else OrderRows)
    return [] if value in choices else [f"{name}: one of {', '.join(choices)} is expected"]


def _check_encoding(name: str, value: object) -> list[str]:
    try:
        good = isinstance(value, str) and b"\n,".decode(value) == "\n,"
    except (LookupError, ValueError):
        good = False
    return [] if good else [f"{name}: no such encoding, or one whose line ends are not those of ASCII (UTF-16)"]


_CHECKS = {
    "columns": _check_table,
    "constants": _check_table,
    "kinds": _check_kinds,
    "skip": _check_texts,
    "ignore": _check_texts,
    "time_zone": _check_zone,
    "time_format": _check_format,
    "currency": _check_currency,
    "decimal_comma": _check_flag,
    "thousands": _check_thousands,
    "minor_digits": _check_digits,
    "amounts": _check_choice,
    "orders": _check_choice,
    "encoding": _check_encoding,
}
