"""Who may ask: where the server may be bound, which Host and Origin are its own, and the token.

The rules kept here:
- beyond loopback nothing is served without a token;
- a Host that is not this server's is another site's name for it (DNS rebinding), so it is refused;
- a browser's POST from another site carries its Origin, and is refused;
- the token is compared in constant time, and the page's cookie holds a hash keyed by it, never the token.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

COOKIE = "streamproc"
LEAST_TOKEN = 16
"""Characters a token must have where others can reach it: it is all that stands between them and the data."""

OPEN_PATHS = frozenset(("/livez", "/readyz", "/login"))
"""Answered without a token. Beside them only the style and the script are, which tell nothing."""

STATIC = "/static/"


class AccessError(Exception):
    """The server may not be started this way; the message says what to change."""


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The page's address as a person types it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - it is looked up, not bound
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


class Access(Struct, frozen=True):
    """`host` is what is bound, `hosts` are other names it is reached by; an empty `token` asks for none."""

    host: str
    token: str = ""
    hosts: tuple[str, ...] = ()


def parse_listen(text: str) -> Address:
    """`127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`. Raises AccessError for anything else."""
    parts = urlsplit(f"//{text}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if (
        not parts.hostname
        or port is None
        or parts.path
        or text.rpartition(":")[0].strip("[]").lower() != parts.hostname
    ):
        raise AccessError(f'cannot listen on "{text}": give host and port, as in 127.0.0.1:8080 or [::1]:8080')
    return Address(parts.hostname, port)


def check(access: Access) -> None:
    """Raises AccessError where more than this machine could reach the server without a token."""
    if is_loopback(access.host):
        return
    if not access.token:
        raise AccessError(
            f"listening on {access.host} lets other machines in, and no token is set. Set STREAMPROC_TOKEN "
            f"(at least {LEAST_TOKEN} characters), or listen on 127.0.0.1"
        )
    if len(access.token) < LEAST_TOKEN:
        raise AccessError(
            f"the token has {len(access.token)} characters: beyond this machine at least {LEAST_TOKEN} are needed"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what is bound there."""
    address = _literal(host)
    return host == "localhost" if address is None else address.is_loopback


def is_own_host(header: str | None, access: Access) -> bool:
    """Whether a Host header names this server: what is bound, on a wildcard any address of the machine."""
    name = _hostname(header)
    if name is None:
        return False
    if name in access.hosts or name == access.host:
        return True
    asked, bound = _literal(name), _literal(access.host)
    if is_loopback(access.host):
        return is_loopback(name)
    if bound is not None and bound.is_unspecified:
        # No other site can make its name out of digits: an address as Host is never a rebound name.
        return asked is not None or name == "localhost"
    return asked is not None and asked == bound


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Whether a POST comes from the server's own page, or from no page at all."""
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def may_pass(headers: Mapping[str, str], cookie: str | None, access: Access) -> bool:
    """Whether the request shows the token: as a bearer, or by the cookie that a login set."""
    if not access.token:
        return True
    scheme, _, given = headers.get("authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer" and is_token(given.strip(), access)
    return bearer or (cookie is not None and _same(cookie, session_of(access)))


def is_token(given: str, access: Access) -> bool:
    """Whether it is the token; takes as long whatever is given."""
    return _same(given, access.token)


def session_of(access: Access) -> str:
    """The cookie's value: worthless once the token is another."""
    return hmac.new(access.token.encode(), b"streamproc page", sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _hostname(header: str | None) -> str | None:
    if not header:
        return None
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
