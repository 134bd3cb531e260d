"""What happens to a feed on its way: repeats, late arrivals, lines no reader can accept."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple

from streamproc.core.time import SECOND
from streamproc.simulate.records import Stream
from streamproc.simulate.shop import Dirt, dice


class SimEvent(NamedTuple):
    """One line of a feed. `at` (µs) is when it happened, for poison when it arrives; `line` has no newline.

    `fault` says what was done to it: "" nothing, "duplicate", "late", or, for poison, one of `POISONS`.
    """

    stream: Stream
    at: int
    line: bytes
    fault: str = ""


DUPLICATE: Final = "duplicate"
LATE: Final = "late"


def soil(events: Iterable[SimEvent], dirt: Dirt, seed: int) -> Iterator[SimEvent]:
    """The same events, in order of arrival, with duplicates and poison added. Memory: what is on its way."""
    rng = dice(seed, "dirt")
    on_the_way: list[tuple[int, int, SimEvent]] = []
    number = 0
    for event in events:
        if event.stream == "truth":  # not a feed
            yield event
            continue
        while on_the_way and on_the_way[0][0] <= event.at:
            yield heappop(on_the_way)[2]
        for later, extra in _arrivals(event, dirt, rng):
            number += 1
            heappush(on_the_way, (event.at + later, number, extra))
    while on_the_way:
        yield heappop(on_the_way)[2]


def _arrivals(event: SimEvent, dirt: Dirt, rng: Random) -> Iterator[tuple[int, SimEvent]]:
    """What arrives for one event: how much later (µs), and what. The event itself always does, once."""
    delay = 0
    if rng.random() < dirt.disorder:
        delay = rng.randrange(1, dirt.lateness_s + 1) * SECOND
        event = event._replace(fault=LATE)
    yield delay, event
    if rng.random() < dirt.duplicates:
        again = delay + rng.randrange(dirt.lateness_s + 1 - delay // SECOND) * SECOND
        yield again, event._replace(fault=DUPLICATE)
    if rng.random() < dirt.poison:
        name = rng.choice(POISONS)
        yield 0, SimEvent(event.stream, event.at, _POISON[name](event, rng), name)


def is_poison(event: SimEvent) -> bool:
    """Whether no reader may accept the line."""
    return event.fault in _POISON


def _member(line: bytes, name: str) -> tuple[int, int]:
    """Where the value of a member whose value is a text or a plain number begins and ends."""
    start = line.index(f'"{name}":'.encode()) + len(name) + 3
    if line[start] == ord('"'):
        return start, line.index(b'"', start + 1) + 1
    return start, min(place for mark in (b",", b"}") if (place := line.find(mark, start)) >= 0)


def _set(line: bytes, name: str, value: bytes) -> bytes:
    start, end = _member(line, name)
    return line[:start] + value + line[end:]


def _drop(line: bytes, name: str) -> bytes:
    start, end = _member(line, name)
    return line[: start - len(name) - 3] + line[end + 1 :]


# The member whose loss or nonsense makes a line of the stream unreadable.
_KEY: Final[dict[Stream, str]] = {
    "purchases": "amount", "complaints": "status", "contacts": "direction", "facts": "event_id"
}  # fmt: skip
_KIND: Final[dict[Stream, str]] = {"complaints": "status", "contacts": "direction"}


def _cut(event: SimEvent, rng: Random) -> bytes:
    return event.line[: rng.randrange(1, len(event.line))]


def _not_a_number(event: SimEvent, rng: Random) -> bytes:
    value = rng.choice((b"NaN", b"Infinity", b"-Infinity", b"1e999"))
    return _set(event.line, _KEY[event.stream], value)


def _wrong_type(event: SimEvent, rng: Random) -> bytes:
    name = rng.choice(("occurred_at", _KEY[event.stream]))
    return _set(event.line, name, rng.choice((b'{"v":1}', b"[]", b"true")))


def _missing(event: SimEvent, _rng: Random) -> bytes:
    return _drop(event.line, "occurred_at")


def _unknown_kind(event: SimEvent, _rng: Random) -> bytes:
    if b'"fact":' in event.line:
        return _set(event.line, "fact", b'"weather"')
    if event.stream in _KIND:
        return _set(event.line, _KIND[event.stream], b'"exploded"')
    return event.line[:-1] + b',"customer_kind":"martian"}'


def _long_id(event: SimEvent, rng: Random) -> bytes:
    # 100 characters of three bytes each are over 256 bytes too.
    value = rng.choice(("x" * 257, "客" * 100))
    return _set(event.line, "event_id", f'"{value}"'.encode())


_POISON: Final[dict[str, Callable[[SimEvent, Random], bytes]]] = {
    "not_json": lambda _event, rng: rng.choice((b"not json", b"{", b"{'event_id': 1}", b'{"event_id" "e1"}')),
    "not_object": lambda _event, rng: rng.choice((b"[]", b"17", b'"text"', b"null", b"true")),
    "not_utf8": lambda event, _rng: _set(event.line, "event_id", b'"\xff\xfe\x80"'),
    "cut": _cut,
    "not_a_number": _not_a_number,
    "wrong_type": _wrong_type,
    "missing": _missing,
    "unknown_kind": _unknown_kind,
    "long_id": _long_id,
    "year_1890": lambda event, _rng: _set(event.line, "occurred_at", b'"1890-05-01T12:00:00Z"'),
    "year_2999": lambda event, _rng: _set(event.line, "occurred_at", b'"2999-05-01T12:00:00Z"'),
    "no_time": lambda event, _rng: _set(event.line, "occurred_at", b'"yesterday"'),
}
POISONS: Final = tuple(_POISON)
"""The ways in which a line is unreadable."""
