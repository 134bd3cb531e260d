"""Where an event came from is kept in the journal: what its producer says, else the place it was read from."""

from typing import cast

import msgspec
import pytest

from streamproc.adapters.kafka.intake import SOURCE_CHARACTERS, IntakeProcessor
from streamproc.adapters.kafka.transactions import Record
from streamproc.core.turns import whole
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from tests.adapters.kafka.simulated import NAMES

LINE = msgspec.json.encode({"customer_id": "c", "occurred_at": "2025-01-01T00:00:00Z", "order_id": "o", "amount": 5})


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ((), "purchases/1"),
        ((("ce_source", b"orders.csv"),), "orders.csv"),
        ((("ce_source", b""),), "purchases/1"),
        ((("ce_source", b"x" * 999),), "x" * SOURCE_CHARACTERS),
        ((("ce_source", b"\xff\xfe"),), "\ufffd\ufffd"),
    ],
)
def test_a_record_names_its_source(said: tuple[tuple[str, bytes], ...], kept: str) -> None:
    processor = IntakeProcessor(("purchases", 1), NAMES, 3, Intake(Rates("EUR")), lambda: 1_800_000_000_000_000)
    writes = whole(processor.process([Record(7, None, LINE, said, 0)]))
    [event] = [o for o in writes.outputs if o.topic == NAMES.journal]
    told = msgspec.json.decode(cast("bytes", event.value))
    assert (told["source"], told["event_id"]) == (kept, "purchases/1/7")
