"""The reference job on other Python engines, where the extra `bench` is installed. Each keeps state its own way."""

import time
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.bench.reference_core import DECODER, Aggregate, changed, finish


def quixstreams(brokers: str, source: str, prefix: str, events: int) -> None:
    """A stateful `apply` with exactly-once processing: state in RocksDB, and in a changelog topic."""
    quix = import_module("quixstreams")
    app = quix.Application(
        broker_address=brokers,
        consumer_group=prefix,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=mkdtemp(),
        loglevel="ERROR",
        request_timeout=60,
    )
    raw = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    alerts = app.topic(f"{prefix}alerts", key_serializer="bytes", value_serializer="bytes")
    began, seen = 0.0, 0

    def take(value: bytes, state: Any) -> bytes | None:
        nonlocal began, seen
        began, seen = began or time.process_time(), seen + 1
        if seen == events:
            app.stop()  # after this one, and a last commit
        event = DECODER.decode(value)
        kept = state.get("aggregate")
        aggregate = Aggregate(*kept) if kept else Aggregate()
        alert = changed(aggregate, event)
        state.set("aggregate", [aggregate.count, aggregate.total, aggregate.largest])
        return alert

    app.dataframe(app.topic(source, **raw)).apply(take, stateful=True).filter(bool).to_topic(alerts)
    app.run()
    finish(began, events)


def bytewax(brokers: str, source: str, prefix: str, events: int) -> None:
    """A `stateful_map` with recovery: state and positions in SQLite, a snapshot every ten seconds."""
    kafka, op, recovery = (import_module(f"bytewax.{name}") for name in ("connectors.kafka", "operators", "recovery"))
    kafka_op = import_module("bytewax.connectors.kafka.operators")
    flow = import_module("bytewax.dataflow").Dataflow("job")
    folder = Path(mkdtemp())
    recovery.init_db_dir(folder, 1)
    began = 0.0

    def keyed(message: Any) -> tuple[str, Any]:
        nonlocal began
        began = began or time.process_time()
        return message.key.decode(), message

    def take(state: Aggregate | None, message: Any) -> tuple[Aggregate, Any]:
        aggregate = state or Aggregate()
        alert = changed(aggregate, DECODER.decode(message.value))
        return aggregate, None if alert is None else kafka.KafkaSinkMessage(message.key, alert)

    read = kafka_op.input("in", flow, brokers=[brokers], topics=[source], tail=False, batch_size=1_000)
    told = op.stateful_map("take", op.map("key", read.oks, keyed), take)
    alerts = op.filter_map("alerts", told, lambda found: found[1])
    kafka_op.output("out", alerts, brokers=[brokers], topic=f"{prefix}alerts")
    import_module("bytewax.testing").run_main(flow, recovery_config=recovery.RecoveryConfig(str(folder)))
    finish(began, events)
