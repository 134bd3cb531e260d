from collections import Counter
from typing import cast

import pytest
from msgspec.structs import replace

from streamproc.core.events import (
    Complaint,
    ComplaintStatus,
    Contact,
    CustomerEvent,
    CustomerFact,
    DeskStep,
    FirmFact,
    Purchase,
)
from streamproc.core.time import HOUR
from streamproc.monitor.counts import category_code, feed_of, stream_of, tally
from streamproc.monitor.effects import ComplaintHeard

PURCHASE = Purchase(event_id="e", customer_id="c", at=1, order_id="o")


@pytest.mark.parametrize(
    ("event", "stream", "feed"),
    [
        (PURCHASE, "purchase", "purchases"),
        (replace(PURCHASE, returned=True), "return", "purchases"),
        (Complaint(event_id="e", customer_id="c", at=1, complaint_id="k", status="opened"), "complaint", "complaints"),
        (Contact(event_id="e", customer_id="c", at=1, contact_id="t", direction="in"), "contact", "contacts"),
        (CustomerFact(event_id="e", customer_id="c", at=1), "fact", "facts"),
        (FirmFact(event_id="e", at=1, kind="outage"), "fact", "facts"),
        (DeskStep(event_id="e", customer_id="c", at=1, action="claim", by="Li"), "deskstep", "desk"),
    ],
)
def test_an_event_is_counted_under_its_stream_and_its_feed(
    event: CustomerEvent | FirmFact, stream: str, feed: str
) -> None:
    assert (stream_of(event), feed_of(event)) == (stream, feed)


@pytest.mark.parametrize(
    ("category", "code"), [(None, "unknown"), ("quality", "quality"), ("a feed's own word, of any length", "other")]
)
def test_a_feed_s_own_word_is_no_label(category: str | None, code: str) -> None:
    assert category_code(category) == code


def test_a_complaint_s_answers_are_summed_up_in_seconds() -> None:
    counts = Counter[tuple[str, str]]()
    for status, after in (("opened", 0), ("acknowledged", 2 * HOUR), ("resolved", 0), ("withdrawn", HOUR)):
        tally(counts, ComplaintHeard("c", cast("ComplaintStatus", status), "price", after))
    assert counts == {
        ("complaints", "opened>price"): 1,
        ("complaints", "acknowledged>price"): 1,
        ("complaints", "resolved>price"): 1,
        ("complaints", "withdrawn>price"): 1,
        ("complaint_seconds", "acknowledged>price"): 7_200,
        ("complaint_seconds", "resolved>price"): 0,
    }
