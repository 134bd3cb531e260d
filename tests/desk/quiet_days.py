"""Simulated days of complaints, quiet and with a planted surge: how often the desk cries wolf, how soon it is right.

`python -m tests.desk.quiet_days` measures both over many seeds and prints what it found.
"""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from streamproc.core.alerts import Alert, AlertKind
from streamproc.core.population import Histogram
from streamproc.core.time import DAY
from streamproc.desk.alerts import Watch, watch_tick
from streamproc.monitor.effects import ComplaintStep, Totals

BEGAN = 20_000 * DAY
WEEK = np.array([1.25, 1.1, 1.0, 1.0, 0.95, 0.5, 0.4])
CATEGORIES = {"quality": 0.4, "service": 0.25, "price": 0.15, "inconvenience": 0.12, "competitor": 0.08}
REGIONS = {"north": 0.4, "south": 0.35, "west": 0.25}
CHANNELS = {"phone": 0.6, "web": 0.4}
PRODUCTS = {f"article-{n}": 0.1 for n in range(10)}
CUSTOMERS = 5_000
GRADES = {"A": 0.2, "B": 0.3, "C": 0.2, "D": 0.3}


class World(NamedTuple):
    """`a_day` complaints on an average day; `swing`: the variance of a day's own level, beyond chance.

    `surge`: from that day on complaints about quality come so many times as often, over and above the others.
    `churn`: share lost a year; `losing`: from that day on A and B are lost so many times as often. `silent`: from that
    day on no complaint comes any more; `short`: from that day on contacts come so many times as often.
    """

    a_day: float = 12.0
    swing: float = 0.05
    growth_a_year: float = 0.2
    churn: float = 0.1
    surge: tuple[int, float] | None = None
    losing: tuple[int, float] | None = None
    silent: int | None = None
    short: tuple[int, float] | None = None


def days(world: World, count: int, seed: int) -> Iterator[tuple[int, list[ComplaintStep], Totals]]:
    """Each midnight (µs), the day's complaints, and the base's totals then."""
    rng = np.random.default_rng(seed)
    totals = Totals(Histogram(), Histogram(), seen={"purchases": 0, "contacts": 0, "complaints": 0})
    totals.revenue.add(10_000, CUSTOMERS)
    for day in range(count):
        active = round(CUSTOMERS * (1 + world.growth_a_year) ** (day / 365))
        totals.stages = {"repeat": active}
        totals.grades = {grade: round(share * active) for grade, share in GRADES.items()}
        swing = rng.gamma(1 / world.swing, world.swing)
        level = float(WEEK[(BEGAN // DAY + day) % 7]) * active / CUSTOMERS
        if world.silent is not None and day >= world.silent:
            swing = 0.0
        steps = [
            step for cause, share in CATEGORIES.items() for step in _told(world, day, cause, share * level * swing, rng)
        ]
        brought = world.short[1] if world.short and day >= world.short[0] else 1.0
        totals.seen = {
            "purchases": totals.seen["purchases"] + int(rng.poisson(200 * level)),
            "contacts": totals.seen["contacts"] + int(rng.poisson(40 * level * brought)),
            "complaints": totals.seen["complaints"] + len(steps),
        }
        for grade, share in GRADES.items():
            often = world.losing[1] if world.losing and day >= world.losing[0] and grade in "AB" else 1.0
            lost = int(rng.poisson(share * active * world.churn / 365 * often))
            totals.lost = totals.lost | {grade: totals.lost.get(grade, 0) + lost}
        yield BEGAN + (day + 1) * DAY, steps, totals


def _told(world: World, day: int, cause: str, level: float, rng: np.random.Generator) -> list[ComplaintStep]:
    often = world.surge[1] if world.surge and day >= world.surge[0] and cause == "quality" else 1.0
    at = BEGAN + day * DAY
    number = int(rng.poisson(world.a_day * level * often))
    drawn = [
        rng.choice(list(t), number, p=np.array(list(t.values())) / sum(t.values()))
        for t in (REGIONS, CHANNELS, PRODUCTS)
    ]
    return [
        ComplaintStep(
            customer_id=f"c-{n}", at=at, complaint_id=f"{day}-{cause}-{n}", status="resolved", opened_at=at, first=True,
            category=cause, region=str(region), channel=str(channel), product=str(product), valid=bool(n % 4),
        )
        for n, (region, channel, product) in enumerate(zip(*drawn, strict=True))
    ]  # fmt: skip


def alerts(world: World, count: int, seed: int) -> list[Alert]:
    """The lines that a watch of so many days gives."""
    watch, lines = Watch(), list[Alert]()
    for at, steps, totals in days(world, count, seed):
        lines += watch_tick(watch, at, steps, totals, history=False)
    return lines


def day_of_first(lines: list[Alert], kind: AlertKind, subject: str, after: int) -> int | None:
    """Days from the end of day `after` to the alert of that kind and subject, None where it never came."""
    since = BEGAN + (after + 1) * DAY
    times = [
        int(np.datetime64(a.at.removesuffix("Z"), "us").astype(np.int64))
        for a in lines
        if a.state == "raised" and (a.kind, a.subject) == (kind, subject)
    ]
    found = [at for at in times if at >= since]
    return (found[0] - since) // DAY if found else None


def main() -> None:
    """Prints false alarms a year by kind, and the days it takes to see what was planted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--days", type=int, default=3 * 365)
    parser.add_argument("--each", action="store_true", help="by subject, too")
    parser.add_argument("--only-quiet", action="store_true")
    given = parser.parse_args()
    years = given.seeds * given.days / 365
    for name, world in {
        "usual": World(),
        "restless": World(swing=0.2),
        "small": World(a_day=2.0),
        "large": World(a_day=100.0),
    }.items():
        found: dict[str, int] = {}
        for seed in range(given.seeds):
            for line in alerts(world, given.days, seed):
                if line.state == "raised":
                    key = f"{line.kind}/{line.subject}" if given.each else line.kind
                    found[key] = found.get(key, 0) + 1
        print(
            f"quiet, {name}: " + (", ".join(f"{kind} {n / years:.2f}" for kind, n in sorted(found.items())) or "none"),
            f"a year ({years:.0f} years)",
        )
    if given.only_quiet:
        return
    for times in (1.5, 2.0, 3.0, 5.0):
        delays = [
            day_of_first(alerts(World(surge=(200, times)), 230, seed), "complaint_surge", "category:quality", 200)
            for seed in range(given.seeds)
        ]
        _tell(f"quality x {times}", delays)
    for times in (1.5, 2.0, 3.0):
        delays = [
            day_of_first(alerts(World(losing=(300, times)), 390, seed), "churn_grave", "A+B", 300)
            for seed in range(given.seeds)
        ]
        _tell(f"losses of A and B x {times}", delays)
    for share in (0.8, 0.6, 0.4):
        delays = [
            day_of_first(alerts(World(short=(200, share)), 215, seed), "feed_odd", "contacts", 200)
            for seed in range(given.seeds)
        ]
        _tell(f"contacts x {share}", delays)
    _tell(
        "no complaints any more",
        [
            day_of_first(alerts(World(silent=200), 215, seed), "feed_silent", "complaints", 200)
            for seed in range(given.seeds)
        ],
    )


def _tell(what: str, delays: list[int | None]) -> None:
    seen = sorted(d for d in delays if d is not None)
    middle = f"after {int(np.median(seen))} days (at most {seen[-1]})" if seen else ""
    print(f"{what}: seen in {len(seen)} of {len(delays)}, {middle}")


if __name__ == "__main__":
    main()
