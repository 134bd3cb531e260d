import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.simulate import STREAMS, Dirt, Shop, demo_shop, simulate, truth, write
from tests.simulate.feed_rules import broken

SMALL = Shop(customers=150, days=500, seed=3)


def at_of(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) * 1_000_000


def parsed(shop: Shop, stream: str) -> list[dict[str, Any]]:
    return [json.loads(event.line) for event in simulate(shop) if event.stream == stream]


def lines_of(shop: Shop, number: int) -> list[bytes]:
    mine = f'"customer_id":"c{number:07d}"'.encode(), f'"customer_id":"g{number:07d}"'.encode()
    return [event.line for event in simulate(shop) if any(name in event.line for name in mine)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(simulate(SMALL)) == list(simulate(SMALL))
    assert list(truth(SMALL)) == list(truth(SMALL))


def test_another_seed_gives_another_shop() -> None:
    other = Shop(customers=150, days=500, seed=4)
    assert not {event.line for event in simulate(SMALL) if event.stream == "purchases"} & {
        event.line for event in simulate(other)
    }


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 25), st.integers(1, 25))
def test_a_customer_does_not_know_how_many_others_there_are(seed: int, few: int, more: int) -> None:
    small = Shop(customers=few, days=300, seed=seed)
    large = Shop(customers=few + more, days=300, seed=seed)
    for number in range(few):
        assert lines_of(small, number) == lines_of(large, number)
    everybody = [event.line for event in simulate(small) if b'"customer_id"' not in event.line]
    assert everybody == [event.line for event in simulate(large) if b'"customer_id"' not in event.line]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 1500), st.dates(date(1970, 1, 1), date(2800, 1, 1)))
def test_any_shop_keeps_its_rules(seed: int, days: int, start: date) -> None:
    shop = Shop(customers=12, days=days, seed=seed, start=start)
    before = shop.opens
    ids = set()
    for event in simulate(shop):
        assert broken(event.stream, event.line) == []
        assert before <= event.at < shop.ends
        assert b"\n" not in event.line
        ids.add(json.loads(event.line)["event_id"])
        before = event.at
    assert len(ids) == sum(1 for _ in simulate(shop))


def test_the_time_of_an_event_is_the_time_it_is_sorted_by() -> None:
    for event in simulate(SMALL):
        assert at_of(json.loads(event.line)["occurred_at"]) == event.at // 1_000_000 * 1_000_000


def test_files_hold_what_is_simulated(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    counts = write(SMALL, tmp_path / "new" / "folder", lambda done, of: seen.append((done, of)))
    written = {name: (tmp_path / "new/folder" / f"{name}.jsonl").read_bytes().splitlines() for name in STREAMS}
    expected: dict[str, list[bytes]] = defaultdict(list)
    for event in simulate(SMALL):
        expected[event.stream].append(event.line)
    expected["truth"] = list(truth(SMALL))
    assert written == expected
    assert counts == {name: len(lines) for name, lines in written.items()}
    assert seen[0] == (0, 150)
    assert seen[-1] == (150, 150)


def test_truth_is_written_clean_whatever_the_dirt(tmp_path: Path) -> None:
    dirty = Shop(customers=150, days=500, seed=3, dirt=Dirt(duplicates=0.2, disorder=0.5, poison=0.1))
    write(dirty, tmp_path)
    assert (tmp_path / "truth.jsonl").read_bytes().splitlines() == list(truth(SMALL))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write(SMALL, tmp_path / "file" / "folder")


@pytest.mark.parametrize("shop", [SMALL, demo_shop()])
def test_truth_agrees_with_the_orders(shop: Shop) -> None:
    orders: dict[str, list[int]] = defaultdict(list)
    cancelled = {order["order_id"] for order in parsed(shop, "purchases") if order.get("cancelled")}
    for order in parsed(shop, "purchases"):
        if order["amount"] > 0 and "revision" not in order and order["order_id"] not in cancelled:
            orders[f"c{order['customer_id'][1:]}"].append(at_of(order["occurred_at"]))
    leavings = [json.loads(line) for line in truth(shop)]
    assert len(leavings) > 20
    assert [leaving["left_at"] for leaving in leavings] == sorted(leaving["left_at"] for leaving in leavings)
    for leaving in leavings:
        assert broken("truth", json.dumps(leaving).encode()) == []
        left_at, mine = at_of(leaving["left_at"]), orders[leaving["customer_id"]]
        back = shop.ends if leaving["won_back_at"] is None else at_of(leaving["won_back_at"])
        assert max(at for at in mine if at <= left_at) == at_of(leaving["last_purchase_at"])
        assert not [at for at in mine if left_at < at < back]
        assert not leaving["left_evidence"] or leaving["cause"] != "natural"
        assert not leaving["silent_unhappy"] or leaving["cause"] != "natural"


def test_who_comes_back_buys_again() -> None:
    shop = Shop(customers=400, days=730, seed=5)
    every = {(f"c{o['customer_id'][1:]}", o["occurred_at"]) for o in parsed(shop, "purchases")}
    returns = [json.loads(line) for line in truth(shop)]
    back = [(leaving["customer_id"], leaving["won_back_at"]) for leaving in returns if leaving["won_back_at"]]
    assert len(back) > 5
    assert set(back) <= every


def test_a_termination_is_a_leaving() -> None:
    left = {(leaving["customer_id"], leaving["left_at"]) for leaving in map(json.loads, truth(SMALL))}
    ended = [
        (f"c{contact['customer_id'][1:]}", contact["occurred_at"])
        for contact in parsed(SMALL, "contacts")
        if contact["result"] == "terminated"
    ]
    assert ended
    assert set(ended) <= left


def test_complaints_have_a_life_in_order() -> None:
    follows = {
        None: {"opened"},
        "opened": {"acknowledged", "withdrawn"},
        "acknowledged": {"resolved"},
        "resolved": {"reopened"},
        "reopened": {"resolved"},
        "withdrawn": set(),
    }
    steps: dict[str, list[str]] = defaultdict(list)
    for step in parsed(Shop(customers=600, days=730, seed=2), "complaints"):
        steps[step["complaint_id"]].append(step["status"])
    seen = Counter(status for life in steps.values() for status in life)
    assert set(seen) == {"opened", "acknowledged", "resolved", "reopened", "withdrawn"}
    for life in steps.values():
        for before, after in zip([None, *life], life, strict=False):
            assert after in follows[before]


def test_corrections_and_returns_belong_to_orders() -> None:
    first: dict[str, int] = {}
    revised = 0
    for order in parsed(SMALL, "purchases"):
        if "revision" in order:
            revised += 1
            assert 0 < at_of(order["occurred_at"]) - first[order["order_id"]] < 3 * 3600 * 1_000_000
        else:
            assert order["order_id"] not in first
            first[order["order_id"]] = at_of(order["occurred_at"])
        assert order.get("list_amount", 1e9) >= order["amount"]
    assert revised


def test_rates_come_before_the_orders_that_need_them() -> None:
    shop = Shop(customers=600, days=200, seed=2)
    rated = False
    foreign = 0
    for event in simulate(shop):
        content = json.loads(event.line)
        rated |= content.get("fact") == "currency_rate" and content["subject"] == "USD"
        if content.get("currency") == "USD":
            foreign += 1
            assert rated
    assert foreign


def test_a_guest_is_told_to_be_somebody() -> None:
    shop = Shop(customers=900, days=300, seed=1)
    aliases = {fact["customer_id"]: fact["alias_of"] for fact in parsed(shop, "facts") if "alias_of" in fact}
    guests = {
        content["customer_id"]
        for event in simulate(shop)
        if (content := json.loads(event.line)).get("customer_id", "c").startswith("g")
    }
    assert guests
    assert guests == set(aliases)
    assert all(name == f"c{guest[1:]}" for guest, name in aliases.items())


@pytest.mark.parametrize("wrong", [{"customers": 0}, {"days": 0}, {"start": date(1969, 12, 31)}])
def test_an_impossible_shop_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="shop"):
        Shop(**wrong)
