"""The record as a page of the site: its charts are drawn under a policy of its own, in both languages."""

import pytest

from tests.adapters.web.kit import Site
from tests.browser import Browser

EMPTY = "[...document.querySelectorAll('[data-chart]')].filter(e => !e.querySelector('svg path')).length"


@pytest.mark.parametrize(("language", "title"), [("en", "The record of the warnings"), ("zh-CN", "预警成绩")])
def test_the_record_is_drawn(site: Site, browser: Browser, language: str, title: str) -> None:
    browser.open(f"{site.url}record?lang={language}")
    assert browser.evaluate("document.querySelector('h1').textContent") == title
    assert browser.evaluate("document.querySelectorAll('[data-chart]').length") > 0
    browser.wait_until(f"{EMPTY} === 0")
    assert browser.errors == []


def test_the_list_leads_to_the_record(site: Site, browser: Browser) -> None:
    browser.open(f"{site.url}?lang=en")
    browser.evaluate("document.querySelector('header a[href=\"/record\"]').click()")
    browser.wait_until("location.pathname === '/record'")
    assert browser.errors == []


def test_its_policy_lets_in_no_script_but_its_own(site: Site) -> None:
    headers = site.client.get("/record").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert policy["frame-ancestors"] == "'none'"
    assert site.client.get("/").headers["content-security-policy"].startswith("default-src 'self'")
