"""What counting and telling cost, against the work that is counted: two hundredths at the most."""

import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded import runner
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.metrics import Metrics
from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.cli import figures
from streamproc.cli.reading import FolderReader
from streamproc.core.control import Setup
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal
from streamproc.monitor.counts import Counts, feed_of, stream_of, tally
from streamproc.monitor.effects import Effect
from streamproc.simulate import Shop, write
from streamproc.testing.events import bought, on
from tests.monitor.shops import delivered

MOST = 0.02
SCRAPED_EVERY = 15.0
NAMES = ("purchases", "complaints", "contacts", "facts")


def test_metrics_cost_next_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Shop(customers=60, days=200, seed=3), tmp_path / "shop")
    effects: list[Effect] = []

    def kept(counts: Counts, effect: Effect) -> None:
        effects.append(effect)
        tally(counts, effect)

    monkeypatch.setattr(runner, "tally", kept)
    run = runner.Runner(connect(tmp_path / "data"), Setup(at=0, horizon_days=30))
    sources = open_sources([tmp_path / "shop" / f"{name}.jsonl" for name in NAMES], Rates("EUR"))
    items = list(sorted_items(sources, 2**60))
    began = time.process_time()
    run.take(items)
    work = time.process_time() - began

    began = time.process_time()
    counts = Counter[tuple[str, str]]()
    for effect in effects:
        tally(counts, effect)
    for item in items:
        if not isinstance(item.outcome, Refusal):
            counts["events", stream_of(item.outcome)] += 1
            feed_of(item.outcome)
    counting = time.process_time() - began
    assert counts["events", "purchase"] > 100
    assert counting / work < MOST

    reader = FolderReader(tmp_path / "data")
    metrics = Metrics(lambda: reader.seen(0, run.timings))
    metrics.exposition()
    began = time.process_time()
    for _ in range(10):
        metrics.exposition()
    scrape = (time.process_time() - began) / 10
    reader.close()
    assert scrape / SCRAPED_EVERY < MOST


def test_what_a_scrape_asks_a_folder_is_answered_from_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runner.Runner(connect(tmp_path), Setup(at=0))
    run.take(delivered(tuple(bought(on(1), customer_id=f"c{n}") for n in range(5))))
    run.end_of_data()
    monkeypatch.setattr(figures, "SAMPLED", 1)  # as where there are many
    asked: list[str] = []
    with closing(connect(tmp_path, readonly=True)) as db:
        db.set_trace_callback(asked.append)
        figures.kept_in(db, tmp_path, run.progress)
        db.set_trace_callback(None)
        plans = {detail: query for query in asked for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {query}")}
    assert len(asked) > 5
    for plan, query in plans.items():
        assert not plan.startswith("SCAN") or "COVERING INDEX" in plan or "CONSTANT ROW" in plan, (plan, query)
