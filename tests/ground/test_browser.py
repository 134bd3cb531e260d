import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser import Browser, BrowserError


def page(html: str) -> str:
    return f"data:text/html,{quote(html)}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_page_is_read_after_its_script_has_run(browser: Browser) -> None:
    browser.open(page("<p id=who></p><script>who.textContent = 'customer 7'</script>"))
    assert browser.text() == "customer 7"
    assert browser.errors == []


def test_waiting_ends_when_the_page_has_changed(browser: Browser) -> None:
    browser.open(page("<script>setTimeout(() => document.body.append('late'), 50)</script>"))
    browser.wait_until("document.body.innerText.includes('late')")
    assert browser.evaluate("document.body.innerText.length") == len("late")


def test_waiting_in_vain_says_for_what(browser: Browser) -> None:
    browser.open(page("<p>quiet</p>"))
    with pytest.raises(BrowserError, match=r"document\.hidden"):
        browser.wait_until("document.hidden", seconds=0.05)


def test_an_uncaught_error_of_the_page_is_kept(browser: Browser) -> None:
    browser.open(page("<script>missing.call()</script>"))
    assert ["missing is not defined" in error for error in browser.errors] == [True]


def test_an_error_in_an_expression_is_raised(browser: Browser) -> None:
    with pytest.raises(BrowserError, match="boom"):
        browser.evaluate("(() => { throw new Error('boom') })()")


def test_a_refused_connection_is_raised(browser: Browser) -> None:
    with pytest.raises(BrowserError, match="ERR_CONNECTION_REFUSED"):
        browser.open(f"http://127.0.0.1:{free_port()}")


def test_a_screenshot_is_a_png(browser: Browser, tmp_path: Path) -> None:
    browser.open(page("<h1>seen</h1>"))
    browser.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
