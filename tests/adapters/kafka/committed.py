"""What a cluster's topics hold, as a reader who sees only what is committed."""

import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streamproc.adapters.kafka.transactions import Record

Place = tuple[str, int]

PATIENCE = 120.0


class Committed:
    """Records by (topic, partition), in order; `look` reads on to what is committed by then."""

    def __init__(self, bootstrap: str, topics: dict[str, int]) -> None:
        self.records: dict[Place, list[Record]] = {(t, n): [] for t, count in topics.items() for n in range(count)}
        self._bootstrap = bootstrap
        self._consumer: Any = None
        self._values: dict[Place, dict[bytes, bytes]] = {place: {} for place in self.records}
        self._passed: dict[Place, int] = dict.fromkeys(self.records, 0)

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
            self._consumer = None

    def look(self) -> int:
        """Reads to the ends as they are now, waiting for brokers that are away; how many records were new."""
        before = sum(map(len, self.records.values()))
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._read(deadline)
                return sum(map(len, self.records.values())) - before
            except (KafkaError, TimeoutError):
                self.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _read(self, deadline: float) -> None:
        consumer = self._opened()
        ends: dict[Any, int] = consumer.end_offsets([TopicPartition(*place) for place in self.records])
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(200, max_records=5000).values():
                self._take(records)
            if time.monotonic() > deadline:
                behind = {
                    tuple(p): (consumer.position(p), end) for p, end in ends.items() if consumer.position(p) < end
                }
                raise TimeoutError(f"not read to the ends: {behind}")

    def _opened(self) -> Any:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                isolation_level="read_committed",
                enable_auto_commit=False,
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=4 << 20,
            )
            self._consumer.assign([TopicPartition(*place) for place in self.records])
            for place, passed in self._passed.items():
                self._consumer.seek(TopicPartition(*place), passed)
        return self._consumer

    def _take(self, records: Iterable[Any]) -> None:
        for r in records:
            place = (r.topic, r.partition)
            self.records[place].append(Record(r.offset, r.key, r.value, tuple(r.headers), r.timestamp))
            self._passed[place] = r.offset + 1
            if r.value is None:
                self._values[place].pop(r.key, None)
            elif r.key is not None:
                self._values[place][r.key] = r.value

    def values(self, place: Place) -> list[bytes]:
        """The values of one partition, in order."""
        return [record.value or b"" for record in self.records[place]]

    def kept(self, place: Place) -> dict[bytes, bytes]:
        """The last value of each key of a compacted topic's partition."""
        return self._values[place]

    def end(self, place: Place) -> int:
        """The offset behind the last record."""
        return self.records[place][-1].offset + 1 if self.records[place] else 0
