from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.simulate import POISONS, Dirt, Shop, SimEvent, is_poison, poisoned, simulate
from streamproc.simulate.shop import dice
from tests.simulate.feed_rules import broken

SHARES = st.floats(0.0, 1.0)


def shop(dirt: Dirt, customers: int = 30) -> Shop:
    return Shop(customers=customers, days=300, seed=11, dirt=dirt)


CLEAN = [(event.stream, event.at, event.line) for event in simulate(shop(Dirt()))]


def content(event: SimEvent) -> tuple[str, int, bytes]:
    return event.stream, event.at, event.line


@settings(max_examples=25, deadline=None)
@given(st.builds(Dirt, duplicates=SHARES, disorder=SHARES, poison=SHARES, lateness_s=st.integers(1, 10**7)))
def test_every_line_is_accounted_for(dirt: Dirt) -> None:
    arrived = list(simulate(shop(dirt)))
    originals = [event for event in arrived if event.fault in {"", "late"}]
    repeats = [event for event in arrived if event.fault == "duplicate"]
    poison = [event for event in arrived if is_poison(event)]
    assert len(originals) + len(repeats) + len(poison) == len(arrived)
    assert Counter(map(content, originals)) == Counter(CLEAN)
    assert set(map(content, repeats)) <= set(CLEAN)
    assert poison == list(poisoned(shop(dirt)))
    assert all(broken(event.stream, event.line) for event in poison)
    assert not any(b"\n" in event.line for event in arrived)


@settings(max_examples=25, deadline=None)
@given(SHARES, st.integers(1, 10**6))
def test_nothing_is_later_than_it_may_be(share: float, lateness_s: int) -> None:
    clock = 0
    for event in simulate(shop(Dirt(disorder=share, duplicates=share, lateness_s=lateness_s))):
        if not event.fault:
            clock = max(clock, event.at)
        assert clock - event.at <= lateness_s * 1_000_000


def test_a_repeat_comes_after_what_it_repeats() -> None:
    seen: set[bytes] = set()
    for event in simulate(shop(Dirt(duplicates=0.5, disorder=0.5, lateness_s=10**6))):
        assert event.fault != "duplicate" or event.line in seen
        seen.add(event.line)


def test_what_is_on_time_stays_in_order() -> None:
    dirty = simulate(shop(Dirt(disorder=0.3, duplicates=0.3, poison=0.3)))
    assert all(a.at <= b.at for a, b in pairwise(event for event in dirty if not event.fault))


def test_shares_are_what_was_asked_for() -> None:
    asked = Dirt(duplicates=0.05, disorder=0.1, poison=0.01, lateness_s=3600)
    counts = Counter(
        "poison" if is_poison(event) else event.fault or "clean" for event in simulate(shop(asked, customers=900))
    )
    events = counts["clean"] + counts["late"]
    assert counts["duplicate"] / events == pytest.approx(0.05, rel=0.2)
    assert counts["late"] / events == pytest.approx(0.1, rel=0.2)
    assert counts["poison"] / events == pytest.approx(0.01, rel=0.3)


def test_every_kind_of_poison_is_given_to_every_stream() -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for event in poisoned(shop(Dirt(poison=1.0), customers=150)):
        kinds[event.stream].add(event.fault)
    assert dict(kinds) == {stream: set(POISONS) for stream in ("purchases", "complaints", "contacts", "facts")}


def test_dirt_is_repeatable() -> None:
    dirt = Dirt(duplicates=0.2, disorder=0.2, poison=0.2)
    assert list(simulate(shop(dirt))) == list(simulate(shop(dirt)))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_lies_between_none_and_all(share: float) -> None:
    with pytest.raises(ValueError, match="duplicates"):
        Dirt(duplicates=share)
    with pytest.raises(ValueError, match="disorder"):
        Dirt(disorder=share)
    with pytest.raises(ValueError, match="poison"):
        Dirt(poison=share)


def test_lateness_is_at_least_a_second() -> None:
    with pytest.raises(ValueError, match="lateness_s"):
        Dirt(lateness_s=0)


def test_nobody_elses_draws_disturb_a_stream_of_numbers() -> None:
    assert dice(1, 2).random() == dice(1, 2).random()
    assert dice(1, 2).random() != dice(1, 3).random() != dice(2, 2).random()
