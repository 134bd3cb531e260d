"""Bytes and cells → feed events, or why not. msgspec checks types and ranges; here its answers get names."""

import json
import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from streamproc.intake.mapping import Mapping
from streamproc.intake.money import is_not_finite
from streamproc.intake.refusal import MAX_BODY, MAX_ID, Reason, Refusal
from streamproc.wire.feed import (
    FIRM_FACTS,
    MAX_DETAIL,
    AnyFeedEvent,
    FeedComplaint,
    FeedContact,
    FeedCustomerFact,
    FeedDeskStep,
    FeedFirmFact,
    FeedHead,
    FeedPurchase,
    Moment,
    Scalar,
)

Kind = Literal["purchase", "return", "complaint", "contact", "customer_fact", "firm_fact", "desk_step"]

SKIPPED: Literal["skipped"] = "skipped"
"""The answer for a kind that the mapping says to skip."""

_TYPES: dict[Kind, type[AnyFeedEvent]] = {
    "purchase": FeedPurchase,
    "return": FeedPurchase,
    "complaint": FeedComplaint,
    "contact": FeedContact,
    "customer_fact": FeedCustomerFact,
    "firm_fact": FeedFirmFact,
    "desk_step": FeedDeskStep,
}
_WORDS: dict[str, Kind | Literal["fact"]] = {
    "purchase": "purchase",
    "purchases": "purchase",
    "return": "return",
    "returns": "return",
    "complaint": "complaint",
    "complaints": "complaint",
    "contact": "contact",
    "contacts": "contact",
    "customer_fact": "customer_fact",
    "firm_fact": "firm_fact",
    "fact": "fact",
    "facts": "fact",
    "desk_step": "desk_step",
    "desk": "desk_step",
}
_AT_FIELD = re.compile(r"`\$\.?([a-z_]+)?")
_MISSING = re.compile(r"missing required field `(\w+)`")
_decode_head = msgspec.json.Decoder(FeedHead).decode
_decoders: dict[Kind, Callable[[bytes], AnyFeedEvent]] = {
    kind: msgspec.json.Decoder(shape).decode for kind, shape in _TYPES.items()
}
_decode_members = msgspec.json.Decoder(dict[str, object]).decode
_FIRM_FIELDS = frozenset((*FeedFirmFact.__struct_fields__, "stream", "type"))
_WHOLE = "got `float`"
_WHOLE_FIELDS = ("schema_version", "lines", "revision", "severity", "resolution_score")
_EXACT = 2.0**53
_NO_WORD = "no stream, kind, type or fact, and no id field that only one stream has"
_ID_FIELDS = {"customer_id", "event_id", "order_id", "complaint_id", "contact_id"}
_ID_FIELDS |= {"alias_of", "owner", "subject", "dealer_id", "staff_id", "warning_id", "by", "to"}
_ids = {shape: tuple(f for f in shape.__struct_fields__ if f in _ID_FIELDS) for shape in _TYPES.values()}
_get_ids = {shape: attrgetter(*fields) for shape, fields in _ids.items()}


class Peek(Struct):
    """The time of a JSON event, and what tells a fact that holds for everybody."""

    occurred_at: Moment
    fact: str | None = None
    kind: str | None = None


Decoded = tuple[AnyFeedEvent, bool]
"""A feed event, and whether its kind was `return`."""


class Words:
    """Which kind of event a word names: ours whatever the case, and the mapping's own (`kinds`, `skip`)."""

    def __init__(self, mapping: Mapping) -> None:
        self._words: dict[str, str] = {**_WORDS, **mapping.kinds, **dict.fromkeys(mapping.skip, SKIPPED)}

    def find(self, word: str) -> str | None:
        """The kind a word names, `fact` for either sort of fact, SKIPPED, or None."""
        return self._words.get(word) or self._words.get(word.strip().lower())


def decode_json(body: bytes, words: Words) -> Decoded | Refusal | Literal["skipped"]:
    """The feed event in one JSON object.

    Its kind is told by `stream`, `kind` or `type`, whichever comes first in this order (a return under
    purchases is a return); a firm's fact by its name under `fact` or `kind`; else by the id field that only
    one stream has.
    """
    if len(body) > MAX_BODY:
        return Refusal("too_large", "", f"more than {MAX_BODY} bytes")
    try:
        kind = kind_of(_decode_head(body), words)
        return kind if isinstance(kind, Refusal) or kind == SKIPPED else _decode_event(body, kind)
    except msgspec.ValidationError as error:
        return refusal_of(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _not_json(body)


def _decode_event(body: bytes, kind: Kind) -> Decoded | Refusal:
    """The event of a known kind. Raises what msgspec raises where the body does not hold one."""
    try:
        event = _decoders[kind](body)
    except msgspec.ValidationError as error:
        if _WHOLE not in str(error):
            raise
        body = _whole(body)  # off the fast path: most feeds write whole numbers as such
        event = _decoders[kind](body)
    return _with_rest(event, body) if isinstance(event, FeedFirmFact) else _sound(event, body, kind)


def _whole(body: bytes) -> bytes:
    """The event with the whole numbers that were written as 1.0 written as 1."""
    members: dict[str, object] = _decode_members(body)
    for name in _WHOLE_FIELDS:
        value = members.get(name)
        if isinstance(value, float) and abs(value) < _EXACT and value.is_integer():
            members[name] = int(value)
    return msgspec.json.encode(members)


def _sound(event: AnyFeedEvent, body: bytes, kind: Kind) -> Decoded | Refusal:
    """The event, unless an id of it is too long: none can be, or hold a NUL, where all is ASCII."""
    if body.isascii() and b"\\u" not in body:
        return event, kind == "return"
    return too_long(event) or (event, kind == "return")


_decode_peek = msgspec.json.Decoder(Peek).decode


def peek_json(body: bytes) -> Peek | None:
    """The time of a JSON event, before all else is looked at; None where it has none that could be read."""
    try:
        return _decode_peek(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def kind_of(head: FeedHead, words: Words) -> Kind | Refusal | Literal["skipped"]:
    """The kind of event a head announces."""
    if head.fact is not None:
        return _kind_beside_fact(head.fact, head.kind, words)
    if head.kind in FIRM_FACTS:
        return "firm_fact"
    if head.stream is head.kind is head.type is None:
        return _kind_by_id(head)
    return _kind_by_word(head, words)


def _kind_beside_fact(fact: str, kind: str | None, words: Words) -> Kind | Refusal | Literal["skipped"]:
    """`fact` says which fact it is; `kind` may repeat it, name the stream, or be a word to skip."""
    if fact not in FIRM_FACTS:
        return Refusal("unknown_kind", "fact", _shown(fact))
    meant = "firm_fact" if kind is None or kind == fact else words.find(kind)
    if meant == SKIPPED:
        return SKIPPED
    if meant in {"fact", "firm_fact"}:
        return "firm_fact"
    return Refusal("unknown_kind", "kind", "beside `fact`: the same fact, or fact, facts, firm_fact")


def _kind_by_word(head: FeedHead, words: Words) -> Kind | Refusal | Literal["skipped"]:
    found: str | None = None
    for field, word in (("stream", head.stream), ("kind", head.kind), ("type", head.type)):
        meant = None if word is None else words.find(word)
        if meant == SKIPPED:
            return SKIPPED
        if word is not None and meant is None and found is None:
            return Refusal("unknown_kind", field, _shown(word))
        if found is None or (found == "purchase" and meant == "return"):
            found = meant
    if found == "firm_fact":
        return Refusal("unknown_kind", "fact", "which fact it is")
    return "customer_fact" if found == "fact" else cast("Kind", found)


def _kind_by_id(head: FeedHead) -> Kind | Refusal:
    """A complaint or a contact may name the order it is about, so that they come first."""
    if head.complaint_id is not None:
        return "complaint"
    if head.contact_id is not None:
        return "contact"
    if head.order_id is not None:
        return "purchase"
    if head.alias_of is head.do_not_contact is head.owner is None:
        return Refusal("unknown_kind", "kind", _NO_WORD)
    return _lost_id(head) or "customer_fact"


def _lost_id(head: FeedHead) -> Refusal | None:
    """A complaint has an owner, too: one that lost its id is not a fact of its customer."""
    if head.direction is not None:
        return Refusal("missing_field", "contact_id", "or a word that names the stream")
    if head.status is not None or head.severity is not None:
        return Refusal("missing_field", "complaint_id")
    return None


def _with_rest(event: FeedFirmFact, body: bytes) -> Decoded | Refusal:
    """A firm's fact with the members that are none of ours under `detail`."""
    members: dict[str, object] = _decode_members(body)
    rest = {name: value for name, value in members.items() if name not in _FIRM_FIELDS}
    try:
        detail = msgspec.convert({**rest, **(event.detail or {})}, dict[str, Scalar])
    except msgspec.ValidationError:
        return Refusal("wrong_type", "detail", "texts of at most 256 characters, numbers, true, false, null")
    if len(detail) > MAX_DETAIL or any(len(name) > MAX_ID for name in detail):
        return Refusal("out_of_range", "detail", f"at most {MAX_DETAIL} members, names of at most {MAX_ID}")
    event = msgspec.structs.replace(event, detail=detail)
    return too_long(event) or (event, False)


def convert(cells: dict[str, Any], kind: Kind) -> AnyFeedEvent | Refusal:
    """The feed event in a row's cells by our field names, under the same checks as JSON."""
    try:
        event = msgspec.convert(cells, _TYPES[kind], strict=False)
    except msgspec.ValidationError as error:
        refusal = refusal_of(str(error))
        if is_not_finite(str(cells.get(refusal.field, ""))):
            return Refusal("not_finite", refusal.field)
        return refusal
    return too_long(event) or event


def too_long(event: AnyFeedEvent) -> Refusal | None:
    """A refusal for an id of more than MAX_ID bytes (msgspec counted the characters) or with a NUL in it."""
    for field, text in zip(_ids[type(event)], _get_ids[type(event)](event), strict=True):
        if text is None or (text.isascii() and "\0" not in text):
            continue
        if len(text.encode()) > MAX_ID:
            return Refusal("id_too_long", field, f"more than {MAX_ID} bytes")
        if "\0" in text:
            return Refusal("bad_value", field, "a NUL character in an id")
    return None


def refusal_of(message: str) -> Refusal:
    """What a msgspec validation message says, as a refusal. The offending value is not repeated."""
    missing = _MISSING.search(message)
    if missing:
        return Refusal("missing_field", missing[1])
    place = _AT_FIELD.search(message.rpartition(" - at ")[2]) if " - at " in message else None
    field = (place[1] or "") if place else ""
    if not field:
        return Refusal("not_object", "", "a JSON object is expected")
    enum = message.startswith("Invalid enum")  # this message repeats the value
    return Refusal(_reason(message, field), field, "no such word" if enum else message.partition(" - at ")[0])


def _reason(message: str, field: str) -> Reason:
    if "of length >= 1" in message:
        return "missing_field"
    if "of length <=" in message:
        return "id_too_long" if field in _ID_FIELDS else "out_of_range"
    if "got `null`" in message:  # null is absent: only what is needed refuses it
        return "missing_field"
    if message.startswith("Invalid enum") or "matching regex" in message:
        return "bad_value"
    if ">=" in message or "<=" in message or "out of range" in message:
        return "out_of_range"
    return "wrong_type"


def _not_json(body: bytes) -> Refusal:
    """Tells apart, off the fast path, what msgspec calls malformed."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Refusal("not_utf8")
    found: list[str] = []
    try:
        json.loads(text, parse_constant=found.append)
    except (ValueError, RecursionError):
        return Refusal("not_json")
    return Refusal("not_finite", "", f"{found[0]} is no JSON number") if found else Refusal("not_json")


def _shown(word: str, most: int = 60) -> str:
    return word if len(word) <= most else f"{word[:most]}…"
