"""Every example is judged twice, by its schema and by the program, and both say the same."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streamproc.core.events import FirmFact
from streamproc.core.time import DAY
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import MAX_BODY, Position, Refusal
from streamproc.wire.journal import DecodeFailure, decode
from tests.schemas.contracts import FEEDS, FOLDER, NAMES, Json, examples, faults
from tests.schemas.test_agreement import HEADS, OWN

NOW = 20_700 * DAY  # September 2026: the examples lie before it
AFTER_ALL = 10**18  # no stamp among the values is ahead of it
RATE = FirmFact(event_id="rate", at=0, kind="currency_rate", subject="USD", value=0.9)
FEED_NAMES = sorted(FEEDS.values())


def paths(names: list[str], sort: str) -> list[Any]:
    return [pytest.param(name, path, id=f"{name}-{path.stem}") for name in names for path in examples(name, sort)]


def body_of(path: Path) -> bytes:
    return path.read_bytes()


def intake(body: bytes, now: int = NOW) -> object:
    """What intake makes of a feed's event that arrives at `now` (µs)."""
    rates = Rates("EUR")
    assert rates.learn(RATE) is None
    return Intake(rates).take(body, Position("feed", 1), now)


@cache
def decoder(name: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(OWN[name])


def refused(name: str, body: bytes, now: int = NOW) -> bool:
    """Whether the program refuses the bytes of a record or a feed's event."""
    if name in FEED_NAMES:
        return isinstance(intake(body, now), Refusal)
    if name == "journal-record":
        return isinstance(decode(body), DecodeFailure)
    try:
        decoder(name).decode(body)
    except msgspec.ValidationError:
        return True
    return False


def test_every_schema_has_examples_of_both_sorts() -> None:
    assert {path.name for path in (FOLDER / "examples").iterdir()} == set(NAMES)
    assert [name for name in NAMES for sort in ("valid", "invalid") if not examples(name, sort)] == []
    named = [path for name in NAMES for sort in ("valid", "invalid") for path in examples(name, sort)]
    assert len(named) == len(list((FOLDER / "examples").rglob("*.*")))


@pytest.mark.parametrize(("name", "path"), paths(NAMES, "valid"))
def test_a_valid_example_is_accepted_by_both(name: str, path: Path) -> None:
    assert faults(name, json.loads(body_of(path))) == []
    assert not refused(name, body_of(path))


@pytest.mark.parametrize(("name", "path"), paths(NAMES, "invalid"))
def test_an_invalid_example_is_refused_by_both(name: str, path: Path) -> None:
    found = faults(name, json.loads(body_of(path)))
    assert len({fault.partition(":")[0] for fault in found}) == 1, "one fault an example"
    assert refused(name, body_of(path))


@pytest.mark.parametrize("name", FEED_NAMES)
def test_a_feeds_example_lands_in_its_own_stream(name: str) -> None:
    wanted = {"purchase": {"purchase"}, "complaint": {"complaint"}, "contact": {"contact"}, "desk-step": {"desk_step"}}
    landed = set()
    for path in examples(name, "valid"):
        record: Any = intake(body_of(path))
        landed.add(record.__struct_config__.tag)
    assert landed == wanted.get(name, {"customer_fact", "firm_fact"})


@pytest.mark.parametrize(("name", "path"), paths(sorted(OWN), "valid"))
def test_a_valid_record_survives_the_program(name: str, path: Path) -> None:
    """What the program writes of an example again says the same, and is valid again."""
    record = msgspec.json.decode(body_of(path), type=OWN[name])
    again = json.loads(msgspec.json.encode(record))
    assert faults(name, again) == []
    assert holds(again, json.loads(body_of(path)))


def holds(whole: Json, part: Json) -> bool:
    """Whether all that `part` says is in `whole`, which may state defaults or leave them out."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name not in whole or holds(whole[name], value) for name, value in part.items())
    return bool(whole == part)


def test_the_raw_bytes_of_a_dead_letter_are_base64() -> None:
    [path] = [path for path in examples("dead-letter", "valid") if path.stem == "valid-not-text"]
    assert base64.b64decode(json.loads(body_of(path))["raw"]) == b"\xff\xfe\x80"


# ----------------------------------------------------------------------------- the same, with any value

NUMBERS = [0, 1, 2, 5, 6, -1, 0.5, 1.5, 10, 11, 256, 2**31, -(10**11)]
NUMBERS += [10**digits for digits in (9, 10, 11, 14, 16, 18)]
TEXTS = ["", "x", "x" * 256, "x" * 257, "客" * 100, "a\0b", "EUR", "eur", "JPYX", "XYZ", "purchase", "contact"]
TEXTS += ["outage", "opened", "in", "12.50", "-3", "1.", "NaN", "2026-01-31", "2026-02-30", "1969-12-31"]
TEXTS += ["2026-01-31T10:20:30Z", "2026-01-31t10:20:30z", "2026-01-31T25:00:00Z"]
TEXTS += ["EUR\n", "1_0", " 1 ", "1e3", "facts"]
VALUES: list[Json] = [None, True, False, *NUMBERS, *TEXTS, [], {}, ["x"], {"a": 1}, {"a": []}]
LENIENT = HEADS
"""Where the program takes more than is published: words in any case, and a mapping's own."""

OF_OTHERS = {"order_id", "complaint_id", "contact_id", "owner", "status", "severity", "direction"}
"""Members by which an event may become another stream's, for which its own schema does not speak."""

FEED_BASES = [(name, path) for name in FEED_NAMES for path in examples(name, "valid")]


def in_bytes(event: dict[str, Json]) -> bool:
    """Whether a text has more bytes than characters allow for: JSON Schema cannot count bytes."""
    texts = [value for value in event.values() if isinstance(value, str) and not value.isascii()]
    return any(len(text.encode()) > 256 for text in texts)


def needs_rate(event: dict[str, Json]) -> bool:
    code = event.get("currency")
    return isinstance(code, str) and len(code) == 3 and code.isalpha() and code.upper() not in {"EUR", "USD"}


@given(st.sampled_from(FEED_BASES), st.data())
def test_schema_and_intake_refuse_the_same(base: tuple[str, Path], data: st.DataObject) -> None:
    name, path = base
    event = json.loads(body_of(path))
    foreign = OF_OTHERS - set(event)
    published = set(event) | {"event_id", "kind", "stream", "extra", "currency", "text"} | foreign
    field = data.draw(st.sampled_from(sorted(published)), label="field")
    event[field] = data.draw(st.sampled_from(VALUES), label="value")
    assume(not in_bytes(event) and not needs_rate(event))
    body = json.dumps(event).encode()
    if field in LENIENT | foreign:
        assert faults(name, event) or not refused(name, body, AFTER_ALL)
    else:
        assert bool(faults(name, event)) == refused(name, body, AFTER_ALL), intake(body, AFTER_ALL)


def test_what_a_schema_cannot_say_intake_refuses() -> None:
    base = {"customer_id": "c-1", "occurred_at": "2026-01-31T10:20:30Z", "order_id": "客" * 100}
    assert faults("purchase", base) == []
    assert intake(json.dumps(base).encode()) == Refusal("id_too_long", "order_id", "more than 256 bytes")
    large = {**base, "order_id": "o-1", "notes": "x" * MAX_BODY}
    assert faults("purchase", large) == []
    assert intake(json.dumps(large).encode()) == Refusal("too_large", "", f"more than {MAX_BODY} bytes")
    ahead = {**base, "order_id": "o-1", "occurred_at": NOW + 301_000_000}
    assert faults("purchase", ahead) == []
    assert refused("purchase", json.dumps(ahead).encode())
