"""`streamproc run`: what it tells of what it read."""

import signal
import subprocess
import time
from datetime import date
from pathlib import Path

import pytest

from streamproc.adapters.embedded.clock import Progress
from streamproc.cli.demo import SOURCE, demo, paced
from streamproc.core.time import DAY
from streamproc.intake.rates import Rates
from tests.cli.shop import PROGRAM, Cli

GOOD, GERMAN_DATE = "c-1,2025-01-01,5\n", "c-1,01.02.2025,5\n"


def orders(folder: Path, *rows: str) -> Path:
    path = folder / "orders.csv"
    path.write_text("customer_id,date,amount\n" + "".join(rows), encoding="utf-8")
    return path


def read(cli: Cli, file: Path, folder: Path, code: int = 0) -> str:
    shown = cli("run", file, "--exit-when-done", "--data", folder)
    assert shown.code == code
    return shown.out


def test_all_taken_is_one_line(cli: Cli, tmp_path: Path) -> None:
    shown = read(cli, orders(tmp_path, GOOD), tmp_path / "data")
    assert "1 record read, 1 new\n" in shown
    assert "refused" not in shown


def test_refused_records_are_told_with_why_and_what_to_do(cli: Cli, tmp_path: Path) -> None:
    shown = read(cli, orders(tmp_path, GERMAN_DATE, GERMAN_DATE, "c-2,2025-02-01,much\n"), tmp_path / "data", code=1)
    assert "3 records read, 0 new, 3 refused\n" in shown
    assert "2 refused: occurred_at: " in shown
    assert "1 refused: amount: " in shown
    assert f"streamproc dead-letters list --data {tmp_path / 'data'}" in shown
    assert "1970" not in shown


def test_all_refused_is_a_finding(cli: Cli, tmp_path: Path) -> None:
    file = orders(tmp_path, GERMAN_DATE, GERMAN_DATE)
    for _ in range(2):  # what is refused again is no less refused
        ran = cli("run", file, "--exit-when-done", "--data", tmp_path / "data")
        assert ran.code == 1
        assert ran.err.startswith("every record was refused")
        assert f"`streamproc dead-letters list --data {tmp_path / 'data'}`" in ran.err
    (tmp_path / "one").mkdir()
    good = orders(tmp_path / "one", GOOD)
    assert cli("run", file, good, "--exit-when-done", "--data", tmp_path / "other").code == 0
    assert cli("run", orders(tmp_path), "--exit-when-done", "--data", tmp_path / "none").code == 0


def test_all_refused_of_standard_input_is_a_finding(tmp_path: Path) -> None:
    command = [*PROGRAM, "run", "-", "--exit-when-done", "--data", str(tmp_path / "data")]
    fed = f"customer_id,date,amount\n{GERMAN_DATE}".encode()
    ran = subprocess.run(command, input=fed, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 1
    assert b"every record was refused" in ran.stderr


@pytest.mark.parametrize(("fed", "why"), [(b"", b"stdin is empty"), (b"a,b\n1,2\n", b"customer"), (b"PAR1", b"packed")])
def test_a_stream_that_cannot_be_read_is_exit_code_3(tmp_path: Path, fed: bytes, why: bytes) -> None:
    command = [*PROGRAM, "run", "-", "--exit-when-done", "--data", str(tmp_path / "data")]
    ran = subprocess.run(command, input=fed, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 3
    assert why in ran.stdout
    assert b"Traceback" not in ran.stderr


def test_what_is_known_is_told(cli: Cli, tmp_path: Path) -> None:
    file = orders(tmp_path, GOOD)
    read(cli, file, tmp_path / "data")
    assert "1 record read, 0 new, 1 known already\n" in read(cli, file, tmp_path / "data")


def test_a_past_that_comes_after_its_time_is_told(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    read(cli, orders(tmp_path, "c1,2024-03-01,10\n"), folder)
    shown = read(cli, orders(tmp_path, "c1,2023-01-05,10\nc2,2024-02-29T12:00,10\n"), folder)
    assert "1 record came too late: what was before Feb 29, 2024" in " ".join(shown.split())
    assert "--data" in shown
    assert "too late" not in read(cli, orders(tmp_path, "c1,2023-01-05,10\nc1,2024-03-02,10\n"), folder)


def test_standard_input_is_counted_too(tmp_path: Path) -> None:
    command = [*PROGRAM, "run", "-", "--exit-when-done", "--data", str(tmp_path / "data")]
    fed = f"customer_id,date,amount\n{GOOD}{GERMAN_DATE}".encode()
    shown = subprocess.run(command, input=fed, capture_output=True, check=True, timeout=60).stdout.decode()
    assert "2 records read, 1 new, 1 refused\n" in shown


def test_the_demo_is_not_mixed_with_files(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "--demo", orders(tmp_path, GOOD), "--data", tmp_path / "data").code == 2


def test_the_demo_has_a_folder_of_its_own_and_says_that_it_stopped(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "run", "--demo", "--listen", "off"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C stops" in line:
                break
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "running again goes on" in err
    assert [path.name for path in tmp_path.iterdir()] == ["streamproc-demo"]


@pytest.fixture(scope="module")
def first_run() -> Progress:
    """Where a demo stands that was begun for a day long gone and stopped in the middle."""
    until = date(2025, 6, 1)
    shop = demo(Rates("EUR"), Progress(sources={f"{SOURCE}{until}": 0}))
    reached = shop.ahead[len(shop.ahead) // 2].outcome
    return Progress(read=reached.at, sources={f"{SOURCE}{until}": reached.at})  # type: ignore[union-attr]


def test_the_demo_goes_on_where_it_stopped_on_a_later_day_too(first_run: Progress) -> None:
    shop = demo(Rates("EUR"), first_run)
    (source,) = first_run.sources
    times = [item.outcome.at for item in shop.ahead]  # type: ignore[union-attr]
    assert times[0] > first_run.read
    assert {item.position.source for item in (*shop.past, *shop.ahead)} == {source}
    ended = Progress(read=times[-1], sources=first_run.sources)
    assert demo(Rates("EUR"), ended).ahead == []


def test_the_demo_is_paced_a_day_a_second_to_its_last_event(first_run: Progress) -> None:
    ahead, waited = demo(Rates("EUR"), first_run).ahead, list[float]()

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    assert list(paced(ahead[:1], wait)) == ahead[:1]
    assert list(paced(ahead, wait)) == ahead
    first, last = ahead[0].outcome.at, ahead[-1].outcome.at  # type: ignore[union-attr]
    assert sum(waited) == pytest.approx((last - first) / DAY)
    assert list(paced(ahead, lambda _: True)) == ahead[:1]
