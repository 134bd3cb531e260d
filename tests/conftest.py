"""What all tests share: reproducible examples, a local time that is never UTC, a browser."""

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.browser import Browser

# No deadline: two busy cores make a slow example, not a wrong one. In CI the examples follow from the test
# alone, so a red run is red again; elsewhere they are new every time, and a failure prints how to repeat it.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
PROFILE = "ci" if os.environ.get("CI") == "true" else "dev"
settings.load_profile(PROFILE)

# Whoever reads the local time by mistake is nearly six hours off, here and in every process started.
os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()


def pytest_report_header() -> str:
    examples = "the same every time" if PROFILE == "ci" else "new every time (CI=true repeats)"
    return f"examples: {examples}; local time: {os.environ['TZ']}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A page of a headless Chromium of its own."""
    with Browser(tmp_path_factory.mktemp("browser")) as page:
        yield page
