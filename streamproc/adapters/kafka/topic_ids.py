"""Which topic it is that bears a name: the broker's own id of it, another one for each time it is made.

aiokafka asks for nothing that new: the question is put here, in the form that brokers from 2.8 on answer.
"""

from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_UNKNOWN = bytes(16)
_METADATA = 3
_VERSION = 10


class _Uuid:
    """16 bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:  # noqa: ANN401 - as in aiokafka
        return bytes(data.read(16))


_BROKER = Schema(
    ("node_id", Int32), ("host", CompactString("utf-8")), ("port", Int32), ("rack", CompactString("utf-8")),
    ("tags", TaggedFields),
)  # fmt: skip
_PARTITION = Schema(
    ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)), ("offline", CompactArray(Int32)),
    ("tags", TaggedFields),
)  # fmt: skip
_TOPIC = Schema(
    ("error_code", Int16), ("name", CompactString("utf-8")), ("topic_id", _Uuid), ("is_internal", Boolean),
    ("partitions", CompactArray(_PARTITION)), ("operations", Int32), ("tags", TaggedFields),
)  # fmt: skip


class _Answer(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("brokers", CompactArray(_BROKER)), ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32), ("topics", CompactArray(_TOPIC)), ("operations", Int32), ("tags", TaggedFields),
    )  # fmt: skip


class _Asked(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("create", Boolean), ("cluster_operations", Boolean), ("topic_operations", Boolean), ("tags", TaggedFields),
    )  # fmt: skip


class _Question(Request[_Asked]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_Asked]) -> _Asked:
        asked: list[tuple[bytes, str, dict[int, bytes]]] = [(_UNKNOWN, topic, {}) for topic in self._topics]
        return request_struct_class(asked, False, False, False, {})


async def topic_ids(client: Any, topics: Iterable[str]) -> dict[str, str]:  # noqa: ANN401 - aiokafka's client
    """The ids (hex) of those of the topics that there are; nothing where the broker is too old to know.

    Raises aiokafka's KafkaError.
    """
    try:
        answer = await client.send(client.get_random_node(), _Question(topics))
    except NotImplementedError:
        return {}
    return {name: topic_id.hex() for error, name, topic_id, *_ in answer.topics if not error and topic_id != _UNKNOWN}
