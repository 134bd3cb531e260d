"""`streamproc warnings --follow`: the feed's lines as they are committed, until Ctrl-C."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Timer

import msgspec
import pytest

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.schema import connect
from streamproc.desk.warning import Entry
from tests.cli.shop import PROGRAM, asked

SOON = 60.0


@contextmanager
def following(folder: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    command = [*PROGRAM, "warnings", "--follow", "--data", str(folder), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = Timer(SOON, process.kill)
        watchdog.start()
        try:
            assert process.stderr is not None
            assert "Ctrl-C" in process.stderr.readline()
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def told(folder: Path, kind: str) -> Entry:
    """An entry of the feed about a customer's leaving, to be written again, under an id of its own."""
    (body,) = asked(folder, "SELECT body FROM feed WHERE kind = ? AND warning_id LIKE 'w-%' LIMIT 1", kind)
    entry = msgspec.json.decode(body, type=Entry)
    warning = None if entry.warning is None else msgspec.structs.replace(entry.warning, id=f"again-{kind}")
    return msgspec.structs.replace(entry, warning_id=f"again-{kind}", warning=warning)


def commit(folder: Path, *entries: Entry) -> None:
    with closing(connect(folder)) as db:
        db.execute("BEGIN")
        feed.write(db, entries)
        db.execute("COMMIT")


def test_programs_get_the_feeds_own_lines_and_nothing_from_before(own: Path) -> None:
    entries = [told(own, kind) for kind in ("raised", "recovered", "verdict")]
    with following(own, "--json") as process:
        commit(own, entries[0])
        assert msgspec.json.decode(line(process), type=Entry) == entries[0]
        commit(own, *entries[1:])
        assert [msgspec.json.decode(line(process), type=Entry) for _ in range(2)] == entries[1:]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("language", "said"), [("en", "likely to buy nothing by"), ("zh-CN", "之前不再购买的可能性为")]
)
def test_people_get_a_warning_whole_and_what_became_of_others_on_a_line(own: Path, language: str, said: str) -> None:
    raised, recovered = told(own, "raised"), told(own, "recovered")
    with following(own, "--lang", language) as process:
        commit(own, raised, recovered)
        assert said in (first := line(process))
        assert raised.customer_id in first
        following_lines = iter(lambda: line(process), "")
        last = next(text for text in following_lines if "again-recovered" in text)
        assert last.split()[1] == recovered.customer_id


def test_one_customer_s_lines_alone(own: Path) -> None:
    mine = told(own, "recovered")
    other = msgspec.structs.replace(told(own, "verdict"), customer_id="somebody else")
    with following(own, "--json", "--customer", mine.customer_id) as process:
        commit(own, other, mine)
        assert msgspec.json.decode(line(process), type=Entry) == mine
