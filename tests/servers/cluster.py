"""A cluster on this machine, to look at: Kafka, Redis, two workers, a shop that sells, the page, the warnings.

`make cluster` runs it. Everything lies in build/cluster, and is made anew each time; Ctrl-C ends all of it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path

from streamproc.core.time import DAY
from streamproc.simulate import SimEvent, demo_shop, simulate
from tests.servers.broker import Kafka
from tests.servers.health import is_ready
from tests.servers.process import ServerError, free_ports, wait_until
from tests.servers.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "cluster"
PROGRAM = Path(sys.executable).with_name("streamproc")
WORKERS = 2
PACED_DAYS = 90
SECONDS_A_DAY = 1.0
PAGE = "127.0.0.1:8080"


def main() -> None:
    """Starts everything, and sells until somebody asks to stop."""
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background of a script one of them is ignored, or both
        signal.signal(number, signal.default_int_handler)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as stack:
        try:
            _live(stack)
        except KeyboardInterrupt:
            _say("stopping everything")
        except ServerError as error:
            sys.exit(str(error))


def _live(stack: ExitStack) -> None:
    _say("Apache Kafka, one node")
    kafka = Kafka(FOLDER / "kafka")
    stack.callback(kafka.stop)
    kafka.start()
    _say(f"  {kafka.bootstrap}")
    _say("Redis")
    redis = RedisServer(FOLDER / "redis")
    stack.callback(redis.stop)
    redis.start()
    _say(f"  {redis.url}")
    told = {
        "STREAMPROC_KAFKA__BROKERS": kafka.bootstrap,
        "STREAMPROC_KAFKA__PARTITIONS": "4",
        "STREAMPROC_KAFKA__CLOCK": "event",  # the shop's days pass faster than ours
        "STREAMPROC_REDIS__URL": redis.url,
    }
    _say("topics: streamproc topics create")
    _run(told, "topics", "create")
    _say(f"{WORKERS} workers: streamproc worker, logs in {FOLDER.relative_to(ROOT)}")
    doors = [f"127.0.0.1:{port}" for port in free_ports(WORKERS)]
    running = [
        stack.enter_context(_running(told, f"worker-{number}", "worker", "--health", door))
        for number, door in enumerate(doors, 1)
    ]
    for number, door in enumerate(doors, 1):
        _await(door, f"worker-{number}")
    running.append(stack.enter_context(_running(told, "serve", "serve", "--listen", PAGE)))
    _await(PAGE, "serve")
    _say(f"page: http://{PAGE}/")
    _say("ask it in another terminal with")
    for name, value in told.items():
        _say(f"  export {name}={value}")
    running.append(stack.enter_context(_running(told, "", "warnings", "--follow")))
    stack.callback(_terminate, running)  # all at once: a worker may take its ten seconds
    _sell(told)


def _terminate(running: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in running:
        process.terminate()


def _sell(told: dict[str, str]) -> None:
    """The shop's past at once, then its last days, one a second."""
    shop = demo_shop(until=date.today() + timedelta(days=1))  # noqa: DTZ011 - any day near today will do
    events = list(simulate(shop))
    paced_from = shop.ends - PACED_DAYS * DAY
    past = [event for event in events if event.at < paced_from]
    ahead = events[len(past) :]
    _say(f"the shop's past: {len(past):,} events through streamproc produce")
    with _selling(told) as till:
        _ring_up(till, past)
    _say("now its last days, one a second; Ctrl-C stops everything")
    with _selling(told) as till:
        before = paced_from
        for event in ahead:
            time.sleep(max(0.0, (event.at - before) / DAY * SECONDS_A_DAY))
            before = event.at
            _ring_up(till, [event])
    _say("the shop has closed; Ctrl-C stops the cluster")
    signal.pause()


@contextmanager
def _selling(told: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(PROGRAM), "produce", "-"]
    with (FOLDER / "produce.log").open("ab") as log:
        till = subprocess.Popen(command, env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield till
    finally:
        if till.stdin is not None:
            till.stdin.close()
        till.wait()


def _ring_up(till: subprocess.Popen[bytes], events: Sequence[SimEvent]) -> None:
    assert till.stdin is not None
    till.stdin.writelines(event.line + b"\n" for event in events)
    till.stdin.flush()


def _await(door: str, log: str) -> None:
    """Returns once what listens there is ready. Raises ServerError with the log's last words if it never is."""
    try:
        wait_until(lambda: is_ready(door), f"http://{door}/readyz says that all is at work")
    except ServerError as error:
        said = (FOLDER / f"{log}.log").read_text("utf-8", "replace")[-2_000:]
        raise ServerError(f"{error}; {log} says\n{said}") from error


def _run(told: dict[str, str], *words: str) -> None:
    with (FOLDER / "commands.log").open("ab") as log:
        subprocess.run([str(PROGRAM), *words], env={**os.environ, **told}, check=True, stdout=log)


@contextmanager
def _running(told: dict[str, str], log: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs as long as the block, in a session of its own: Ctrl-C is ours to pass on."""
    command = [str(PROGRAM), *words]
    with ExitStack() as opened:
        where = opened.enter_context((FOLDER / f"{log}.log").open("wb")) if log else None
        process = subprocess.Popen(
            command, env={**os.environ, **told}, stdout=where, stderr=where, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _say(text: str) -> None:
    print(f"==> {text}" if not text.startswith(" ") else text, flush=True)


if __name__ == "__main__":
    main()
