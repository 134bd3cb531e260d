import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.adapters.sources import SourceError, open_sources, sorted_items
from streamproc.adapters.sources.spill import FAN_IN, Key, external_sort
from streamproc.intake.rates import Rates
from tests.adapters.sources.kit import HEADER, NOW, purchases, read, refusals, reopen, source

keys = st.lists(
    st.tuples(
        st.integers(-5, 5), st.integers(0, 1), st.integers(0, 2**40), st.integers(0, 2**40), st.binary(max_size=9)
    ),
    max_size=60,
)


@given(keys, st.integers(1, 5000))
def test_sorting_outside_memory_is_sorting(records: list[Key], run_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = list(external_sort(records, Path(folder), run_bytes))
    assert sorted(found) == sorted(records)
    assert [key[:3] for key in found] == sorted(key[:3] for key in records)


def test_more_runs_than_can_be_open_at_once_are_merged_in_passes(tmp_path: Path) -> None:
    records: list[Key] = [(number * 7919 % 1009, 1, number, 0, b"") for number in range(FAN_IN * 3)]
    assert list(external_sort(records, tmp_path, 1)) == sorted(records)


@pytest.mark.parametrize("run_bytes", [1, 2000, 1 << 20])
@given(days=st.lists(st.integers(1, 28), max_size=30), bad=st.integers(0, 30))
def test_any_order_of_a_file_gives_the_same_events(run_bytes: int, days: list[int], bad: int) -> None:
    rows = [f"c{number},2020-01-{day:02d},purchase,{number}.00,r\n" for number, day in enumerate(days)]
    rows.insert(bad % (len(rows) + 1), "c,never,purchase,1,r\n")
    with tempfile.TemporaryDirectory() as folder:
        items = read(source(Path(folder) / "a.csv", HEADER + "".join(rows)), run_bytes=run_bytes)
    assert len(refusals(items)) == 1
    taken = purchases(items)
    assert [event.at for event in taken] == sorted(event.at for event in taken)
    assert sorted(item.position.row for item in items) == list(range(1, len(rows) + 1))
    for item in items:
        assert item.raw.decode() + "\n" == rows[item.position.row - 1]


def test_memory_makes_no_difference(tmp_path: Path) -> None:
    rows = "".join(f"c{number % 7},2020-01-{number * 5 % 28 + 1:02d},purchase,{number}.00,r\n" for number in range(500))
    source(tmp_path / "a.csv", HEADER + rows)
    kept, spilled = (read(reopen(tmp_path / "a.csv"), run_bytes=size) for size in (1 << 30, 1000))
    assert kept == spilled


def test_a_large_file_in_order_is_read_twice_and_not_sorted(tmp_path: Path) -> None:
    rows = "".join(f"c,2020-01-{number // 20 + 1:02d},purchase,{number}.00,r\n" for number in range(500))
    opened = source(tmp_path / "a.csv", HEADER + rows)
    phases: list[str] = []
    done: list[tuple[int, int]] = []

    def progress(phase: str, read: int, size: int) -> None:
        phases.append(phase)
        done.append((read, size))

    assert len(list(sorted_items([opened], NOW, progress=progress, run_bytes=1000))) == 500
    assert set(phases) == {"check", "read"}
    assert done[-1][0] == done[-1][1] == (tmp_path / "a.csv").stat().st_size


def test_several_files_are_merged_by_time_and_rates_hold_from_their_day(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.csv").write_text(
        "customer,date,amount,currency\na,2020-01-01,1,USD\na,2020-01-02,1,USD\nb,2020-01-03,1,USD\n"
    )
    (tmp_path / "b" / "a.csv").write_text("customer,date,amount\nc,2020-01-02,1\n")
    (tmp_path / "facts.jsonl").write_text(
        '{"fact":"currency_rate","subject":"USD","value":0.9,"occurred_at":"2020-01-02"}\n'
        '{"fact":"currency_rate","subject":"USD","value":0.8,"occurred_at":"2020-01-03"}\n'
    )
    paths = [tmp_path / "a.csv", tmp_path / "b" / "a.csv", tmp_path / "facts.jsonl"]
    items = read(*open_sources(paths, Rates("EUR")))
    assert [(item.position.source, item.position.row) for item in items] == [
        ("a.csv", 1),
        ("facts.jsonl", 1),
        ("a.csv", 2),
        ("a.csv~2", 1),
        ("facts.jsonl", 2),
        ("a.csv", 3),
    ]
    assert [refusal.reason for refusal in refusals(items)] == ["no_rate"]
    assert [event.amount for event in purchases(items)] == [90, 100, 80]


def test_a_fact_after_the_events_of_its_day_in_one_file_comes_before_them(tmp_path: Path) -> None:
    text = (
        '{"event_id":"e","customer_id":"c","occurred_at":"2020-01-01","order_id":"o","amount":1,"currency":"USD"}\n'
        '{"fact":"currency_rate","subject":"USD","value":0.5,"occurred_at":"2020-01-01"}\n'
    )
    assert purchases(read(source(tmp_path / "a.jsonl", text)))[0].amount == 50


def test_a_longer_export_gives_what_the_shorter_gave_and_more(tmp_path: Path) -> None:
    rows = [f"c{number % 3},2020-01-{number // 4 + 1:02d},purchase,1.00,\n" for number in range(40)]
    short = purchases(read(source(tmp_path / "short.csv", HEADER + "".join(rows[:21]))))
    long = purchases(read(source(tmp_path / "long.csv", HEADER + "".join(reversed(rows)))))
    assert len({event.event_id for event in long}) == 40
    assert {event.event_id for event in short} < {event.event_id for event in long}


def test_no_room_to_sort_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"c,2020-01-{28 - number % 28:02d},purchase,1,r\n" for number in range(200))
    opened = source(tmp_path / "a.csv", HEADER + rows)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="TMPDIR"):
        read(opened, run_bytes=100)
