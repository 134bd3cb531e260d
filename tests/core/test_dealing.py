"""Dealers selling across regions and prices that are apart: counted by month, added up over partitions."""

from collections.abc import Iterable
from typing import Any

from streamproc.core.dealing import KEPT_A_MONTH, Dealing, Gap, Stray, count_sales, gaps, homes_of, strays
from streamproc.core.events import FirmFact, Purchase
from streamproc.core.firm import Firm, note
from streamproc.testing.events import bought, on, sent_back


def homes(**regions: str) -> Any:
    firm = Firm()
    for dealer, region in regions.items():
        note(
            firm, FirmFact(event_id=dealer, at=on(-1), kind="dealer_region", subject=dealer, detail={"region": region})
        )
    return homes_of(firm)


HOMES = homes(d1="east", d2="west")


def dealing_of(events: Iterable[Purchase]) -> Dealing:
    dealing = Dealing()
    count_sales(dealing, HOMES, events)
    return dealing


def orders(n: int, day: float = 0, **more: Any) -> list[Purchase]:
    return [bought(on(day, hour / 100), **more) for hour in range(n)]


def test_a_dealer_outside_the_assigned_region_is_told_with_where() -> None:
    sold = [
        *orders(40, dealer_id="d1", region="east"),
        *orders(4, dealer_id="d2", region="east"),
        *orders(2, 1, dealer_id="d2", region="north"),
        *orders(4, 2, dealer_id="d2", region="west"),
    ]
    assert strays(dealing_of(sold)) == [Stray("d2", 6, 10, "east")]


def test_names_may_hold_a_slash() -> None:
    dealing = Dealing()
    listed: dict[str, Any] = {"amount": 900, "list_amount": 1_000, "category": "a/b"}
    sold = [
        *orders(40, dealer_id="d/1", region="EU/North", **listed),
        *orders(6, 1, dealer_id="d/1", region="EU/South", **listed),
        *orders(30, 2, region="EU/East", category="a/b", amount=700, list_amount=1_000),
    ]
    count_sales(dealing, homes(**{"d/1": "EU/North"}), sold)
    assert strays(dealing) == [Stray("d/1", 6, 46, "EU/South")]
    assert gaps(dealing) == [Gap("a/b", "EU/East", "EU/North", 0.7, 0.9)]


def test_what_was_counted_under_a_slash_is_read() -> None:
    older = Dealing(
        {"2024-10": {"d2/": 4, "d2/east": 6}}, {"2024-10": {"a/east": [30, 90, 100], "a/west": [30, 9, 10]}}
    )
    assert strays(older) == [Stray("d2", 6, 10, "east")]
    older.add(dealing_of(orders(4, dealer_id="d2", region="east")))
    assert strays(older) == [Stray("d2", 10, 14, "east")]


def test_a_few_orders_elsewhere_are_no_case() -> None:
    assert strays(dealing_of(orders(4, dealer_id="d2", region="east"))) == []
    sold = [*orders(6, dealer_id="d2", region="east"), *orders(90, dealer_id="d2", region="west")]
    assert strays(dealing_of(sold)) == []


def test_what_is_no_sale_or_of_no_known_dealer_is_not_counted() -> None:
    told = [
        *orders(9, dealer_id="d3", region="east"),
        *orders(9, dealer_id="d2"),
        *orders(9, dealer_id="d2", region="east", cancelled=True),
        *orders(9, dealer_id="d2", region="east", revision=1),
        *(sent_back(on(1, n), dealer_id="d2", region="east") for n in range(9)),
    ]
    assert dealing_of(told) == Dealing()


def test_prices_are_apart_where_the_same_list_is_paid_differently() -> None:
    listed: dict[str, Any] = {"category": "tools", "list_amount": 1_000}
    east, west = orders(30, amount=900, region="east", **listed), orders(30, 1, amount=700, region="west", **listed)
    assert gaps(dealing_of([*east, *west])) == [Gap("tools", "west", "east", 0.7, 0.9)]
    assert gaps(dealing_of([*east, *west[:29]])) == []
    assert gaps(dealing_of([*east, *orders(30, 1, amount=850, region="west", **listed)])) == []


def test_partitions_add_up_and_old_months_go() -> None:
    sold = [p for month in range(5) for p in orders(6, 31 * month, dealer_id="d2", region="east")]
    a, b = dealing_of(sold[::2]), dealing_of(sold[1::2])
    a.add(b)
    assert a == dealing_of(sold)
    assert list(a.sold) == ["2024-12", "2025-01", "2025-02"]


def test_a_month_holds_a_bounded_number_of_dealers() -> None:
    many = {f"x{n}": "east" for n in range(KEPT_A_MONTH + 9)}
    dealing = Dealing()
    count_sales(dealing, homes(**many), [bought(on(0), dealer_id=dealer, region="west") for dealer in many])
    assert len(dealing.sold["2024-10"]) == KEPT_A_MONTH
