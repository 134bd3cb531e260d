"""The feed's lines as the warnings topic holds them, and the warnings that they come to."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import asdict, replace

from streamproc.adapters.kafka.desk import TICK_HEADER
from streamproc.adapters.kafka.reading import Span, Topics, header
from streamproc.adapters.kafka.transactions import Record
from streamproc.desk.feed import OPEN_STATES, Counts, Order, line_in, rank
from streamproc.desk.forgetting import is_farewell
from streamproc.desk.report import Current, WarningNow
from streamproc.desk.warning import Entry

LOOK_AGAIN = 0.2
"""Seconds between two looks whether the topic goes on."""


class Line(NamedTuple):
    """A line of the feed: the tick (µs) that brought it, and its JSON."""

    tick: int
    body: bytes


class TopicFeed:
    """The warnings topic. Every question reads it from its beginning; errors are kafka-python's."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._topic = topics.names.warnings

    def warnings(
        self,
        *,
        open_only: bool = False,
        customers: Iterable[str] | None = None,
        limit: int | None = None,
        order: Order = "newest_first",
    ) -> list[WarningNow]:
        """Warnings as they stand: open ones, of some customers, at most `limit`."""
        found: dict[str, WarningNow] = {}
        for entry in self._entries(customers):
            if entry.warning is not None:
                found[entry.warning_id] = _raised(entry)
            elif is_farewell(entry):
                found = {name: told for name, told in found.items() if told.customer_id != entry.customer_id}
            elif entry.warning_id in found:
                found[entry.warning_id] = _gone_on(found[entry.warning_id], entry)
        wanted = [warning for warning in found.values() if not open_only or warning.state in OPEN_STATES]
        return sorted(wanted, key=lambda warning: rank(warning, order), reverse=True)[:limit]

    def counts(self) -> Counts:
        """How many warnings stand how, of all that ever were."""
        standing = self.warnings()
        return Counts(
            states=Counter(warning.state for warning in standing),
            verdicts=Counter("right" if w.verdict else "wrong" for w in standing if w.verdict is not None),
            open_by_severity=Counter(w.current.severity for w in standing if w.state in OPEN_STATES),
        )

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning, from the one that raised it on."""
        return tuple(entry for entry in self._entries(None) if entry.warning_id == warning_id)

    def told(self) -> Iterator[Entry]:
        """The lines there are, from the first on."""
        return self._entries(None)

    def lines(self) -> "Lines":
        """The lines one by one."""
        return Lines(self._topics, self._topic)

    def news(self) -> Iterator[Entry]:
        """The lines from this moment on, as they are committed; it never ends."""
        end = self._topics.spans(self._topic)[0].end
        entries = (line_in(record.value) for _, record in self._topics.follow(self._topic, {0: end}))
        return (entry for entry in entries if entry is not None)

    def _entries(self, customers: Iterable[str] | None) -> Iterator[Entry]:
        keys = None if customers is None else {customer_id.encode() for customer_id in customers}
        for record in self._topics.read(self._topic).records(0):
            entry = line_in(record.value) if keys is None or record.key in keys else None
            if entry is not None:
                yield entry


class Lines:
    """The topic's lines in order, also those that are written while they are read."""

    def __init__(self, topics: Topics, topic: str) -> None:
        self._topics = topics
        self._topic = topic
        self._read = 0
        self._more: Iterator[Record] = iter(())

    def next(self, wait: float) -> Line | None:
        """The next line; None where none comes within so many seconds."""
        until = time.monotonic() + wait
        while True:
            record = next(self._more, None)
            if record is not None:
                tick = header(record.headers, TICK_HEADER)
                return Line(int(tick), record.value or b"")
            span = self._topics.spans(self._topic)[0]
            if span.end > self._read:
                spans = {0: Span(max(span.begin, self._read), span.end)}
                self._more, self._read = self._topics.between(self._topic, spans).records(0), span.end
            elif time.monotonic() > until:
                return None
            else:
                time.sleep(LOOK_AGAIN)


def _raised(entry: Entry) -> WarningNow:
    told = entry.warning
    assert told is not None
    probability = None if told.risk is None else told.risk.probability
    current = Current(severity=told.severity, probability=probability, expected_loss=told.value.expected_loss)
    return WarningNow(**asdict(told), state="raised", updated_at=told.raised_at, current=current)


def _gone_on(warning: WarningNow, entry: Entry) -> WarningNow:
    if entry.kind == "verdict":
        return replace(warning, verdict=entry.right, updated_at=entry.at)
    if entry.care is not None:
        return replace(warning, care=entry.care, updated_at=entry.at)
    news = {"severity": entry.severity, "probability": entry.probability, "expected_loss": entry.expected_loss}
    current = replace(warning.current, **{name: value for name, value in news.items() if value is not None})
    return replace(warning, state=entry.kind, updated_at=entry.at, current=current)
