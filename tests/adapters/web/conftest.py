from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.web.kit import Site, copy_of, read_history


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a history, for copies to be taken from."""
    folder = tmp_path_factory.mktemp("past")
    read_history(folder)
    return folder


@pytest.fixture(scope="module")
def site(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A run whose past is read; what one test posts is there for the next."""
    with Site(copy_of(past, tmp_path_factory.mktemp("site"))) as running:
        yield running
