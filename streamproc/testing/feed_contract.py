"""What must hold of every home of the feed: a check takes an empty one, and raises AssertionError if it does not."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from streamproc.desk.care import CareText
from streamproc.desk.feed import FeedReader, Order
from streamproc.desk.warning import Entry
from streamproc.testing.feed_entries import changed, done, judged, unhappy, warned

HOSTILE = (
    "c",
    "C",
    "c ",
    "c\x01",
    "{c}",
    "c}:warnings",
    "c\ue000\U0001f4a5",
    "客户-1",
    "e\u0301",
    "\u00e9",
    "\u202ec",
    "c\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "'; DROP TABLE feed; --",
    "]] redis.call('FLUSHALL') --",
    "*",
    "%",
    '"\\',
    "\u00fc" * 128,
    "\U0001f4a5" * 64,
)
"""Ids that somebody might splice, split, fold, or cut off at 256 bytes."""


class Home(FeedReader, Protocol):
    """A feed under test."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Takes lines in, after those before."""
        ...


SLEEPS = CareText(claimed_by="Li", snoozed_until="2024-05-08T00:00:00Z", overdue=True)

CHECKS: list[Callable[[Home], None]] = []
"""All of the checks below, for a test's parameters."""


def _check(function: Callable[[Home], None]) -> Callable[[Home], None]:
    CHECKS.append(function)
    return function


def _ids(home: Home, *, open_only: bool = False, order: Order = "newest_first") -> list[str]:
    return [warning.id for warning in home.warnings(open_only=open_only, order=order)]


@_check
def an_empty_feed_holds_nothing(home: Home) -> None:
    """No lines, no warnings, and nothing to count."""
    assert (home.last(), home.lines(0, 10), home.warnings(), home.warning("w")) == (0, [], [], None)
    assert home.warnings(open_only=True, order="most_at_stake", after="w", customers=["c"]) == []
    assert (home.life_of("w"), home.counts()) == ((), ({}, {}, {}))


@_check
def lines_are_given_back_as_they_came_in_order(home: Home) -> None:
    """Byte for byte, numbered upwards from above 0; `after` goes on exactly behind a line."""
    entries = [warned("w1"), changed("w1", "escalated", loss="31.00"), warned("w2", "d"), judged("w1", right=False)]
    home.write(entries[:3])
    home.write(entries[3:])
    lines = home.lines(0, 10)
    assert [line.body for line in lines] == [msgspec.json.encode(entry) for entry in entries]
    numbers = [line.seq for line in lines]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0
    assert home.last() == numbers[-1]
    assert home.lines(numbers[0], 2) == lines[1:3]
    assert home.lines(numbers[-1], 10) == home.lines(numbers[-1] + 1_000, 10) == []


@_check
def a_warning_stands_as_it_was_raised(home: Home) -> None:
    """Until something becomes of it."""
    home.write([warned("w1", probability=0.1 + 0.2, history=True)])
    found = home.warning("w1")
    assert found is not None
    entry = warned("w1", probability=0.1 + 0.2, history=True)
    assert msgspec.to_builtins(found) == msgspec.to_builtins(entry.warning) | {
        "state": "raised",
        "updated_at": "2024-03-01T00:00:00Z",
        "current": {"severity": "high", "probability": 0.1 + 0.2, "expected_loss": "30.00"},
        "verdict": None,
        "care": None,
    }
    assert home.warnings() == home.warnings(open_only=True) == home.warnings(customers=["c"]) == [found]


@_check
def a_service_warning_stands_beside_the_others_without_a_risk(home: Home) -> None:
    """It has no probability, comes after all that has an expected loss, and goes on like any other."""
    home.write([unhappy("s-1"), warned("w1"), changed("s-1", "recovered", "2024-03-09T00:00:00Z")])
    found = {warning.id: warning for warning in home.warnings(order="most_at_stake")}
    assert list(found) == ["w1", "s-1"]
    told = found["s-1"]
    assert (told.warning_kind, told.risk, told.current.probability) == ("service", None, None)
    assert (told.state, told.verdict, told.loyalty) == ("recovered", None, "price")
    assert told.discontent is not None
    assert [sign.event_id for sign in told.discontent.signs] == ["t-1"]
    assert home.counts().verdicts == {}


@_check
def what_becomes_of_a_warning_is_seen(home: Home) -> None:
    """The last figures that were said, the last state, and when; its own figures stay."""
    home.write([warned("w1"), changed("w1", "escalated", "2024-03-09T00:00:00Z", probability=0.9, loss="36.00")])
    [found] = home.warnings(open_only=True)
    assert (found.state, found.updated_at, found.verdict) == ("escalated", "2024-03-09T00:00:00Z", None)
    assert (found.current.probability, found.current.severity, found.current.expected_loss) == (0.9, "high", "36.00")
    assert found.risk is not None
    assert (found.risk.probability, found.value.expected_loss) == (0.75, "30.00")
    home.write([changed("w1", "recovered", severity="low")])
    [found] = home.warnings()
    assert (found.state, found.current.severity, found.current.expected_loss) == ("recovered", "low", "36.00")
    assert home.warnings(open_only=True) == home.warnings(open_only=True, order="most_at_stake") == []
    assert home.warnings(open_only=True, customers=["c"]) == []


@_check
def a_verdict_may_come_before_and_after_the_end(home: Home) -> None:
    """It changes no state, and an end changes no verdict."""
    home.write([warned("w1"), warned("w2"), warned("w3")])
    home.write([changed("w1", "lost"), judged("w1"), judged("w2", right=False), changed("w2", "recovered")])
    found = {w.id: (w.state, w.verdict, w.updated_at[:7]) for w in home.warnings()}
    assert found == {
        "w1": ("lost", True, "2024-06"),
        "w2": ("recovered", False, "2024-04"),
        "w3": ("raised", None, "2024-03"),
    }
    assert home.counts() == ({"lost": 1, "raised": 1, "recovered": 1}, {"right": 1, "wrong": 1}, {"high": 1})


@_check
def what_the_desk_did_is_seen(home: Home) -> None:
    """The last that was said, whatever the state; it ends nothing and changes no figures."""
    home.write([warned("w1"), warned("w2"), done("w1", "claimed", CareText(claimed_by="Li \U0001f4a5"))])
    home.write([done("w1", "snoozed", SLEEPS, "2024-05-01T00:00:00Z"), done("w9", "claimed", SLEEPS)])
    found = {w.id: (w.state, w.care, w.updated_at[:7]) for w in home.warnings(open_only=True)}
    assert found == {"w1": ("raised", SLEEPS, "2024-05"), "w2": ("raised", None, "2024-03")}
    home.write([changed("w1", "escalated", loss="36.00"), done("w1", "refused", SLEEPS), changed("w1", "lost")])
    one = home.warning("w1")
    assert one is not None
    assert (one.state, one.care, one.current.expected_loss) == ("lost", SLEEPS, "36.00")
    kinds = ["raised", "claimed", "snoozed", "escalated", "refused", "lost"]
    assert [entry.kind for entry in home.life_of("w1")] == kinds
    assert home.counts() == ({"lost": 1, "raised": 1}, {}, {"high": 1})


@_check
def a_line_of_an_unknown_warning_makes_none(home: Home) -> None:
    """It is a line as any other."""
    home.write([changed("w9", "escalated", severity="low"), judged("w9")])
    assert len(home.lines(0, 10)) == 2  # noqa: PLR2004 - as written
    assert (home.warnings(), home.warning("w9"), home.counts()) == ([], None, ({}, {}, {}))


@_check
def the_newest_come_first(home: Home) -> None:
    """By the time they were raised, as text, then by id, both by code point."""
    times = {"a": "2024-03-01T00:00:00Z", "b": "2024-03-02T00:00:00Z", "B": "2024-03-02T00:00:00Z"}
    times |= {"\ue000": times["b"], "\U0001f4a5": times["b"], "d": "2023-12-31T23:59:59.500000Z"}
    home.write([warned(warning_id, at=at) for warning_id, at in times.items()])
    assert _ids(home) == ["\U0001f4a5", "\ue000", "b", "B", "a", "d"]


@_check
def those_with_most_at_stake_come_first(home: Home) -> None:
    """By the expected loss as it stands, as a number; then the newest first."""
    losses = {"a": "9.50", "b": "100.00", "c": "1000.00", "d": "0.00", "e": "100.00", "f": "-3.00", "g": "99.99"}
    home.write([warned(warning_id, loss=loss) for warning_id, loss in losses.items()])
    assert _ids(home, order="most_at_stake") == ["c", "e", "b", "g", "a", "d", "f"]
    home.write([changed("d", "escalated", loss="500.00"), changed("c", "lost"), changed("b", "recovered", loss="1.00")])
    assert _ids(home, order="most_at_stake") == ["c", "d", "e", "g", "a", "b", "f"]
    assert _ids(home, order="most_at_stake", open_only=True) == ["d", "e", "g", "a", "f"]


@_check
def pages_are_the_whole_list(home: Home) -> None:
    """Of all and of the open ones, of some customers, in both orders, whatever becomes of the one gone on from."""
    home.write(
        [warned(f"w{n:02}", f"c{n % 3}", f"2024-03-{n % 7 + 1:02}T00:00:00Z", loss=f"{n % 4}.00") for n in range(30)]
    )
    home.write([changed(f"w{n:02}", "lost") for n in range(0, 30, 4)])
    orders: tuple[Order, ...] = ("newest_first", "most_at_stake")
    for order in orders:
        for open_only in (False, True):
            for customers in (None, ["c0", "c2", "nobody"]):
                whole = home.warnings(order=order, open_only=open_only, customers=customers)
                paged = [home.warnings(order=order, open_only=open_only, customers=customers, limit=4)]
                while last := paged[-1]:
                    more = home.warnings(
                        order=order, open_only=open_only, customers=customers, limit=4, after=last[-1].id
                    )
                    paged.append(more)
                assert [warning for page in paged for warning in page] == whole
    assert home.warnings(after="nobody's") == []


@_check
def one_may_go_on_from_a_warning_that_is_open_no_more(home: Home) -> None:
    """A page of open warnings goes on where it was, though its last one has ended meanwhile."""
    home.write([warned(f"w{n}", loss="5.00") for n in range(6)])
    first = home.warnings(open_only=True, limit=3, order="most_at_stake")
    home.write([changed(first[-1].id, "recovered")])
    for_all: tuple[Order, ...] = ("newest_first", "most_at_stake")
    for order in for_all:
        rest = home.warnings(open_only=True, order=order, after=first[-1].id)
        assert [warning.id for warning in rest] == ["w2", "w1", "w0"]


@_check
def a_customer_has_their_own_warnings_only(home: Home) -> None:
    """However their id is written."""
    home.write([warned(f"w-{name}-{n}", name) for name in HOSTILE for n in range(2)])
    for name in HOSTILE:
        assert [w.id for w in home.warnings(customers=[name])] == [f"w-{name}-1", f"w-{name}-0"]
        assert {w.customer_id for w in home.warnings(customers=[name])} == {name}
    assert len(home.warnings(customers=HOSTILE)) == len(home.warnings()) == 2 * len(HOSTILE)
    assert home.warnings(customers=[]) == []


@_check
def an_id_is_any_text(home: Home) -> None:
    """And comes back as it was; no two are taken for one."""
    home.write([warned(name, name) for name in HOSTILE])
    home.write([changed(name, "escalated", probability=0.5 + n / 100) for n, name in enumerate(HOSTILE)])
    for n, name in enumerate(HOSTILE):
        found = home.warning(name)
        assert found is not None
        assert (found.id, found.customer_id, found.current.probability) == (name, name, 0.5 + n / 100)
        assert [entry.kind for entry in home.life_of(name)] == ["raised", "escalated"]
    assert sorted(_ids(home)) == sorted(HOSTILE)


@_check
def a_life_is_all_lines_of_one_warning(home: Home) -> None:
    """In order, the first with the whole warning."""
    life = [warned("w1"), changed("w1", "escalated", loss="33.00"), changed("w1", "lost"), judged("w1")]
    home.write([life[0], warned("w2"), life[1], changed("w2", "withdrawn"), *life[2:]])
    assert home.life_of("w1") == tuple(life)
    assert [entry.kind for entry in home.life_of("w2")] == ["raised", "withdrawn"]
    assert home.life_of("w3") == ()
