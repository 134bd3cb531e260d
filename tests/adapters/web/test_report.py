"""The firm at a glance as a page of the site: made beside the run, shown as long as it holds."""

import time
from http import HTTPStatus
from pathlib import Path

import pytest

from streamproc.adapters.web.ports import AwayError
from streamproc.cli import reporting
from streamproc.cli.reporting import Reporter
from streamproc.core.time import DAY
from tests.adapters.web.kit import Site
from tests.browser import Browser

EMPTY = "[...document.querySelectorAll('[data-chart]')].filter(e => !e.querySelector('svg path')).length"


@pytest.mark.parametrize(("language", "title"), [("en", "The firm at a glance"), ("zh-CN", "企业客户概览")])
def test_the_report_is_made_while_the_browser_waits(site: Site, browser: Browser, language: str, title: str) -> None:
    while (answer := site.client.get("/report", params={"lang": language})).status_code == HTTPStatus.ACCEPTED:
        assert int(answer.headers["refresh"]) > 0
        assert f"<h1>{title}</h1>" in answer.text
        time.sleep(0.1)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    browser.open(f"{site.url}?lang={language}")
    browser.evaluate("document.querySelector('header a[href=\"/report\"]').click()")
    browser.wait_until("document.querySelectorAll('[data-chart]').length > 0")
    assert browser.evaluate("document.querySelector('h1').textContent") == title
    browser.wait_until(f"{EMPTY} === 0")
    assert browser.errors == []


def made(reporter: Reporter, clock: int) -> str:
    while (drawn := reporter.page("en", clock)) is None:
        time.sleep(0.05)
    return drawn.html


def is_making(reporter: Reporter) -> bool:
    return reporter._process is not None


def test_it_is_made_anew_on_another_day_and_the_old_one_shown_meanwhile(
    past: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter = Reporter(past)
    first = made(reporter, 5 * DAY)
    monkeypatch.setattr(reporting, "AGAIN", 0.0)
    assert made(reporter, 5 * DAY + 1) == first
    assert not is_making(reporter)
    assert made(reporter, 6 * DAY) == first
    assert is_making(reporter)
    reporter.close()


def test_one_that_cannot_be_made_is_said_and_tried_again(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path / "none")
    for _ in range(2):
        with pytest.raises(AwayError, match="streamproc report"):
            made(reporter, DAY)
