import pytest

from streamproc.adapters.web.access import (
    LEAST_TOKEN,
    Access,
    AccessError,
    Address,
    check,
    is_own_host,
    is_own_origin,
    may_pass,
    parse_listen,
    session_of,
)

TOKEN = "t" * LEAST_TOKEN


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_where_to_listen_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["", "8080", ":8080", "localhost", "localhost:http", "a@b:80", "h:99999", "h:80/x"])
def test_where_nobody_can_listen_is_refused(text: str) -> None:
    with pytest.raises(AccessError, match="host and port"):
        parse_listen(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    check(Access(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "shop.example"])
def test_anything_wider_needs_a_long_token(host: str) -> None:
    with pytest.raises(AccessError, match="STREAMPROC_TOKEN"):
        check(Access(host))
    with pytest.raises(AccessError, match="characters"):
        check(Access(host, "short"))
    check(Access(host, TOKEN))


@pytest.mark.parametrize(
    ("bound", "header", "own"),
    [
        ("127.0.0.1", "127.0.0.1:8080", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "LOCALHOST:1", True),
        ("127.0.0.1", "[::1]:8080", True),
        ("127.0.0.1", "rebound.example:8080", False),
        ("127.0.0.1", "10.0.0.1", False),
        ("127.0.0.1", "127.0.0.1.rebound.example", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", None, False),
        ("127.0.0.1", "[", False),
        ("127.0.0.1", "shop.example", True),
        ("0.0.0.0", "10.0.0.7:80", True),
        ("0.0.0.0", "localhost", True),
        ("0.0.0.0", "rebound.example", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("inner.example", "inner.example:8080", True),
    ],
)
def test_a_host_is_this_server_s_or_not(bound: str, header: str | None, own: bool) -> None:
    assert is_own_host(header, Access(bound, TOKEN, ("shop.example",))) == own


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"host": "localhost:8080", "origin": "http://localhost:8080"}, True),
        ({"host": "localhost:8080", "origin": "http://localhost:8080", "sec-fetch-site": "same-origin"}, True),
        ({"host": "localhost:8080", "origin": "http://localhost:9090"}, False),
        ({"host": "localhost:8080", "origin": "https://rebound.example"}, False),
        ({"host": "localhost:8080", "origin": "null"}, False),
        ({"host": "localhost:8080", "sec-fetch-site": "cross-site"}, False),
        ({"host": "", "origin": "null"}, False),
    ],
)
def test_a_foreign_page_s_request_is_told(headers: dict[str, str], own: bool) -> None:
    assert is_own_origin(headers) == own


def test_the_token_or_the_cookie_lets_in() -> None:
    access = Access("0.0.0.0", TOKEN)
    assert may_pass({"authorization": f"Bearer {TOKEN}"}, None, access)
    assert may_pass({"authorization": f"bearer  {TOKEN}"}, None, access)
    assert may_pass({}, session_of(access), access)
    assert may_pass({}, None, Access("127.0.0.1"))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"])
def test_nothing_else_lets_in(header: str) -> None:
    access = Access("0.0.0.0", TOKEN)
    assert not may_pass({"authorization": header}, None, access)
    assert not may_pass({}, TOKEN, access)
    assert not may_pass({}, session_of(Access("0.0.0.0", TOKEN + "x")), access)


def test_the_page_s_address_is_one_a_person_can_open() -> None:
    assert Address("0.0.0.0", 80).url == "http://127.0.0.1:80/"
    assert Address("::", 80).url == "http://[::1]:80/"
    assert Address("localhost", 8080).url == "http://localhost:8080/"
