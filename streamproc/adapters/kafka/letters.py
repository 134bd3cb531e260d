"""Dead letters on Kafka: the original bytes, and in headers (KIP-1034's names) why and where."""

from streamproc.adapters.kafka.transactions import Output, Record
from streamproc.core.control import JournalRecord
from streamproc.intake.refusal import Refusal
from streamproc.monitor.effects import DeadLettered
from streamproc.wire import journal

KILLED = "killed_the_process"
UNREADABLE = "unreadable"
NOT_FINITE = "not_finite"


def letter(
    topic: str, record: Record, place: tuple[str, int], reason: str, field: str = "", detail: str = "", trace: str = ""
) -> Output:
    """The dead letter of a record read at `place` (topic, partition)."""
    named = {
        "__streams.errors.topic": place[0],
        "__streams.errors.partition": str(place[1]),
        "__streams.errors.offset": str(record.offset),
        "__streams.errors.exception": reason,
        "__streams.errors.message": detail,
        "__streams.errors.stacktrace": trace,
        "streamproc.field": field,
    }
    headers = [*record.headers, *((name, text.encode()) for name, text in named.items() if text)]
    return Output(topic, 0, record.key, record.value, headers)


def of_refusal(topic: str, record: Record, place: tuple[str, int], refusal: Refusal) -> Output:
    """The dead letter of what intake would not take."""
    return letter(topic, record, place, refusal.reason, refusal.field, refusal.detail)


def of_effect(topic: str, record: Record, place: tuple[str, int], effect: DeadLettered) -> Output:
    """The dead letter of an event that could not be applied while the journal's `record` was."""
    raw: JournalRecord | None = effect.event
    body = effect.customer_id.encode() if raw is None else journal.encode(raw)  # a look has no event
    told = record._replace(key=effect.customer_id.encode(), value=body, headers=())
    return letter(topic, told, place, effect.reason, trace=effect.trace)
