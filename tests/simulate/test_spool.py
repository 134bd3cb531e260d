from hypothesis import given
from hypothesis import strategies as st

from streamproc.simulate.records import HEAD_LENGTH, clock_text, entry, entry_at, entry_stream, members, money_text
from streamproc.simulate.spool import Spool

ENDS = 1_000_000
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12)
ENTRIES = st.lists(st.builds(entry, st.integers(0, ENDS - 1), st.integers(0, 4), LINES))


@given(st.lists(ENTRIES, max_size=12), st.integers(0, 40))
def test_whatever_goes_to_disk_comes_back_sorted(batches: list[list[bytes]], held: int) -> None:
    with Spool(0, ENDS, held) as spool:
        for batch in batches:
            spool.take(batch)
        assert list(spool.give()) == sorted(packed for batch in batches for packed in batch)
        assert list(spool.give()) == []


def test_leaving_early_is_no_harm() -> None:
    with Spool(0, ENDS, held=1) as spool:
        spool.take([entry(at, 0, "{}") for at in range(0, ENDS, 1000)])
        assert entry_at(next(spool.give())) == 0


@given(st.integers(0, 10**17), LINES)
def test_an_entry_keeps_time_stream_and_line(at: int, line: str) -> None:
    packed = entry(at, 2, line)
    assert (entry_at(packed), entry_stream(packed), packed[HEAD_LENGTH:].decode()) == (at, "contacts", line)


@given(st.integers(0, 10**16), st.integers(0, 10**16))
def test_entries_sort_by_time(first: int, second: int) -> None:
    assert (entry(first, 1, "b") < entry(second, 0, "a")) == (first < second)


def test_texts_of_values() -> None:
    assert money_text(1999) == "19.99"
    assert money_text(-5) == "-0.05"
    assert clock_text(1_704_067_199_999_999) == "2023-12-31T23:59:59Z"
    assert members(a=1, b=None, c="x", d=False, e=0.5) == ',"a":1,"c":"x","d":false,"e":0.5'
