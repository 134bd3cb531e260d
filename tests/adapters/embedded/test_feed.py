"""SQLite's feed keeps the contract of every feed."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded.schema import connect
from streamproc.testing.feed_contract import CHECKS, Home
from tests.adapters.embedded.sqlite_feed import SqliteFeed


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_feed_in_sqlite(check: Callable[[Home], None], tmp_path: Path) -> None:
    with closing(connect(tmp_path)) as db:
        check(SqliteFeed(db))
