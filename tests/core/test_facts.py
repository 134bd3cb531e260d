"""Facts do not depend on the order of arrival, nor on repeats; merging ids equals one id from the start."""

import random
from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core import facts as f
from streamproc.core.buckets import COMPLAINT, RETURN
from streamproc.core.complaints import STATUSES
from streamproc.core.events import Complaint, Contact, CustomerEvent, CustomerFact, Purchase
from streamproc.core.ids import hash_name
from streamproc.core.orders import Way
from streamproc.core.time import DAY, HOUR
from streamproc.testing.events import complained, known, sent_back, touched

START = 20_000 * DAY

hours = st.integers(0, 24 * 75)  # over three buckets
amounts = st.one_of(st.none(), st.integers(0, 100_000))

statuses = st.sampled_from(STATUSES)


regions = st.sampled_from([None, "north", "south"])
channels = st.sampled_from([None, "web", "phone"])
points = st.sampled_from([None, 0.0, 4.5, 10.0])


def at(hour: int) -> int:
    return START + hour * HOUR


@st.composite
def events(draw: st.DrawFn) -> list[CustomerEvent]:
    """Some weeks of one customer's events, unique ids, with corrections and cancellations of some orders."""
    made: list[CustomerEvent] = []
    for n in range(draw(st.integers(0, 12))):
        hour = draw(hours)
        order = f"o{draw(st.integers(0, 6))}"
        made.append(
            Purchase(
                event_id=f"p{n}", customer_id="c", at=at(hour), order_id=order, revision=n,
                amount=draw(amounts), cancelled=draw(st.integers(0, 5)) == 0, lines=draw(st.integers(0, 4)),
                cost=draw(amounts), list_amount=draw(amounts),
                deliberation_s=draw(st.sampled_from([None, 0.0, 90.5])), reward_amount=draw(amounts),
                region=draw(regions), dealer_id=draw(regions), channel=draw(channels), category=draw(channels),
            )
        )  # fmt: skip
    made += [
        Purchase(
            event_id=f"r{n}", customer_id="c", at=at(draw(hours)), order_id=f"r{draw(st.integers(0, 1))}",
            returned=True, amount=draw(st.sampled_from([None, -500, -700])),
            revision=draw(st.integers(0, 1)), cancelled=draw(st.booleans()),
        )
        for n in range(draw(st.integers(0, 5)))
    ]  # fmt: skip
    made += [
        Complaint(
            event_id=f"k{n}", customer_id="c", at=at(draw(hours)), complaint_id=f"k{draw(st.integers(0, 2))}",
            status=draw(statuses), severity=draw(st.integers(1, 5)), valid=draw(st.sampled_from([None, True])),
            channel=draw(channels), owner=draw(st.sampled_from([None, "Li", "Wu"])),
            resolution_score=draw(st.sampled_from([None, 1, 5])),
        )
        for n in range(draw(st.integers(0, 5)))
    ]  # fmt: skip
    made += [
        Contact(
            event_id=f"t{n}", customer_id="c", at=at(draw(hours)), contact_id=f"t{draw(st.integers(0, 2))}",
            purpose=draw(st.sampled_from([None, "cancellation", "inquiry"])),
            competitor=draw(st.sampled_from([None, False, True])),
            direction=draw(st.sampled_from(["in", "out"])), strategic=draw(st.sampled_from([None, 0.2, 0.8])),
            result=draw(st.sampled_from([None, "resolved", "unresolved", "terminated"])),
            perceived=draw(points), expected=draw(points), wait_s=draw(st.sampled_from([None, 0.0, 600.0])),
            staff_id=draw(st.sampled_from([None, "s1", "s2"])), referral=draw(st.sampled_from([None, True])),
        )
        for n in range(draw(st.integers(0, 5)))
    ]  # fmt: skip
    made += [
        CustomerFact(
            event_id=f"f{n}", customer_id="c", at=at(draw(hours)), owner=draw(st.sampled_from([None, "Li", "Wu", "He"]))
        )
        for n in range(draw(st.integers(1, 5)))
    ]
    return made


def after(history: Sequence[CustomerEvent]) -> f.Facts:
    facts = f.new_facts()
    for event in history:
        f.take(facts, event)
    return facts


def encoded(facts: f.Facts) -> f.Facts:
    """As it reads after a round trip."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=f.Facts)


@given(events(), st.randoms(use_true_random=False))
def test_any_order_and_repeats_leave_the_same_facts(history: list[CustomerEvent], rng: random.Random) -> None:
    shuffled = history + rng.sample(history, k=len(history) // 2)
    rng.shuffle(shuffled)
    assert encoded(after(shuffled)) == encoded(after(history))


@given(events(), st.randoms(use_true_random=False))
def test_merging_two_ids_equals_one_id_from_the_start(history: list[CustomerEvent], rng: random.Random) -> None:
    mine: list[CustomerEvent] = []
    theirs: list[CustomerEvent] = []
    for event in history:
        (mine if rng.random() < 0.5 else theirs).append(event)
    merged = after(mine)
    f.merge(merged, after(theirs))
    assert encoded(merged) == encoded(after(history))


@given(events())
def test_evidence_is_the_latest_order_or_return_that_was_no_cancellation(history: list[CustomerEvent]) -> None:
    evidence = after(history).evidence
    bought = [e for e in history if isinstance(e, Purchase) and not e.cancelled]
    for stream, returned in (("purchases", False), ("returns", True)):
        times = [(e.at, e.event_id) for e in bought if e.returned == returned]
        latest = evidence.get(stream)
        assert (latest and (latest.at, latest.value)) == max(times, default=None)


def purchase(n: int, day: int, amount: int | None = 1000, **more: object) -> Purchase:
    return Purchase(
        event_id=f"e{n}", customer_id="c", at=START + day * DAY, amount=amount,
        **({"order_id": f"o{n}"} | more),  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_correction_replaces_and_a_cancellation_removes() -> None:
    facts = after([purchase(1, 0), purchase(2, 5, 700, order_id="o1", revision=1)])
    assert (facts.n_days, facts.buckets.revenue[0], facts.first_day) == (1, 700, 20_000)
    f.take(facts, purchase(3, 6, order_id="o1", revision=2, cancelled=True))
    assert (facts.n_days, facts.first_day, facts.last_purchase()) == (0, -1, None)
    assert f.take(facts, purchase(4, 7, order_id="o1", revision=1)) == "repeat"


def test_only_the_last_days_are_kept_and_all_are_counted() -> None:
    facts = after([purchase(n, n) for n in range(40)])
    assert (facts.n_days, len(facts.recent.day), facts.recent.day[0]) == (40, 32, 20_008)
    assert sum(facts.buckets.revenue) == 40_000
    assert f.take(facts, purchase(99, 2)) == "too_old"
    assert facts.first_day == 20_000


def test_more_orders_a_day_than_are_told_apart_still_count() -> None:
    facts = after([purchase(n, 0) for n in range(20)])
    assert (facts.recent.count, facts.recent.amount, facts.recent.overflow) == ([20], [20_000], 4)


def test_buckets_older_than_kept_are_folded_and_none_is_lost() -> None:
    facts = after([purchase(n, n * 30) for n in range(30)])
    assert len(facts.buckets.number) == 14
    assert sum(facts.buckets.revenue) + facts.buckets.older.revenue == 30_000


def test_returns_and_complaints_are_counted_once() -> None:
    back = Purchase(event_id="r", customer_id="c", at=START, order_id="r1", returned=True, amount=-300)
    step = Complaint(event_id="k", customer_id="c", at=START, complaint_id="k", status="opened")
    facts = after([back, back, step, step])
    (counts,) = facts.buckets.kinds.values()
    assert (facts.buckets.returned, counts[RETURN], counts[COMPLAINT]) == ([300], 1, 1)
    assert facts.n_days == 0


def test_the_state_of_a_usual_customer_is_small() -> None:
    facts = after([purchase(n, n * 20, cost=600) for n in range(20)])
    assert len(msgspec.msgpack.encode(facts)) < 1000


def test_two_ids_that_bought_more_on_a_day_than_is_told_apart_merge_to_all_of_it() -> None:
    mine = after([purchase(n, 0) for n in range(20)])
    theirs = after([purchase(100 + n, 0, 10) for n in range(18)])
    f.merge(mine, theirs)
    assert (mine.n_days, mine.n_orders, mine.recent.count) == (1, 38, [38])
    assert mine.recent.amount == [20_000 + 180]
    assert sum(mine.buckets.revenue) == 20_180


def test_ids_with_more_days_than_are_kept_merge_to_the_latest_days_and_all_of_the_sums() -> None:
    mine = after([purchase(n, 2 * n) for n in range(30)])
    theirs = after([purchase(100 + n, 2 * n + 1) for n in range(30)])
    f.merge(mine, theirs)
    assert (mine.n_days, mine.n_orders, mine.first_day) == (60, 60, 20_000)
    assert mine.recent.day == list(range(20_028, 20_060))
    assert sum(mine.buckets.revenue) == 60_000


def test_cancelling_one_of_many_days_does_not_forget_the_first() -> None:
    facts = after([purchase(n, n) for n in range(33)])
    f.take(facts, purchase(99, 34, order_id="o20", revision=1, cancelled=True))
    assert (facts.n_days, facts.first_day) == (32, 20_000)


def test_a_contact_told_twice_stands_as_it_was_told_last() -> None:
    first = Contact(event_id="a", customer_id="c", at=START, contact_id="t", direction="in", result="unresolved")
    then = Contact(event_id="b", customer_id="c", at=START + HOUR, contact_id="t", direction="in", result="terminated")
    for told in ([first, then], [then, first, then]):
        facts = after(told)
        assert [t.result for t in facts.contacts] == ["terminated"]
        assert facts.terminated_at == START + HOUR
        (counts,) = facts.buckets.kinds.values()
        assert sum(counts) == 1


def test_what_was_taken_back_leaves_no_trace() -> None:
    gone = after([purchase(1, 0), purchase(2, 1, order_id="o1", revision=1, cancelled=True)])
    assert gone.buckets == f.new_facts().buckets
    assert (gone.n_days, gone.n_orders, gone.first_day, gone.last_purchase()) == (0, 0, -1, None)


def test_what_a_contact_told_of_the_service_is_summed_by_month() -> None:
    told = [
        touched(START, purpose="survey", perceived=6.0, expected=8.0),
        touched(START + HOUR, purpose="support", result="resolved", wait_s=60.0),
        touched(START + 2 * HOUR, purpose="support", result="unresolved", wait_s=120.0),
        touched(START + 3 * HOUR, "out", purpose="support", result="unresolved"),  # no question of the customer's
        touched(START + 4 * HOUR, purpose="inquiry"),  # an end that nobody told
        touched(START + 5 * HOUR, perceived=9.0),  # of what was expected nothing is known
    ]
    experience = after([*told, *told]).experience
    assert experience == {20_000 // 30: [1, 60, 80, 400, 2, 180, 2, 1]}


def test_sums_of_the_service_older_than_kept_are_let_go_in_any_order() -> None:
    told = [touched(START + n * 30 * DAY, purpose="survey", perceived=5.0, expected=5.0) for n in (0, 7, 13, 14)]
    wanted = {20_000 // 30 + n: [1, 50, 50, 0, 0, 0, 0, 0] for n in (7, 13, 14)}
    assert after(told).experience == wanted
    assert list(after(told[::-1]).experience.items()) == list(wanted.items())


def test_an_order_tells_how_it_came_about_and_costs_nothing_where_nothing_was_told() -> None:
    facts = after(
        [
            purchase(1, 0),
            purchase(2, 1, deliberation_s=90.7, reward_amount=50, region="north", dealer_id="d1", category="tea"),
        ]
    )
    plain, told = facts.recent.known()
    assert plain.way is None
    assert told.way == Way(90, True, hash_name("north"), hash_name("d1"), hash_name("tea"))
    assert (facts.says("region"), facts.says("dealer_id"), facts.says("category")) == ("north", "d1", "tea")
    assert facts.experience == {}


def test_a_contact_that_is_evidence_keeps_its_event() -> None:
    told = [
        touched(START, purpose="survey", perceived=6.0, expected=8.0),
        touched(START + HOUR, purpose="survey", perceived=8.0, expected=8.0),
        touched(START + 2 * HOUR, result="unresolved"),
        touched(START + 3 * HOUR, result="resolved", competitor=True, staff_id="s1", referral=True),
    ]
    touches = after(told).contacts
    assert [bool(t.event_id) for t in touches] == [True, False, True, True]
    assert (touches[-1].staff, touches[-1].referral) == (hash_name("s1"), True)


def test_a_complaint_knows_where_it_was_heard_whose_it_is_and_how_well_it_was_solved() -> None:
    told = [
        complained(START, "opened", channel="phone", owner="Li"),
        complained(START + HOUR, "resolved", owner="Wu", resolution_score=2),
        complained(START + 2 * HOUR, "reopened", channel="email"),
        complained(START + 3 * HOUR, "resolved", resolution_score=4),
    ]
    for order in (told, told[::-1]):
        (file,) = after(order).complaints
        assert (file.channel, file.owner, file.resolution_score) == ("phone", "Wu", 4)


def test_the_owner_before_is_the_last_other_one() -> None:
    told = [known(START + n * DAY, owner=owner, event_id=f"f{n}") for n, owner in enumerate(["Li", "He", "Wu", "Wu"])]
    for order in (told, told[::-1]):
        facts = after(order)
        assert (facts.says("owner"), facts.says("owner_before")) == ("Wu", "He")
    assert after(told[:1]).says("owner_before") is None


def test_an_order_that_comes_back_in_parts_has_several_returns() -> None:
    parts = [sent_back(START + day * DAY, -amount, order_id="o1") for day, amount in ((1, 300), (3, 200), (3, 100))]
    for order in (parts, parts[::-1], [*parts, parts[0]]):
        facts = after(order)
        assert facts.buckets.returned == [600]
        assert [r.amount for r in facts.returns] == [300, 100, 200]


def test_a_later_revision_replaces_an_orders_returns_and_a_cancelled_one_takes_them_back() -> None:
    parts = [sent_back(START + day * DAY, -300, order_id="o1") for day in (1, 3)]
    corrected = sent_back(START + 4 * DAY, -450, order_id="o1", revision=1)
    cancelled = sent_back(START + 5 * DAY, -450, order_id="o1", revision=2, cancelled=True)
    for order in ([*parts, corrected], [corrected, *parts]):
        assert after(order).buckets.returned == [450]
    assert after([cancelled, *parts, corrected]).buckets == f.new_facts().buckets


def test_returns_and_contacts_that_merging_leaves_no_room_for_still_count() -> None:
    early: list[CustomerEvent] = [sent_back(START + n * HOUR, -1_000, order_id=f"a{n}") for n in range(3)]
    late: list[CustomerEvent] = [sent_back(START + DAY + n * HOUR, -100, order_id=f"b{n}") for n in range(8)]
    early += [touched(START + n * HOUR, result="unresolved", contact_id=f"a{n}") for n in range(3)]
    late += [touched(START + DAY + n * HOUR, contact_id=f"b{n}") for n in range(8)]
    whole = encoded(after([*early, *late]))
    for mine, theirs in ((early, late), (late, early)):
        facts = after(mine)
        f.merge(facts, after(theirs))
        assert encoded(facts) == whole


def test_a_termination_that_is_corrected_stands_no_more() -> None:
    left = touched(START + DAY, result="terminated", contact_id="t")
    stayed = touched(START + 2 * DAY, result="saved", contact_id="t")
    before = touched(START, result="terminated", contact_id="s")
    for order in ([left, stayed], [stayed, left], [left, stayed, left]):
        assert after(order).terminated_at == 0
        assert after([*order, before]).terminated_at == after([before, *order]).terminated_at == START
    for mine, theirs in ((left, stayed), (stayed, left)):
        facts = after([mine])
        f.merge(facts, after([theirs]))
        assert facts.terminated_at == 0


def test_a_termination_outlives_the_contact_that_told_of_it() -> None:
    facts = after([touched(START + n * HOUR, result="terminated" if n == 0 else None) for n in range(12)])
    new = after([touched(START - HOUR, result="terminated", contact_id="older")])
    f.merge(new, facts)
    assert new.terminated_at == facts.terminated_at == START


def test_an_order_of_unknown_amount_is_no_discount_and_no_loss() -> None:
    facts = after([purchase(1, 0, cost=300, list_amount=1_000, amount=None)])
    assert (facts.n_orders, facts.buckets.kinds) == (1, {})
    assert (facts.buckets.orders, facts.buckets.cost, facts.buckets.listed) == ([1], [0], [0])


def test_a_complaint_that_is_kept_no_longer_is_no_new_one() -> None:
    opened: list[CustomerEvent] = [complained(START + n * HOUR, complaint_id=f"k{n}") for n in range(9)]
    answers: list[CustomerEvent] = [
        complained(START + (20 + n) * HOUR, "resolved", complaint_id=f"k{n}") for n in range(9)
    ]
    facts = after([*opened, *answers])
    assert [file.opened_at() for file in facts.complaints] == [e.at // 1_000_000 for e in opened[1:]]
    assert [counts[COMPLAINT] for counts in facts.buckets.kinds.values()] == [9]
    for mine, theirs in (([*opened, *answers], [answers[0]]), ([opened[0]], [*opened, *answers])):
        merged = after(mine)
        f.merge(merged, after(theirs))
        assert encoded(merged) == encoded(facts)


def test_a_return_told_twice_names_one_event_whichever_came_first() -> None:
    told = [sent_back(START, order_id="o1", event_id=name) for name in "ab"]
    for order in (told, told[::-1]):
        facts = after(order)
        assert [r.event_id for r in facts.returns] == ["b"]
        assert facts.buckets.returned == [500]
