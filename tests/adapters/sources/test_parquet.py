import builtins
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from streamproc.adapters.sources import SourceError, sorted_items
from streamproc.core.time import DAY, SECOND
from tests.adapters.sources.kit import HEADER, NOW, ROWS, purchases, read, refusals, reopen, source


def write(path: Path, columns: dict[str, object]) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_a_table_gives_the_same_events_as_its_csv(tmp_path: Path) -> None:
    cells = [row.strip().split(",") for row in ROWS]
    names = HEADER.strip().split(",")
    path = write(tmp_path / "a.parquet", {name: [row[at] for row in cells] for at, name in enumerate(names)})
    items = read(reopen(path))
    plain = read(source(tmp_path / "a.csv", HEADER + "".join(ROWS)))
    assert [event.event_id for event in purchases(items)] == [event.event_id for event in purchases(plain)]
    assert items[0].raw == b'["b","2020-01-01","purchase","1.00","r1"]'
    assert [item.position.row for item in items] == [2, 4, 3, 1]


def test_typed_columns_are_read_exactly(tmp_path: Path) -> None:
    noon = datetime(2020, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    path = write(
        tmp_path / "a.parquet",
        {
            "customer_id": pa.array([7, 8, 9]),
            "ts": pa.array([noon, noon, None], pa.timestamp("ns", tz="Asia/Shanghai")),
            "amount": pa.array([Decimal("12.30"), None, Decimal("1.00")]),
            "cost": pa.array([0.1, None, None]),
            "cancelled": pa.array([True, False, None]),
            "contract_until": pa.array([date(2030, 1, 1), None, None]),
            "region": pa.array([b"north", None, b"\xff"]),
        },
    )
    items = read(reopen(path))
    first, second = purchases(items)
    assert (first.customer_id, first.at, first.amount, first.cost) == (
        "7",
        18_262 * DAY + 43_200 * SECOND + 1,
        1230,
        10,
    )
    assert (first.cancelled, first.contract_until, first.region) == (True, 21_915 * DAY, "north")
    assert (second.amount, second.cancelled, second.region) == (None, False, None)
    assert [refusal.field for refusal in refusals(items)] == ["occurred_at"]


def test_a_large_table_is_sorted_and_its_progress_told(tmp_path: Path) -> None:
    days = [f"2020-01-{number * 5 % 28 + 1:02d}" for number in range(9000)]
    path = write(tmp_path / "a.parquet", {"customer": [str(number) for number in range(9000)], "date": days})
    seen: list[tuple[str, int, int]] = []
    items = list(sorted_items([reopen(path)], NOW, progress=lambda *told: seen.append(told), run_bytes=10_000))
    assert [event.at for event in purchases(items)] == sorted(event.at for event in purchases(items))
    assert len(items) == 9000
    assert {phase for phase, _, _ in seen} == {"check", "sort"}
    assert seen[-1][1] == seen[-1][2] == path.stat().st_size


def test_a_damaged_table_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        source(tmp_path / "a.parquet", b"PAR1 nothing of the kind")
    path = write(tmp_path / "b.parquet", {"customer": [f"c{n}" for n in range(5000)], "date": ["2020-01-01"] * 5000})
    content = bytearray(path.read_bytes())
    content[100:600] = bytes(500)
    with pytest.raises(SourceError, match=r"b\.parquet"):
        read(source(path, bytes(content)))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", {"customer": ["a"], "date": ["2020-01-01"]})
    real = builtins.__import__

    def absent(name: str, *rest: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(SourceError, match="pip install pyarrow"):
        reopen(path)
