"""The trainer behind its topic: a refused snapshot is counted, shown until a good one comes, said with the reason."""

import logging
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest
from msgspec import Struct
from msgspec.structs import replace

from streamproc.adapters.kafka.health import Refusals, TrainerCounts
from streamproc.adapters.kafka.messages import PINNED, DayDone, ExamplesPart, ForTrainer, ModelChosen, encode
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.trainer import TrainerProcessor
from streamproc.adapters.kafka.transactions import Record, Writes
from streamproc.core.control import ModelSnapshot
from streamproc.core.time import DAY
from streamproc.core.turns import whole
from streamproc.scoring.examples import Example
from streamproc.scoring.snapshot import read_snapshot
from streamproc.wire import journal
from tests.trainer.shop import CONFIG, START, Shop, purchase_days

SPAN = 90
ENDLESS = 1e308


def test_a_refused_snapshot_is_seen_until_a_good_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(purchase_days(40, SPAN + 60))
    trainer, kept = TrainerProcessor(Names(), 1, CONFIG), dict[bytes, bytes]()
    offset = 0

    def ends(number: int, items: Iterable[ForTrainer]) -> Writes:
        nonlocal offset
        at = (START + number) * DAY
        bodies = [encode(ExamplesPart(partition=0, at=at, items=list(items))), encode(DayDone(partition=0, at=at))]
        records = [Record(n, None, body, (), 0) for n, body in enumerate(bodies, offset)]
        offset += len(bodies)
        writes = whole(trainer.process(records))
        for key, value in writes.changes:
            kept.pop(key, None) if value is None else kept.update({key: value})
        return writes

    for number in range(1, SPAN):
        ends(number, shop.day(START + number))
    assert told(trainer) == {"streamproc_refused_snapshots": 0, "streamproc_snapshot_refused": 0}
    fresh = [item for item in shop.day(START + SPAN) if isinstance(item, Example) and item.label is None]
    with np.errstate(all="ignore"), caplog.at_level(logging.WARNING):
        assert not ends(SPAN, [replace(e, label=1, at=e.at - 31 * DAY, weight=ENDLESS) for e in fresh]).outputs
    assert told(trainer) == {"streamproc_refused_snapshots": 1, "streamproc_snapshot_refused": 1}
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("the snapshot of 2019-07-13T00:00:00Z is refused, the last good one stays: not finite")
    trainer = TrainerProcessor(Names(), 1, CONFIG)
    for key, value in kept.items():
        trainer.restore(key, value)
    assert told(trainer)["streamproc_snapshot_refused"] == 1, "whoever has it next knows"
    after = range(SPAN + 1, SPAN + 1 + CONFIG.training_days)
    assert any(ends(number, shop.day(START + number)).outputs for number in after)
    assert told(trainer) == {"streamproc_refused_snapshots": 1, "streamproc_snapshot_refused": 0}
    assert b"r" not in kept


def test_a_pinned_model_stays_whatever_is_learned() -> None:
    shop = Shop(purchase_days(40, SPAN + 60))
    trainer, kept = TrainerProcessor(Names(), 2, CONFIG), dict[bytes, bytes]()
    offset = 0

    def takes(*messages: Struct) -> list[ModelSnapshot]:
        nonlocal offset
        records = [Record(n, None, encode(message), (), 0) for n, message in enumerate(messages, offset)]
        offset += len(messages)
        writes = whole(trainer.process(records))
        for key, value in writes.changes:
            kept.pop(key, None) if value is None else kept.update({key: value})
        first, second = ([o.value for o in writes.outputs if o.partition == number] for number in (0, 1))
        assert first == second, "every partition is told the same"
        return [msgspec.convert(journal.decode(body or b""), ModelSnapshot) for body in first]

    def trains(begin: int, end: int) -> list[ModelSnapshot]:
        made: list[ModelSnapshot] = []
        for number in range(begin, end):
            at = (START + number) * DAY
            part = ExamplesPart(partition=0, at=at, items=list(shop.day(START + number)))
            made += takes(part, DayDone(partition=0, at=at), DayDone(partition=1, at=at))
        return made

    learned = trains(1, SPAN)[-1]
    chosen = read_snapshot(learned.snapshot)
    at = (START + SPAN) * DAY - 1
    assert takes(ModelChosen(at=at, snapshot=chosen, pinned=True)) == [
        ModelSnapshot(at=at, snapshot=learned.snapshot, reason="pinned")
    ]
    assert kept[PINNED].decode() == chosen.id
    trainer = TrainerProcessor(Names(), 2, CONFIG)
    for key, value in kept.items():
        trainer.restore(key, value)
    assert trains(SPAN, SPAN + 3 * CONFIG.training_days) == []
    assert takes(ModelChosen(at=at, snapshot=None, pinned=False)) == []
    assert kept[PINNED] == b""
    after = SPAN + 3 * CONFIG.training_days
    assert len(trains(after, after + CONFIG.training_days)) == 1
    [back] = takes(ModelChosen(at=at, snapshot=chosen, pinned=False))
    assert (back.reason, kept[PINNED]) == ("rolled_back", b"")


def told(trainer: TrainerProcessor) -> dict[str, float]:
    seen = Refusals(trainer.trainer.record().refused, bool(trainer.refusal))
    return {metric.name: metric.samples[0].value for metric in TrainerCounts(lambda: seen).collect()}
