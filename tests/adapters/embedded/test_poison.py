"""A hundred thousand records, one in a hundred poisoned: just these are dead letters, byte for byte."""

from collections import Counter
from contextlib import closing
from pathlib import Path

from streamproc.adapters.embedded.deadletters import read
from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import Item
from streamproc.core.control import Setup
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.simulate import Dirt, Shop, is_poison, simulate

SHOP = Shop(customers=26_000, days=200, seed=11, dirt=Dirt(duplicates=0.02, disorder=0.05, poison=0.01))
LEAST = 100_000


def test_every_poison_is_a_dead_letter_and_nothing_else_is(tmp_path: Path) -> None:
    intake = Intake(Rates(SHOP.currency))
    items: list[Item] = []
    poison: Counter[bytes] = Counter()
    for row, event in enumerate(simulate(SHOP), 1):
        position = Position("shop", row)
        outcome = intake.take(event.line, position, SHOP.ends)
        assert outcome is not None
        items.append(Item(outcome, event.line, position))
        if is_poison(event):
            poison[event.line] += 1
    assert len(items) >= LEAST
    assert poison.total() >= LEAST // 110

    with closing(connect(tmp_path)) as db:
        runner = Runner(db, Setup(at=0))
        taken: Counter[str] = Counter()
        for batch in batches(items, 5_000):
            taken.update(runner.take(batch).statuses)
        runner.end_of_data()
        dead = Counter(kept.letter.raw for kept in read(db))
        assert dead == poison
        assert taken["refused"] == poison.total()
        (kept,) = db.execute("SELECT count(*) FROM journal WHERE event_id IS NOT NULL").fetchone()
        assert taken["new"] == kept
        assert taken.total() == len(items)
