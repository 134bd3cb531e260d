"""What must hold of every `States`: each function takes a fresh one and raises AssertionError where it does not."""

from collections.abc import Callable

from streamproc.monitor.partition import States

CHECKS: list[Callable[[States], None]] = []
"""All of the checks below, for a test's parameters."""


def _check(function: Callable[[States], None]) -> Callable[[States], None]:
    CHECKS.append(function)
    return function


@_check
def an_unknown_customer_has_no_state(states: States) -> None:
    """`get` of an id never put is None."""
    assert states.get("nobody") is None
    assert states.next_due() is None
    assert states.due(1 << 60) == []


@_check
def the_last_state_put_is_the_one_got(states: States) -> None:
    """A put replaces."""
    states.put("a", b"one", None)
    states.put("a", b"two", 10)
    states.put("b", b"three", 20)
    assert (states.get("a"), states.get("b")) == (b"two", b"three")


@_check
def of_who_is_dropped_nothing_is_kept(states: States) -> None:
    """Neither the state nor when it was due; it may come again."""
    states.put("a", b"one", 10)
    states.put("b", b"two", 20)
    states.drop("a")
    states.drop("nobody")
    assert (states.get("a"), states.next_due(), states.due(30)) == (None, 20, ["b"])
    states.put("a", b"three", 15)
    assert (states.get("a"), states.next_due()) == (b"three", 15)


@_check
def the_due_are_those_at_or_before_the_time(states: States) -> None:
    """`due` includes the instant itself, and names nobody twice."""
    for customer_id, due in (("a", 30), ("b", 10), ("c", 20), ("d", None), ("e", 10)):
        states.put(customer_id, b"x", due)
    assert (states.next_due(), sorted(states.due(9))) == (10, [])
    assert sorted(states.due(20)) == ["b", "c", "e"]


@_check
def only_the_last_due_time_counts(states: States) -> None:
    """An earlier due time that was put before is forgotten, one put after counts."""
    states.put("a", b"x", 10)
    states.put("a", b"x", 50)
    states.put("b", b"x", 40)
    states.put("b", b"x", 5)
    states.put("c", b"x", 7)
    states.put("c", b"x", None)
    assert (states.next_due(), sorted(states.due(10))) == (5, ["b"])


@_check
def due_times_hold_after_the_due_were_put_again(states: States) -> None:
    """The round of every tick: ask who is due, put them with a later time, ask for the next."""
    for n in range(20):
        states.put(f"c{n:02}", b"x", 10 + n % 3)
    for now, later, expected in ((10, 11, 7), (11, 12, 14), (12, None, 20)):
        found = sorted(states.due(now))
        assert len(found) == expected
        for customer_id in found:
            states.put(customer_id, b"y", later)
    assert states.next_due() is None
    assert states.due(99) == []


@_check
def the_same_due_time_put_twice_is_one(states: States) -> None:
    """A put that changes only the state leaves the due time as it was."""
    states.put("a", b"x", 10)
    states.put("a", b"y", 10)
    assert states.due(10) == ["a"]
    states.put("a", b"z", None)
    assert (states.next_due(), states.due(10), states.get("a")) == (None, [], b"z")
