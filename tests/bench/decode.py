"""Decoding: the bare loop that all else is compared with, journal records, the feed through intake."""

from collections.abc import Iterator

import msgspec

from streamproc.core.events import CustomerEvent
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.wire import journal
from tests.bench.harness import Figure, an_event, least_cpu
from tests.bench.shop import Material


def bare_loop(lines: list[bytes]) -> None:
    """The least that anything in Python does with such lines: decode each, touch something of its customer."""
    decoder: msgspec.json.Decoder[CustomerEvent] = msgspec.json.Decoder(CustomerEvent)
    last: dict[str, int] = {}
    for line in lines:
        event = decoder.decode(line)
        last[event.customer_id] = event.at


def decode(material: Material) -> Iterator[Figure]:
    """Journal records as a replay reads them; feed lines as `run` reads them."""
    lines, feed = material.lines, material.feed

    def records() -> None:
        for line in lines:
            journal.decode(line)

    def intake() -> None:
        takes = Intake(Rates(material.shop.currency))
        now = material.shop.ends
        for row, event in enumerate(feed, 1):
            takes.take(event.line, Position(event.stream, row), now)

    yield an_event("journal record", least_cpu(records), len(lines))
    yield an_event("feed line through intake", least_cpu(intake), len(feed))
