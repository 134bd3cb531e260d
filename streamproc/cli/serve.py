"""The page and the interface beside a run: reads the data folder, hands what is posted to the run's inbox."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import msgspec

from streamproc.adapters.embedded.inbox import Inbox, InboxFullError, Status
from streamproc.adapters.embedded.timings import Timings
from streamproc.adapters.metrics import Metrics
from streamproc.adapters.sources import Item
from streamproc.adapters.web.access import Access, AccessError, parse_listen
from streamproc.adapters.web.app import build
from streamproc.adapters.web.ports import Behind, BusyError, Result, Sent
from streamproc.adapters.web.server import Server
from streamproc.cli.reading import FolderReader
from streamproc.config import ConfigError, Settings
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal

SOURCE = "http"
"""The source's name of what was posted."""


@contextmanager
def start(
    settings: Settings, inbox: Inbox, rates: Rates, hosts: Sequence[str] = (), timings: Timings | None = None
) -> Iterator[str]:
    """Serves while the block runs; gives the page's address. `hosts` are other names the server is reached by.

    The caller's thread serves the inbox, which is closed when the block is left. Raises ConfigError where the
    settings would let others in without a token, or the address cannot be used.
    """
    reader = FolderReader(settings.data)
    measured = timings or Timings()
    metrics = Metrics(lambda: reader.seen(inbox.depth(), measured))
    behind = Behind(reader, InboxTaker(inbox, rates, keep_text=settings.keep_text), metrics)
    try:
        address = parse_listen(settings.listen)
        built = build(behind, Access(address.host, settings.token, tuple(hosts)), settings.language)
        server = Server(built, address)
    except AccessError as error:
        reader.close()
        raise ConfigError(str(error)) from error
    server.start()
    try:
        yield server.address.url
    finally:
        inbox.close()  # who still waits is told that nothing was taken, and does not hold up the server's end
        server.stop()
        reader.close()


class InboxTaker:
    """Hands posted events to the inbox, each as intake reads it: a record, or a refusal with its bytes."""

    def __init__(self, inbox: Inbox, rates: Rates, *, keep_text: bool = False) -> None:
        self._inbox = inbox
        self._intake = Intake(rates, settings=IntakeSettings(keep_text=keep_text, require_ids=True))

    def take(self, sent: Sequence[Sent]) -> "Future[list[Result]]":
        """Hands events on; the future is done once all that is taken is durable. Raises BusyError."""
        now = time.time_ns() // 1_000
        items = [item for one in sent if (item := self._item(one, now)) is not None]
        answer: Future[list[Result]] = Future()

        def tell(done: "Future[list[Status]]") -> None:
            error = done.exception()
            if error is None:
                answer.set_result(list(map(_result, items, done.result())))
            else:
                answer.set_exception(BusyError(str(error)))

        self._submit(items).add_done_callback(tell)
        return answer

    def probe(self) -> "Future[list[Result]]":
        """Done once the writer has answered. Raises BusyError."""
        return self.take([])

    def _submit(self, items: list[Item]) -> "Future[list[Status]]":
        try:
            return self._inbox.submit(items)
        except InboxFullError as error:
            raise BusyError(str(error)) from error

    def _item(self, one: Sent, now: int) -> Item | None:
        position = Position(SOURCE, one.row)
        outcome = self._intake.take(one.body, position, now, key=one.key)
        return None if outcome is None else Item(outcome, one.body, position)


class _Named(msgspec.Struct):
    event_id: str | None = None


def _result(item: Item, status: Status) -> Result:
    outcome = item.outcome
    if isinstance(outcome, Refusal):
        return Result(
            event_id=_id_in(item.raw),
            status=status,
            reason=outcome.reason,
            field=outcome.field or None,
            detail=outcome.detail or None,
        )
    return Result(event_id=outcome.event_id, status=status)


def _id_in(raw: bytes) -> str | None:
    """The id that a refused event names, where that can be read."""
    try:
        return msgspec.json.decode(raw, type=_Named).event_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
