import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamproc.adapters.embedded.inbox import Inbox
from streamproc.adapters.web.access import COOKIE
from streamproc.adapters.web.paths import customer_page
from streamproc.cli import serve
from streamproc.config import ConfigError, Settings
from streamproc.intake.rates import Rates
from tests.adapters.web.kit import HOSTILE, Site, copy_of, purchase

TOKEN = "a token of many characters"


@pytest.fixture(scope="module")
def locked(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(copy_of(past, tmp_path_factory.mktemp("locked")), token=TOKEN) as running:
        yield running


def test_every_answer_has_its_headers(site: Site) -> None:
    for path in ("/", "/api/summary", "/static/style.css", "/livez", "/nowhere", "/metrics"):
        headers = site.client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_what_is_personal_is_not_cached(site: Site) -> None:
    assert site.client.get("/").headers["cache-control"] == "no-store"
    assert site.client.get("/api/warnings").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["rebound.example", "", "127.0.0.1.rebound.example:8080"])
def test_another_name_for_the_server_is_refused(site: Site, host: str) -> None:
    assert site.client.get("/api/warnings", headers={"host": host}).status_code == 421


def test_a_name_that_was_given_is_answered(site: Site) -> None:
    assert site.client.get("/api/warnings", headers={"host": "shop.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"origin": "https://rebound.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}]
)
def test_a_foreign_page_posts_in_vain(site: Site, headers: dict[str, str]) -> None:
    assert site.post(purchase("x", 1, "foreign-1"), **headers).status_code == 403


def test_with_a_token_nothing_is_told_without_it(locked: Site) -> None:
    documented = locked.client.get("/openapi.json", headers={"authorization": f"Bearer {TOKEN}"}).json()
    for path, methods in documented["paths"].items():
        for method, operation in methods.items():
            answer = locked.client.request(method, path.replace("{", "").replace("}", ""))
            closed = "security" in operation
            assert closed == (path not in {"/livez", "/readyz", "/login"})
            if closed:
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
                assert HOSTILE not in answer.text
    assert locked.client.get("/api/summary", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert locked.client.get("/api/summary", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_probes_need_no_token(locked: Site) -> None:
    assert locked.client.get("/livez").text == "alive\n"
    assert locked.client.get("/readyz").json()["ready"] is True


def test_a_browser_is_sent_to_the_form_and_let_in_by_it(locked: Site) -> None:
    with httpx.Client(base_url=locked.url, headers={"accept": "text/html"}) as browser:
        turned = browser.get("/customers/x")
        assert (turned.status_code, turned.headers["location"]) == (303, "/login")
        wrong = browser.post("/login", data={"token": "guess"})
        assert wrong.headers["location"] == "/login?wrong=1"
        assert "set-cookie" not in wrong.headers
        assert "That is not the token." in browser.get(wrong.headers["location"]).text
        right = browser.post("/login", data={"token": TOKEN})
        assert right.headers["location"] == "/"
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in right.headers["set-cookie"]
        assert browser.get("/").status_code == 200


def test_a_token_in_the_address_is_exchanged_and_gone(locked: Site) -> None:
    with httpx.Client(base_url=locked.url, headers={"accept": "text/html"}) as browser:
        answer = browser.get("/customers/steady-01", params={"token": TOKEN, "lang": "en"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/customers/steady-01?lang=en")
        assert browser.get(answer.headers["location"]).status_code == 200
    wrong = httpx.get(locked.url, params={"token": "guess"})
    assert (wrong.headers["location"], "set-cookie" in wrong.headers) == ("/login?wrong=1", False)
    # Never another server's address, whatever the path looks like.
    twisted = httpx.get(f"{locked.url}/evil.example/", params={"token": TOKEN})
    assert twisted.headers["location"].startswith("/evil.example")


def test_a_cookie_of_another_token_is_worth_nothing(locked: Site) -> None:
    for value in ("", TOKEN, "0" * 64, "\\", '"'):
        assert locked.client.get("/api/summary", headers={"cookie": f"{COOKIE}={value}"}).status_code == 401


def test_no_log_names_a_customer_or_the_token(locked: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for path in (customer_page("steady-01"), "/api/customers/steady-01/why", "/api/customers/steady-01?token=guess"):
        locked.client.get(path, headers=bearer)
    locked.client.post(
        "/events", json=[purchase("steady-01", 1, "log-1"), {"customer_id": "steady-01"}], headers=bearer
    )
    locked.client.post("/login", data={"token": TOKEN})
    ours = [r.getMessage() for r in caplog.records if r.name.partition(".")[0] not in {"httpx", "httpcore"}]
    assert [line for line in ours if "steady-01" in line or TOKEN in line or "guess" in line] == []


def test_a_long_login_is_cut_off(locked: Site) -> None:
    assert locked.client.post("/login", content=b"token=" + b"x" * 10_000).headers["location"] == "/login?wrong=1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"listen": "0.0.0.0:0"}, "STREAMPROC_TOKEN"),
        ({"listen": "0.0.0.0:0", "token": "short"}, "at least 16"),
        ({"listen": "somewhere"}, "host and port"),
        ({"listen": "192.0.2.1:0", "token": TOKEN}, "cannot listen on 192.0.2.1:0"),
    ],
)
def test_a_server_that_may_not_or_cannot_start_says_so(site: Site, settings: dict[str, Any], said: str) -> None:
    wanted = Settings(data=site.settings.data, **settings)
    with pytest.raises(ConfigError, match=said), serve.start(wanted, Inbox(), Rates("EUR")):
        pass


def test_a_taken_port_is_named_with_what_to_do(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        wanted = Settings(data=site.settings.data, listen=f"127.0.0.1:{port}")
        with pytest.raises(ConfigError, match="--listen"), serve.start(wanted, Inbox(), Rates("EUR")):
            pass


def test_beyond_loopback_any_address_of_the_machine_is_answered(site: Site) -> None:
    wanted = Settings(data=site.settings.data, listen="0.0.0.0:0", token=TOKEN)
    with serve.start(wanted, Inbox(), Rates("EUR")) as url:
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"host": "10.1.2.3"}).status_code == 401
        assert httpx.get(url, headers={"host": "rebound.example"}).status_code == 421
