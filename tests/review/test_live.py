"""Where the data ends and the wall clock begins: what lies between is history, and nothing is made late."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.runner import Arrival, Runner, Taken
from streamproc.adapters.embedded.schema import connect
from streamproc.cli import run
from streamproc.cli.common import wall
from streamproc.cli.session import Session
from streamproc.config import Settings
from streamproc.core.time import HOUR
from tests.adapters.embedded.folder import contents

NOW = datetime(2026, 3, 10, 10, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamproc.cli.session.signal.signal", lambda *_: None)


@contextmanager
def session_on(folder: Path, **policy: float) -> Iterator[Session]:
    settings = Settings(data=folder, listen="off", horizon_days=60, policy=dict(policy))
    with closing(connect(folder)) as db:
        yield Session(db, settings, Console(file=StringIO()))


def ran(session: Session, file: Path, *, live: bool = False) -> None:
    run._run(session, [str(file)], None, demo_shop=False, live=live, leave=True)


def orders(file: Path, until: datetime, *, days: int = 300) -> Path:
    """Forty customers who buy every ten days or so, some of whom stop, the last order at `until`."""
    rows = [(until, 0)]
    for n in range(40):
        gap, stops = 4 + n % 13, n % 4 * 12
        steps = range(days // gap)
        rows += [(until - timedelta(days=i * gap + stops, hours=n), n) for i in steps if i * gap + stops > 0]
    lines = [f"c{n},{at.isoformat()},purchase,10,o{i}" for i, (at, n) in enumerate(sorted(rows))]
    file.write_text("\n".join(["customer_id,ts,kind,amount,ref", *lines]) + "\n", encoding="utf-8")
    return file


def at_the_wall(monkeypatch: pytest.MonkeyPatch, when: datetime) -> int:
    now = round(when.timestamp() * 1_000_000)
    monkeypatch.setattr(run, "wall", lambda: now)
    return now


def test_what_is_warned_of_between_the_data_s_end_and_now_is_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = orders(tmp_path / "orders.csv", NOW - timedelta(hours=70))
    at_the_wall(monkeypatch, NOW)
    with session_on(tmp_path / "data", raise_at=0.0, clear_at=0.0, cooldown_days=0) as session:
        ran(session, file, live=True)
        assert (session.runner.progress.mode, session.runner.progress.live) == ("wall", True)
    with closing(connect(tmp_path / "data", readonly=True)) as db:
        entries = [entry for _, entry in feed.lines(db)]
    gap = [entry for entry in entries if entry.at > (NOW - timedelta(hours=70)).isoformat()]
    assert gap
    assert all(entry.history for entry in gap)


def test_going_live_leaves_time_at_the_wall_clock_not_at_the_next_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = orders(tmp_path / "orders.csv", NOW - timedelta(minutes=5), days=60)
    now = at_the_wall(monkeypatch, NOW)
    with session_on(tmp_path / "data") as session:
        ran(session, file, live=True)
        assert now - HOUR < session.runner.progress.clock <= now
        assert session.runner.pipeline.next_work() is not None
        assert not contents(tmp_path / "data", ["waiting"])["waiting"]


def test_a_run_stopped_while_it_reads_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"c{n},{(NOW + timedelta(minutes=9 * n)).isoformat()},purchase,10,o{n}" for n in range(60)]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(["customer_id,ts,kind,amount,ref", *lines]) + "\n", encoding="utf-8")
    with session_on(tmp_path / "clean") as session:
        ran(session, file)
    take = Runner.take
    monkeypatch.setattr(run, "BATCH", 7)
    with session_on(tmp_path / "stopped") as session:

        def take_and_ask(self: Runner, arrivals: Sequence[Arrival]) -> Taken:
            session.stop.asked.set()
            return take(self, arrivals)

        monkeypatch.setattr(Runner, "take", take_and_ask)
        ran(session, file)
    monkeypatch.setattr(Runner, "take", take)
    with session_on(tmp_path / "stopped") as session:
        assert session.runner.progress.clock < wall()
        ran(session, file)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "clean")


def test_a_later_export_reaches_a_folder_whose_time_goes_by_the_wall_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_wall(monkeypatch, NOW)
    with session_on(tmp_path / "data") as session:
        ran(session, orders(tmp_path / "one.csv", NOW - timedelta(hours=2), days=60), live=True)
    now = at_the_wall(monkeypatch, NOW + timedelta(days=2))
    with session_on(tmp_path / "data") as session:
        ran(session, orders(tmp_path / "two.csv", NOW + timedelta(days=1), days=20))
        assert now - HOUR * 24 < session.runner.progress.clock <= now
    assert not contents(tmp_path / "data", ["waiting"])["waiting"]


def test_a_past_on_standard_input_is_replayed_before_time_goes_by_the_wall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = orders(tmp_path / "orders.csv", NOW - timedelta(hours=3))
    at_the_wall(monkeypatch, NOW)
    with session_on(tmp_path / "file") as session:
        ran(session, file, live=True)
    with file.open("rb") as stream, session_on(tmp_path / "stdin") as session:
        monkeypatch.setattr(run, "STDIN", stream.fileno())
        run._run(session, ["-"], None, demo_shop=False, live=True, leave=True)
        assert (session.runner.progress.mode, session.runner.progress.live) == ("wall", True)
    told = "SELECT count(*) FROM counts WHERE name IN ('late', 'won_back')"
    with closing(connect(tmp_path / "stdin", readonly=True)) as db:
        assert db.execute(told).fetchone() == (0,)
    for table in ("states", "warnings"):
        assert len(contents(tmp_path / "stdin")[table]) == len(contents(tmp_path / "file")[table])
