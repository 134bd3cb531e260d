"""What a restart must not change: what the trainer was given, and which id an alias' events go on to."""

from pathlib import Path

import pytest

from streamproc.adapters.embedded.runner import batches
from streamproc.simulate import Shop
from streamproc.testing.events import bought, known, on
from tests.adapters.embedded.folder import contents, fill, running
from tests.monitor.shops import delivered, deliveries


def test_a_batch_that_spans_a_training_gives_the_trainer_everything_once(tmp_path: Path) -> None:
    arrivals = deliveries(Shop(customers=150, days=300, seed=5))
    for some in batches(arrivals, 500):
        fill(tmp_path / "restarted", some, end=False)
    fill(tmp_path / "restarted", [])
    fill(tmp_path / "clean", arrivals)
    assert contents(tmp_path / "restarted") == contents(tmp_path / "clean")
    assert len(contents(tmp_path / "clean")["models"]) > 20


@pytest.mark.parametrize("partitions", [1, 8])
def test_an_alias_of_an_alias_forwards_what_still_comes(tmp_path: Path, partitions: int) -> None:
    events = (
        known(on(0), customer_id="b", alias_of="c"),  # before any of them has bought
        known(on(1), customer_id="a", alias_of="b"),
        bought(on(2), customer_id="a"),
        bought(on(3), customer_id="b"),
        known(on(4), customer_id="a", alias_of="c"),
        bought(on(5), customer_id="a"),
    )
    with running(tmp_path, partitions=partitions) as (_, runner):
        for some in batches(delivered(events), 1):
            runner.take(some)
        runner.end_of_data()
        state = runner.pipeline.partition_for("c").state_of("c")
    assert state is not None
    assert (state.facts.n_orders, state.forward_to) == (3, None)
    assert contents(tmp_path)["dead_letters"] == []
