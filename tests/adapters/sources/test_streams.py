import io
import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.adapters.sources import Item, Pipe, SourceError, StreamSource
from streamproc.core.events import Purchase
from streamproc.core.time import DAY
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal
from tests.adapters.sources.kit import HEADER, NOW, ROWS, mapping, purchases, refusals


def stream(content: bytes, toml: str = "") -> StreamSource:
    return StreamSource(io.BytesIO(content), Rates("EUR"), mapping=mapping(toml))


def read(source: StreamSource) -> list[Item]:
    return list(source.items(lambda: NOW))


def test_a_table_comes_as_it_comes_and_its_disorder_is_told() -> None:
    source = stream((HEADER + "".join(ROWS)).encode())
    items = read(source)
    assert [item.position.row for item in items] == [1, 2, 3, 4]
    assert [item.raw.decode() + "\n" for item in items] == ROWS
    assert source.disorder == 2 * DAY
    assert source.description[0] == "customer_id → customer_id"
    assert [event.event_id[-2:] for event in purchases(items)] == ["-1", "-1", "-1", "-2"]


def test_json_lines_come_as_they_come() -> None:
    line = b'{"event_id":"e","customer_id":"c","occurred_at":"2020-01-01","order_id":"o"}'
    source = stream(b"\n" + line + b"\r\n\n{\n" + line)
    items = read(source)
    assert [type(item.outcome) for item in items] == [Purchase, Refusal, Purchase]
    assert [item.position.offset for item in items] == [1, len(line) + 4, len(line) + 6]
    assert source.description == ["JSON Lines: our field names"]
    assert source.disorder == 0


def test_a_record_is_there_before_the_next_is_written() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.written = [b"customer,date\n", b"a,2020-01-01\n", b"b,2020-01-01\n"]
            self.asked = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            self.asked += 1
            line = self.written.pop(0) if self.written else b""
            buffer[: len(line)] = line
            return len(line)

    pipe = Pipe()
    items = StreamSource(io.BufferedReader(pipe), Rates("EUR")).items(lambda: NOW)
    assert isinstance(next(items).outcome, Purchase)
    assert pipe.asked == 2


def test_the_clock_is_read_at_each_record() -> None:
    ticks = iter([NOW, NOW + 2 * DAY])
    line = b'{"event_id":"e","customer_id":"c","occurred_at":%d,"order_id":"o"}\n' % ((NOW + DAY) // 1_000_000)
    items = list(stream(line * 2).items(lambda: next(ticks)))
    assert [refusal.reason for refusal in refusals(items)] == ["in_future"]
    assert len(items) == 2


def test_skipped_kinds_are_left_out() -> None:
    source = stream((HEADER + "".join(ROWS)).encode(), 'skip = ["return"]')
    assert [item.position.row for item in read(source)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("content", "toml", "says"),
    [
        (b"", "", "empty"),
        (b"\n", "", "empty"),
        (b"\x1f\x8b\x08\x00rest", "", "zcat"),
        (b"a,b\n", "", "customer_id"),
        (b"[{}]", "", "jq"),
        (b"customer,date\n", 'orders = "sum"', "file"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(content: bytes, toml: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        stream(content, toml)


def test_a_stream_that_breaks_is_an_error_after_what_came() -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            if not line:
                raise OSError(5, "Input/output error")
            return line

    source = StreamSource(Broken(b"customer,date\na,2020-01-01\n"), Rates("EUR"), mapping=Mapping())
    items = source.items(lambda: NOW)
    assert isinstance(next(items).outcome, Purchase)
    with pytest.raises(SourceError, match="stdin: reading failed"):
        next(items)


GOOD = b'{"event_id":"e","customer_id":"c","occurred_at":"2020-01-01T00:00:00Z","order_id":"o","amount":1.5}'


@given(st.lists(st.binary(max_size=60) | st.just(GOOD), max_size=20))
def test_every_refused_line_keeps_its_bytes_and_nothing_else_is_refused(lines: list[bytes]) -> None:
    lines = [line for line in (line.replace(b"\n", b"") for line in lines) if line.strip()]
    items = read(stream(b"\n".join([GOOD, *lines])))[1:]
    assert [item.raw for item in items] == lines
    for item in items:
        if item.raw == GOOD:
            assert isinstance(item.outcome, Purchase)
        else:
            assert isinstance(item.outcome, Refusal)
        msgspec.json.encode(item.outcome)


def test_ids_of_events_without_one_are_the_same_the_next_time() -> None:
    lines = [json.dumps({"customer_id": "c", "occurred_at": f"2020-01-0{day}", "order_id": "o"}) for day in (1, 2, 1)]
    content = "\n".join(lines).encode()
    first, again = (purchases(read(stream(content))) for _ in range(2))
    assert [event.event_id for event in first] == [event.event_id for event in again]
    assert len({event.event_id for event in first}) == 3


def test_a_pipe_says_that_it_waits_once_all_that_came_is_used() -> None:
    reading, writing = os.pipe()
    chunks = [b"a,2020-01-01\nb,2020-01-01\nc,2020", b"-01-01\n", b"d,2020-01-01\n"]
    seen, at_each_wait = list[Item](), list[int]()

    def idle() -> None:
        at_each_wait.append(len(seen))
        if chunks:
            os.write(writing, chunks.pop(0))
        else:
            os.close(writing)

    os.write(writing, b"customer,date\n")
    for item in StreamSource(io.BufferedReader(Pipe(reading, idle)), Rates("EUR")).items(lambda: NOW):
        seen.append(item)
    os.close(reading)
    assert [event.customer_id for event in purchases(seen)] == ["a", "b", "c", "d"]
    assert at_each_wait == [0, 2, 3, 4]


def test_a_file_never_waits(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("customer,date\n" + "a,2020-01-01\n" * 20_000, encoding="utf-8")
    with path.open("rb") as file:
        pipe = Pipe(file.fileno(), lambda: pytest.fail("nothing to wait for"))
        assert len(read(StreamSource(io.BufferedReader(pipe), Rates("EUR")))) == 20_000
        assert not file.closed


def test_a_closed_input_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    with pytest.raises(SourceError, match="stdin cannot be read: Bad file descriptor"):
        Pipe(reading, lambda: None)
