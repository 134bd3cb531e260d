from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.core.time import DAY
from streamproc.scoring.examples import Example
from streamproc.trainer import ring as room
from streamproc.trainer.ring import LARGEST, OLDEST, Ring, place, thinned


def example(n: int, day: int = 0, label: int = 0) -> Example:
    return Example(
        customer_id=f"c{n}",
        at=day * DAY,
        features=b"",
        repeats=0,
        recency=0,
        age=0,
        horizon=30.0,
        log_odds_micro=0,
        label=label,
    )


def test_few_are_all_kept_in_order_of_time() -> None:
    kept = Ring([example(2, 5), example(1, 7), example(3, 1)])
    assert [e.customer_id for e in kept.examples()] == ["c3", "c2", "c1"]


def test_of_many_the_smallest_hashes_are_kept() -> None:
    some = [example(n) for n in range(LARGEST + 500)]
    kept = Ring(some)
    assert {place(e) for e in kept.examples()} == set(sorted(map(place, some))[:LARGEST])


@settings(max_examples=20)
@given(st.permutations(range(30)), st.integers(1, 30))
def test_what_is_kept_does_not_depend_on_the_order(order: list[int], most: int) -> None:
    before = room.LARGEST
    room.LARGEST = most
    try:
        kept = Ring(example(n) for n in order)
    finally:
        room.LARGEST = before
    assert {place(e) for e in kept.examples()} == set(sorted(place(example(n)) for n in range(30))[:most])


def test_keep_says_whether_it_kept() -> None:
    ring = Ring()
    assert ring.keep(example(1))
    assert not ring.keep(example(1, label=1))
    assert [e.label for e in ring.examples()] == [1]


def test_the_old_are_forgotten_and_make_room() -> None:
    ring = Ring(example(n, day=n % 2 * OLDEST) for n in range(LARGEST))
    ring.forget((OLDEST + 1) * DAY)
    assert {e.at for e in ring.examples()} == {OLDEST * DAY}
    assert all(ring.keep(example(n, day=OLDEST + 1)) for n in range(LARGEST // 2))
    assert len(ring.examples()) == LARGEST
    ring.forget((OLDEST + 1) * DAY)
    assert len(ring.examples()) == LARGEST


@given(st.integers(0, 60), st.integers(1, 60))
def test_thinning_keeps_the_smallest_hashes_in_the_order_given(n: int, most: int) -> None:
    some = [example(i) for i in range(n)]
    kept = thinned(some, most)
    assert len(kept) == min(n, most)
    assert [e for e in some if e in kept] == kept
    assert set(map(place, kept)) == set(sorted(map(place, some))[:most])
