"""What the shop is there for: causes that show, handling that matters, rhythms that differ.

Seeds are fixed and bounds wide: a failure means that the shop has changed.
"""

import json
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest

from streamproc.simulate import CAUSES, Shop, simulate, truth
from streamproc.simulate.history import history
from streamproc.simulate.person import draw_person
from streamproc.simulate.shop import dice
from streamproc.simulate.world import World, build_world

SHOP = Shop(customers=1500, days=730, seed=1)
DAY = 86_400.0


@cache
def events(stream: str) -> list[dict[str, Any]]:
    return [json.loads(event.line) for event in simulate(SHOP) if event.stream == stream]


@cache
def leavings() -> list[dict[str, Any]]:
    return [json.loads(line) for line in truth(SHOP)]


@cache
def world() -> World:
    return build_world(SHOP)


def second(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def name_of(event: dict[str, Any]) -> str:
    return f"c{event['customer_id'][1:]}"


@cache
def order_times() -> dict[str, list[float]]:
    times: dict[str, list[float]] = defaultdict(list)
    for order in events("purchases"):
        if order["amount"] > 0 and "revision" not in order:
            times[name_of(order)].append(second(order["occurred_at"]))
    return times


def test_about_a_third_leaves_in_two_years() -> None:
    share = len({leaving["customer_id"] for leaving in leavings()}) / len(order_times())
    assert 0.28 < share < 0.42


def test_people_buy_some_nine_times_a_year() -> None:
    left = {leaving["customer_id"]: second(leaving["left_at"]) for leaving in reversed(leavings())}
    rates = []
    for name, times in order_times().items():
        until = left.get(name, SHOP.ends / 1e6)
        if until - times[0] > 90 * DAY:
            rates.append(sum(at <= until for at in times[1:]) / (until - times[0]) * 365 * DAY)
    assert 5 < median(rates) < 15
    assert max(rates) > 6 * median(rates)


def test_some_orders_have_a_complaint_or_a_contact() -> None:
    opened = sum(step["status"] == "opened" for step in events("complaints"))
    orders = sum(map(len, order_times().values()))
    assert 0.03 < (opened + len(events("contacts"))) / orders < 0.08


def test_every_cause_drives_somebody_away() -> None:
    causes = Counter(leaving["cause"] for leaving in leavings())
    assert set(causes) == set(CAUSES)
    assert causes["natural"] < 0.5 * causes.total()


def test_evidence_is_in_the_feed_when_the_truth_says_so() -> None:
    complained = {(name_of(step), step["category"]) for step in events("complaints") if "category" in step}
    contacts = Counter(name_of(contact) for contact in events("contacts"))
    returned = {name_of(order) for order in events("purchases") if order["amount"] < 0}
    personal = {"quality", "service", "short_term_conduct", "competitor", "inconvenience", "innovation"}
    shown = [leaving for leaving in leavings() if leaving["left_evidence"] and leaving["cause"] in personal]
    assert shown
    for leaving in shown:
        name = leaving["customer_id"]
        assert (name, leaving["cause"]) in complained or contacts[name] or name in returned


def test_the_silent_and_unhappy_did_not_complain_lately() -> None:
    complaints: dict[str, list[float]] = defaultdict(list)
    for step in events("complaints"):
        if step["status"] == "opened":
            complaints[name_of(step)].append(second(step["occurred_at"]))
    silent = [leaving for leaving in leavings() if leaving["silent_unhappy"]]
    assert 0.25 < len(silent) / len(leavings()) < 0.65
    for leaving in silent:
        left_at = second(leaving["left_at"])
        assert not [at for at in complaints[leaving["customer_id"]] if left_at - 180 * DAY < at <= left_at]


def test_good_handling_keeps_customers() -> None:
    shop = Shop(customers=4000, days=500, seed=9)
    lives: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for event in simulate(shop):
        if event.stream == "complaints":
            step = json.loads(event.line)
            lives[name_of(step), step["complaint_id"]].append(step)
    left = {leaving["customer_id"]: second(leaving["left_at"]) for leaving in map(json.loads, truth(shop))}
    went: dict[bool, list[bool]] = {True: [], False: []}
    for (name, _), life in lives.items():
        opened = second(life[0]["occurred_at"])
        if opened + 200 * DAY < shop.ends / 1e6 and life[-1]["status"] != "withdrawn":
            well = len(life) == 3 and life[-1]["resolution_score"] > 3
            went[well].append(opened < left.get(name, 0) < opened + 180 * DAY)
    assert min(map(len, went.values())) > 80
    assert mean(went[False]) > 1.3 * mean(went[True])


def test_rhythms_reach_from_chance_to_clockwork() -> None:
    spreads = []
    for times in order_times().values():
        if len(times) >= 12:
            gaps = [b - a for a, b in pairwise(times)]
            centre = mean(gaps)
            spreads.append((mean([(gap - centre) ** 2 for gap in gaps]) ** 0.5) / centre)
    assert sum(spread < 0.45 for spread in spreads) > 20
    assert sum(spread > 0.9 for spread in spreads) > 20


def test_the_base_grows_and_has_seasons() -> None:
    firsts = sorted(times[0] for times in order_times().values())
    start, middle = SHOP.opens / 1e6 + 120 * DAY, SHOP.opens / 1e6 + 425 * DAY
    assert sum(at > middle for at in firsts) > 1.05 * sum(start < at <= middle for at in firsts)
    weekdays = Counter(datetime.fromisoformat(o["occurred_at"]).weekday() for o in events("purchases"))
    assert max(weekdays, key=lambda day: weekdays[day]) == 5


def test_firms_rest_on_weekends() -> None:
    firm_days = Counter(
        datetime.fromisoformat(order["occurred_at"]).weekday() > 4
        for order in events("purchases")
        if order.get("customer_kind") in {"business", "dealer"} and order["amount"] > 0
    )
    assert firm_days[True] < 0.01 * firm_days[False]


def test_the_price_loyal_buy_at_a_discount_until_discounts_end() -> None:
    ended = world().discounts_end_at / 1e6
    loyal = {
        person.name
        for number in range(SHOP.customers)
        if (person := draw_person(world(), number, dice(SHOP.seed, number))).wallet.price_loyal
    }
    for order in events("purchases"):
        if name_of(order) in loyal and order["amount"] > 0 and "revision" not in order:
            assert ("list_amount" in order) == (second(order["occurred_at"]) < ended)
    causes = Counter(leaving["cause"] for leaving in leavings() if leaving["customer_id"] in loyal)
    assert causes["price"] > 0.5 * causes.total()


def test_firms_with_an_account_manager_are_told_the_list_price_whatever_they_pay() -> None:
    """Only so it shows that somebody hardly minds prices: without it nobody could be platinum."""
    people = [draw_person(world(), number, dice(SHOP.seed, number)) for number in range(SHOP.customers)]
    invoiced = {person.name for person in people if person.invoiced()}
    assert 100 < len(invoiced) < 250
    listed = Counter[bool]()
    for order in events("purchases"):
        if order["amount"] > 0 and name_of(order) in invoiced:
            listed[order["list_amount"] > order["amount"]] += 1
    assert 0.05 < listed[True] / listed.total() < 0.35


def test_a_raided_region_shows_in_its_orders() -> None:
    assigned = {fact["subject"]: fact["region"] for fact in events("facts") if fact.get("fact") == "dealer_region"}
    strange = [order for order in events("purchases") if "dealer_id" in order]
    strange = [order for order in strange if assigned[order["dealer_id"]] != order["region"]]
    raiders = {dealer.dealer_id: dealer for dealer in world().dealers if dealer.raids_from is not None}
    assert strange
    for order in strange:
        raider = raiders[order["dealer_id"]]
        assert raider.raided == order["region"]
        assert second(order["occurred_at"]) * 1e6 >= (raider.raids_from or 0)


def test_customers_of_staff_who_leave_get_a_successor_and_may_leave_themselves() -> None:
    left = {fact["subject"]: fact for fact in events("facts") if fact.get("fact") == "staff_left"}
    assert left
    owners: dict[str, list[str]] = defaultdict(list)
    for fact in events("facts"):
        if "owner" in fact:
            owners[name_of(fact)].append(fact["owner"])
    handed = [names for names in owners.values() if len(names) == 2]
    assert handed
    for first, then in handed:
        assert left[first]["successor"] == then
    for leaving in leavings():
        if leaving["cause"] == "staff_departure":
            assert owners[leaving["customer_id"]][0] in left


def test_nobody_orders_online_in_an_outage() -> None:
    outages = world().outages
    assert outages
    for order in events("purchases"):
        if order["amount"] > 0 and "revision" not in order and order["channel"] in {"web", "app"}:
            at = second(order["occurred_at"]) * 1e6
            assert not [1 for starts, ends in outages if starts <= at < ends]


def test_some_only_ask() -> None:
    asked = {name_of(contact) for contact in events("contacts")} - set(order_times())
    assert len(asked) > 5


@pytest.mark.parametrize("number", range(5))
def test_a_customer_can_be_simulated_alone(number: int) -> None:
    assert history(world(), number) == history(world(), number)
