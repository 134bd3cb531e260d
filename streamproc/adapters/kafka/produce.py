"""Records into the firm's topics: which topic and key a record has, and a producer that counts what was taken."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from streamproc.adapters.kafka.produce_feed import STREAM_OF, feed_body
from streamproc.adapters.kafka.tools import PATIENCE_MS, ClusterError, admin_of, cluster_errors
from streamproc.adapters.kafka.topics import RECORD_BYTES, missing_topics
from streamproc.config import KafkaSettings
from streamproc.core.events import FirmFact
from streamproc.intake.decode import Words, decode_json
from streamproc.intake.journal import JournalEvent
from streamproc.intake.refusal import Refusal
from streamproc.wire.feed import AnyFeedEvent, FeedComplaint, FeedContact, FeedEvent, FeedPurchase

LINGER_MS = 20
BATCH_BYTES = 1 << 18
ALL_TAKEN_S = 60.0
EVENT_ID = "ce_id"
"""CloudEvents' name: what intake calls an event that does not name itself."""

SOURCE = "ce_source"
"""CloudEvents' name: what the event came from, so that an import can be taken back."""


class Outgoing(NamedTuple):
    """A record on its way; `stream` None for one that cannot be read, `source` is what it was read from."""

    stream: str | None
    key: bytes | None
    value: bytes
    event_id: str = ""
    source: str = ""


def as_it_is(raw: bytes, outcome: JournalEvent | Refusal, words: Words) -> Outgoing:
    """A line of JSON, unchanged: intake on Kafka judges it. One without an id gets that which its file gives it."""
    decoded = decode_json(raw, words)
    if not isinstance(decoded, tuple):
        return Outgoing(None, None, raw)
    event, _ = decoded
    key = event.customer_id.encode() if isinstance(event, FeedEvent) else None
    found = "" if event.event_id is not None or isinstance(outcome, Refusal) else outcome.event_id
    return Outgoing(_stream_of(event), key, raw, found)


def in_our_words(raw: bytes, outcome: JournalEvent | Refusal, currency: str) -> Outgoing:
    """What was read of a row, or of JSON that a mapping explains, after schemas/; what was refused, byte for byte."""
    if isinstance(outcome, Refusal):
        return Outgoing(None, None, raw)
    key = None if isinstance(outcome, FirmFact) else outcome.customer_id.encode()
    return Outgoing(STREAM_OF[type(outcome)], key, feed_body(outcome, currency))


def _stream_of(event: AnyFeedEvent) -> str:
    match event:
        case FeedPurchase():
            return "purchases"
        case FeedComplaint():
            return "complaints"
        case FeedContact():
            return "contacts"
        case _:
            return "facts"


class Sender:
    """Sends records; `taken` counts by topic those that the brokers have on disk, `too_large` those they never take."""

    def __init__(self, producer: Any, topics: Mapping[str, str], unread: str) -> None:  # noqa: ANN401 - kafka-python ships no types
        self.taken: Counter[str] = Counter()
        self.too_large = 0
        self._producer = producer
        self._topics = topics
        self._unread = unread
        self._failed: BaseException | None = None

    def send(self, record: Outgoing) -> None:
        """Queues a record; waits where too much is queued. Raises KafkaError if an earlier one was lost."""
        if self._failed is not None:
            raise self._failed
        topic = self._unread if record.stream is None else self._topics[record.stream]
        named = ((EVENT_ID, record.event_id), (SOURCE, record.source))
        headers = [(name, text.encode()) for name, text in named if text]
        try:
            sent = self._producer.send(topic, record.value, key=record.key, headers=headers)
        except MessageSizeTooLargeError:
            self.too_large += 1
            return
        sent.add_callback(self._was_taken)
        sent.add_errback(self._was_not)

    def settle(self) -> None:
        """Returns once all that was sent is taken. Raises KafkaError if it is not, or not in time."""
        self._producer.flush(ALL_TAKEN_S)
        if self._failed is not None:
            raise self._failed

    def _was_taken(self, place: Any) -> None:  # noqa: ANN401 - as above
        self.taken[place.topic] += 1

    def _was_not(self, error: BaseException) -> None:
        if isinstance(error, MessageSizeTooLargeError):
            self.too_large += 1
        else:
            self._failed = self._failed or error


@contextmanager
def sender_to(settings: KafkaSettings, unread: str) -> Iterator[Sender]:
    """A producer whose records are all in, once each, when it is left, or ClusterError tells that they are not.

    What cannot be read goes to the topic `unread`. Raises ConfigError without brokers, ClusterError for a topic that
    is missing.
    """
    with admin_of(settings) as admin:
        missing = missing_topics(admin, {*settings.inputs.values(), unread})
        if missing:
            raise ClusterError(f"there is no topic {', '.join(missing)}: `streamproc topics create` makes it")
    with cluster_errors(settings) as security:
        producer = KafkaProducer(
            bootstrap_servers=settings.brokers,
            bootstrap_timeout_ms=PATIENCE_MS,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            max_request_size=RECORD_BYTES,
            **security,
        )
        try:
            sender = Sender(producer, settings.inputs, unread)
            try:
                yield sender
            finally:
                sender.settle()
        finally:
            producer.close(timeout=ALL_TAKEN_S)
