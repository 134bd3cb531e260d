"""Rows of a table → feed events, by a plan made once from the header and the mapping."""

from collections.abc import Callable, Sequence
from typing import Literal, cast

from msgspec import Struct

from streamproc.core.ids import short_id
from streamproc.intake.decode import SKIPPED, Decoded, Kind, Words, convert
from streamproc.intake.mapping import Mapping
from streamproc.intake.refusal import Refusal
from streamproc.wire.feed import FeedComplaint, FeedContact, FeedCustomerFact, FeedPurchase

Tidy = Callable[[str], str]

_SHAPES: dict[str, type[Struct]] = {
    "purchase": FeedPurchase,
    "return": FeedPurchase,
    "complaint": FeedComplaint,
    "contact": FeedContact,
    "customer_fact": FeedCustomerFact,
}
_NUMBERS = {"amount", "unit_price", "cost", "list_amount", "reward_amount", "fixed_service_cost", "quantity"}
_NUMBERS |= {"lines", "revision", "deliberation_s", "wait_s", "severity", "resolution_score"}
_NUMBERS |= {"perceived", "expected", "strategic"}
_FLAGS = frozenset(["cancelled", "valid", "competitor", "referral", "do_not_contact"])
_CLOSED = frozenset(["status", "direction", "purpose", "result", "customer_kind"])
_TRUTHS = {"yes": "true", "y": "true", "t": "true", "no": "false", "n": "false", "f": "false"}
UNSAID = (("complaint", "status", "opened"), ("contact", "direction", "in"))
"""What a table without such a column is taken to say of all its rows of a kind; complaints are then each its own."""

_MEMO = 1000  # words of a feed's kind column that are remembered


class RowPlan:
    """How the rows under one header are read: which cell goes to which field, for each kind.

    Cells are stripped of surrounding blanks, and an empty one is as good as absent. Numbers are read with the
    mapping's comma and separator. A row with another number of cells than the header is refused, extra empty
    ones apart.
    """

    def __init__(self, mapping: Mapping, header: Sequence[str], words: Words) -> None:
        where = {field: list(header).index(column) for field, column in mapping.columns.items()}
        self._width = len(header)
        self._words = words
        self._kind_at = where.pop("kind", None)
        self._kind = str(mapping.constants.get("kind", "purchase" if self._kind_at is None else ""))
        self._time_at = where.get("occurred_at")
        self._time = str(mapping.constants.get("occurred_at", ""))
        self._number = _number_reader(mapping)
        self._cells = {kind: self._cells_of(shape, where) for kind, shape in _SHAPES.items()}
        self._constants = {
            kind: {field: text for field, text in mapping.constants.items() if field in shape.__struct_fields__}
            for kind, shape in _SHAPES.items()
        }
        for kind, field, text in UNSAID:
            if field not in where:
                self._constants[kind].setdefault(field, text)
        self._numbers_complaints = "complaint_id" not in where and "complaint_id" not in mapping.constants
        self._kinds: dict[str, str | None] = {}

    def _cells_of(self, shape: type[Struct], where: dict[str, int]) -> list[tuple[str, int, Tidy | None]]:
        """The cells one kind of event reads: field, place in the row, what to do with the text."""
        tidies: dict[str, Tidy | None] = {
            **dict.fromkeys(_NUMBERS, self._number),
            **dict.fromkeys(_FLAGS, _flag),
            **dict.fromkeys(_CLOSED, str.lower),
        }
        return [(field, at, tidies.get(field)) for field, at in where.items() if field in shape.__struct_fields__]

    def stamp(self, row: list[str]) -> str:
        """The text of a row's time, or nothing."""
        if self._time_at is None or self._time_at >= len(row):
            return self._time
        return row[self._time_at].strip() or self._time

    def decode(self, row: list[str]) -> Decoded | Refusal | Literal["skipped"]:
        """The feed event in a row."""
        if len(row) != self._width and (len(row) < self._width or any(row[self._width :])):
            return Refusal("bad_row", "", f"{len(row)} cells where the header has {self._width}")
        word = self._kind if self._kind_at is None else row[self._kind_at].strip() or self._kind
        if not word:
            return Refusal("missing_field", "kind")
        kind = self._kind_of(word)
        if kind == SKIPPED:
            return SKIPPED
        if kind not in _SHAPES:
            return Refusal("unknown_kind", "kind", word[:60])
        cells = self._constants[kind].copy()
        for field, at, tidy in self._cells[kind]:
            cell = row[at].strip()
            if cell:
                cells[field] = tidy(cell) if tidy is not None else cell
        if kind == "complaint" and self._numbers_complaints:
            cells["complaint_id"] = f"row-{short_id(*row)}"
        event = convert(cells, cast("Kind", kind))
        return event if isinstance(event, Refusal) else (event, kind == "return")

    def _kind_of(self, word: str) -> str | None:
        known = self._kinds.get(word)
        if known is None and word not in self._kinds:
            known = self._words.find(word)
            known = "customer_fact" if known == "fact" else known
            if len(self._kinds) < _MEMO:
                self._kinds[word] = known
        return known


def _flag(text: str) -> str:
    """yes, y, t, no, n, f in any case as the feed types read them."""
    word = text.lower()
    return _TRUTHS.get(word, word)


def _number_reader(mapping: Mapping) -> Tidy | None:
    """What brings a number to the plain form 1234.56; None where it is that already."""
    thousands, comma = mapping.thousands, mapping.decimal_comma
    if not thousands and not comma:
        return None

    def read(text: str) -> str:
        if thousands:
            text = text.replace(thousands, "")
        return text.replace(",", ".") if comma else text

    return read
