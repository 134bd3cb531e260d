from collections.abc import Iterator

import pytest

from tests.adapters.web.kit import Site, history


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A run whose past is read; what one test posts is there for the next."""
    with Site(tmp_path_factory.mktemp("site"), history()) as running:
        yield running
