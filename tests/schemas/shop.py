"""A small simulated shop sent through intake, journal and monitor: what the program really writes."""

import sqlite3
from pathlib import Path

from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.core.control import ClockMode, Setup
from streamproc.core.policy import Policy
from streamproc.desk.playbook import read_playbook
from streamproc.intake.rates import Rates
from streamproc.simulate import Shop, write
from tests.ground.source import PACKAGE

PLAYBOOK = PACKAGE / "desk" / "playbook.toml"

EAGER = Policy(name="eager", raise_at=0.35, clear_at=0.3, escalate_at=0.5)
"""Warns of so many that a small shop sees every sort of line in the feed."""


def run_shop(shop: Shop, folder: Path) -> sqlite3.Connection:
    """The shop's feeds in `folder`/feeds read into a data folder; a connection to it."""
    feeds = folder / "feeds"
    write(shop, feeds)
    paths = [feeds / f"{stream}.jsonl" for stream in ("purchases", "complaints", "contacts", "facts")]
    db = connect(folder / "data")
    runner = Runner(db, Setup(at=0, horizon_days=91))
    runner.set_policy(EAGER)
    runner.set_playbook(read_playbook(PLAYBOOK.read_text(encoding="utf-8")))
    runner.set_mode(ClockMode(at=0, mode="event"))
    sources = open_sources([path for path in paths if path.stat().st_size], Rates("EUR"))
    for batch in batches(sorted_items(sources, shop.ends), 500):
        runner.take(batch)
    runner.end_of_data()
    return db
