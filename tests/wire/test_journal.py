"""Journal records survive the way through bytes; what is no record is a value, not an exception."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.control import (
    ClockMode,
    Disposition,
    Handover,
    JournalRecord,
    ModelSnapshot,
    PolicyChange,
    Setup,
    Tick,
)
from streamproc.core.events import FirmFact
from streamproc.core.policy import Policy
from streamproc.testing.events import bought, complained, known, on, sent_back, touched
from streamproc.wire.journal import DecodeFailure, decode, encode

RECORDS: list[JournalRecord] = [
    bought(on(0), cost=3, list_amount=4, quantity=2.5, customer_kind="dealer", strategic=0.25),
    bought(on(0), None, cancelled=True, revision=2, currency="CNY"),
    sent_back(on(0)),
    complained(on(0), "reopened", severity=5, valid=False, category="质量"),
    touched(on(0), "out", purpose="retention", perceived=7.5, competitor=True),
    known(on(0), alias_of="d", do_not_contact=False),
    FirmFact(event_id="f", at=1, kind="currency_rate", subject="USD", value=0.9, detail={"a": None, "b": 1.5}),
    Setup(at=0, horizon_days=30, horizons={"dealer": 60}, currency="JPY"),
    ClockMode(at=5, mode="wall", live=True),
    Tick(at=7, progress={"purchases": 6}, stale=("contacts",), grades=(3, 2, -1)),
    ModelSnapshot(at=8, snapshot=msgspec.Raw(b'{"id":"x"}'), reason="pinned"),
    PolicyChange(at=9, policy=Policy(name="strict", raise_at=0.9, escalate_at=0.95)),
    Disposition(at=10, customer_id="c", warning_id="w-1", outcome="raised"),
    Handover(at=11, customer_id="new", alias="old", facts=b"\x00\xff"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)
def test_records_survive_the_way_through_bytes(record: JournalRecord) -> None:
    body = encode(record)
    again = decode(body)
    assert type(again) is type(record)
    assert encode(again) == body
    if not isinstance(record, ModelSnapshot):  # raw JSON is equal by its bytes alone
        assert again == record


def test_every_kind_of_record_has_its_own_tag() -> None:
    tags = [msgspec.json.decode(encode(record))["type"] for record in RECORDS]
    kinds = {type(record): tag for record, tag in zip(RECORDS, tags, strict=True)}
    assert len(set(kinds.values())) == len(kinds)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"type":"tock","at":1}', b'{"type":"tick"}', b'{"type":"tick","at":"now"}', b"\xff\xfe",
        b'{"type":"purchase","event_id":"e","customer_id":"\xff","at":1,"order_id":"o"}', b'{"type":"tick","at":1}x',
    ],
)  # fmt: skip
def test_what_is_no_record_is_told_with_its_bytes_and_the_reason(body: bytes) -> None:
    failure = decode(body)
    assert isinstance(failure, DecodeFailure)
    assert failure.body == body
    assert failure.why


@given(st.binary(max_size=60))
def test_no_bytes_raise(body: bytes) -> None:
    decode(body)


def test_what_an_older_program_left_out_has_its_plain_value() -> None:
    record = decode(b'{"type":"purchase","event_id":"e","customer_id":"c","at":1,"order_id":"o"}')
    assert record == bought(1, None, event_id="e", order_id="o")
