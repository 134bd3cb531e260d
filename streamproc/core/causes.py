"""Why a customer may leave (the nine causes), from the customer's own facts and the firm's: each with its evidence.

Every clue has a weight in 0-1 for one cause; a cause's strength is 1 − Π(1 − weight): clues add up and never reach
certainty. The rule kept here: what lies long before the last purchase has faded (the customer came back all the same),
and what the firm did after the customer was already missing is no cause of it. What the customer says counts as said.
"""

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple, get_args

from msgspec import Struct

from streamproc.core.complaints import ComplaintFile
from streamproc.core.dealing import home_at, homes_of
from streamproc.core.facts import UNSOLVED, Facts, Touch
from streamproc.core.firm import Firm, Note
from streamproc.core.ids import hash_name
from streamproc.core.orders import Order
from streamproc.core.time import DAY, SECOND

CauseName = Literal[
    "quality",
    "innovation",
    "service",
    "market_control",
    "staff_departure",
    "competitor",
    "short_term_conduct",
    "price",
    "inconvenience",
]
CAUSES: Final[tuple[CauseName, ...]] = get_args(CauseName)

Sign = Literal[
    "complaint",
    "complaint_unsolved",
    "return",
    "bad_experience",
    "support",
    "unsolved_contact",
    "long_wait",
    "competitor_named",
    "staff_left",
    "price_raised",
    "discount_ended",
    "product_gone",
    "outage",
    "cross_region",
    "inquiry",
]
"""What a clue is."""

Manner = Literal["attitude", "skill"]
"""What was poor about a service: how the customer was met, or what was done."""

SECONDS_A_DAY = DAY // SECOND


class CauseRules(Struct, frozen=True):
    """Days and weights. Before the last purchase a clue's weight halves every `half_life_days`.

    After the day the next purchase was due, it halves every usual gap, of `shortest_gap_days` at least. `least` is
    the strength from which on a cause is named.
    """

    half_life_days: float = 90.0
    shortest_gap_days: float = 14.0
    least: float = 0.1
    long_wait_s: int = 300
    discount_buyer: float = 0.6
    following_days: int = 60


DEFAULT_RULES: Final = CauseRules()


class Clue(Struct, frozen=True):
    """One piece of evidence: what it is, the event (`at` in µs; `event_id` empty where none was kept), its weight.

    `size` is a figure that belongs to it: a price rise as a share, points short of what was expected, seconds waited.
    """

    sign: Sign
    stream: str
    event_id: str
    at: int
    weight: float
    size: float | None = None


class Cause(Struct, frozen=True, kw_only=True):
    """A likely cause: `strength` 0-1, and the clues, heaviest first."""

    cause: CauseName
    strength: float
    clues: tuple[Clue, ...]
    manner: Manner | None = None


class _Scene(NamedTuple):
    """What the detectors look at; times in seconds. `due` is when the next purchase would have come."""

    facts: Facts
    firm: Firm
    orders: list[Order]
    now: int
    last: int
    due: int
    gap_s: float
    rules: CauseRules

    def faded(self, at: int) -> float:
        """What is left of the weight of something that happened at `at`."""
        if at < self.last:
            return float(0.5 ** ((self.last - at) / (self.rules.half_life_days * SECONDS_A_DAY)))
        if at > self.due:
            return float(0.5 ** ((at - self.due) / self.gap_s))
        return 1.0

    def said(self, at: int) -> float:
        """As `faded`, for what the customer says: that counts after the day the purchase was due, too."""
        return self.faded(min(at, self.due))


def causes_of(
    facts: Facts, firm: Firm, at: int, gap_days: float, rules: CauseRules = DEFAULT_RULES
) -> tuple[Cause, ...]:
    """The likely causes at `at` (µs) for one who usually buys every `gap_days`, strongest first; empty: unknown."""
    last = facts.last_purchase()
    if last is None:
        return ()
    gap_s = max(gap_days, rules.shortest_gap_days) * SECONDS_A_DAY
    orders = [order for order in facts.recent.known() if not order.cancelled]
    last_s = last // SECOND
    scene = _Scene(facts, firm, orders, at // SECOND, last_s, int(last_s + gap_s), gap_s, rules)
    clues: dict[CauseName, list[Clue]] = {}
    for detector in _DETECTORS:
        for cause, clue in detector(scene):
            if clue.at <= at and clue.weight > 0:
                clues.setdefault(cause, []).append(clue)
    found = [_cause(name, clues[name], facts) for name in CAUSES if name in clues]
    named = [cause for cause in found if cause.strength >= rules.least]
    return tuple(sorted(named, key=lambda cause: -cause.strength))


def _cause(name: CauseName, clues: list[Clue], facts: Facts) -> Cause:
    doubt = 1.0
    for clue in clues:
        doubt *= 1 - min(clue.weight, 0.99)
    ordered = tuple(sorted(clues, key=lambda clue: (-clue.weight, clue.at, clue.event_id)))[:CLUES_KEPT]
    return Cause(
        cause=name, strength=round(1 - doubt, 3), clues=ordered, manner=_manner(facts) if name == "service" else None
    )


CLUES_KEPT = 4
"""Clues named of a cause."""

Found = Iterator[tuple[CauseName, Clue]]


def _clue(sign: Sign, stream: str, event_id: str, at: int, weight: float, size: float | None = None) -> Clue:
    return Clue(sign, stream, event_id, at * SECOND, round(weight, 3), None if size is None else float(size))


# ------------------------------------------------------------------------------------ what the customer says

_HEARD = 0.75  # a complaint names its cause itself
_WITHDRAWN, _WELL_SOLVED, _SOLVED, _POORLY_SOLVED, _OPEN = 0.6, 0.3, 0.6, 1.0, 1.1
_GOOD_SCORE = 4
_NOT_VALID = 0.7


def _complaints(scene: _Scene) -> Found:
    for file in scene.facts.complaints:
        name = next((cause for cause in CAUSES if cause == file.category), None)
        share = _handling(file)
        at = file.opened_at()
        if name is not None:
            weight = _HEARD * share * (_NOT_VALID if file.valid is False else 1.0) * scene.said(at)
            yield name, _clue("complaint", "complaints", file.event_id, at, weight)
        if share >= _POORLY_SOLVED and name != "service":
            yield "service", _clue("complaint_unsolved", "complaints", file.event_id, at, 0.2 * scene.said(at))


def _handling(file: ComplaintFile) -> float:
    """What the firm's answer left of the grievance."""
    status = file.status()
    if status == "withdrawn":
        return _WITHDRAWN
    if status != "resolved":
        return _OPEN
    if not file.resolution_score:
        return _SOLVED
    return _WELL_SOLVED if file.resolution_score >= _GOOD_SCORE else _POORLY_SOLVED


def _contacts(scene: _Scene) -> Found:
    rules = scene.rules
    for touch in scene.facts.contacts:
        at, event_id = touch.at, touch.event_id
        here = scene.said(at)
        if touch.competitor:
            share = 0.5 if touch.result == "saved" else 1.0
            yield "competitor", _clue("competitor_named", "contacts", event_id, at, 0.85 * share * here)
            continue
        if touch.outward or touch.purpose not in {"support", "inquiry"}:
            continue
        if touch.wait_s >= rules.long_wait_s:
            yield "service", _clue("long_wait", "contacts", event_id, at, 0.35 * here, touch.wait_s)
        if touch.purpose == "support":
            unsolved = touch.result in UNSOLVED
            yield "quality", _clue("support", "contacts", event_id, at, (0.25 if unsolved else 0.15) * here)
            if unsolved:
                yield "service", _clue("unsolved_contact", "contacts", event_id, at, 0.15 * here)
            if _short(touch) > 0:
                yield "service", _clue("bad_experience", "contacts", event_id, at, 0.05 * here, _short(touch))


def _short(touch: Touch) -> float:
    """How many points less than expected was perceived; 0 where not both were told."""
    told = touch.perceived >= 0 and touch.expected >= 0
    return max(0, touch.expected - touch.perceived) / 10 if told else 0.0


def _manner(facts: Facts) -> Manner | None:
    """Skill where matters were left unsolved or came back; else attitude, where the customer was met poorly."""
    files = [file for file in facts.complaints if file.category == "service"]
    unsolved = any(t.result in UNSOLVED and t.purpose == "support" and not t.outward for t in facts.contacts)
    if unsolved or any(file.status() == "reopened" or 0 < file.resolution_score < _GOOD_SCORE for file in files):
        return "skill"
    return "attitude" if any(_short(t) > 0 for t in facts.contacts if not t.outward) else None


# ---------------------------------------------------------------------------------- what the customer does


def _returns(scene: _Scene) -> Found:
    for item in scene.facts.returns:
        if not item.cancelled:
            event_id = item.event_id or _id_of_latest(scene.facts, "returns", item.at)
            yield "quality", _clue("return", "returns", event_id, item.at, 0.4 * scene.said(item.at))


def _id_of_latest(facts: Facts, stream: str, at: int) -> str:
    """The event's id, kept of a stream's latest event alone; empty for others."""
    latest = facts.evidence.get(stream)
    return str(latest.value) if latest is not None and latest.at // SECOND == at else ""


def _discounts(scene: _Scene) -> Found:
    """One who bought below the list price, and buys at full price now or not at all since discounts ended."""
    orders, rules = scene.orders, scene.rules
    for note in scene.firm.of("marketing"):
        if note.text("change") != "ended":
            continue
        at = note.at // SECOND
        before = [order for order in orders if order.at < at]
        if before and sum(map(Order.below_list, before)) >= rules.discount_buyer * len(before):
            yield "price", _clue("discount_ended", "facts", note.event_id, at, 0.8 * scene.faded(at))


def _market(scene: _Scene) -> Found:
    """Orders from a dealer whose region, as assigned at the time, was another one than the customer's (窜货)."""
    homes = homes_of(scene.firm)
    dealers = {hash_name(dealer): dealer for dealer in sorted(homes)}
    for order in scene.orders[-_LATEST:]:
        way = order.way
        if way is None or not way.region or way.dealer not in dealers:
            continue
        if hash_name(home_at(homes, dealers[way.dealer], order.at * SECOND)) not in {0, way.region}:
            event_id = _id_of_latest(scene.facts, "purchases", order.at)
            yield "market_control", _clue("cross_region", "purchases", event_id, order.at, 0.3 * scene.faded(order.at))


_LATEST = 8


# -------------------------------------------------------------------------------------- what the firm does


def _staff(scene: _Scene) -> Found:
    """The customer's account manager left while the customer was there; perhaps the successor has taken over since."""
    owner, before = scene.facts.says("owner"), scene.facts.says("owner_before")
    for note in scene.firm.of("staff_left"):
        handed_over = before == note.subject and owner == note.detail.get("successor")
        if owner is not None and (owner == note.subject or handed_over):
            at = note.at // SECOND
            if at >= scene.facts.known_at // SECOND:
                yield "staff_departure", _clue("staff_left", "facts", note.event_id, at, 0.7 * scene.faded(at))


def _prices(scene: _Scene) -> Found:
    raised = []
    for note in _about(scene, "list_price"):
        rise = note.number("change")
        if rise is not None and rise > 0:
            at = note.at // SECOND
            weight = min(0.5, 0.15 + 2 * rise) * scene.faded(at)
            yield "price", _clue("price_raised", "facts", note.event_id, at, weight, rise)
            raised.append(at)
    yield from _asked_after(scene, "price", raised, 0.15)


def _products(scene: _Scene) -> Found:
    gone = []
    for note in _about(scene, "product"):
        if note.text("change") == "discontinued":
            at = note.at // SECOND
            yield "innovation", _clue("product_gone", "facts", note.event_id, at, 0.08 * scene.faded(at))
            gone.append(at)
    yield from _asked_after(scene, "innovation", gone, 0.45)


def _about(scene: _Scene, kind: str) -> Iterator[Note]:
    """What the firm did about the category that the customer buys most."""
    bought = [order.way.category for order in scene.orders if order.way is not None and order.way.category]
    if not bought:
        return iter(())
    usual = max(sorted(set(bought)), key=bought.count)
    return (note for note in scene.firm.of(kind) if hash_name(note.subject) == usual)


def _asked_after(scene: _Scene, cause: CauseName, times: list[int], weight: float) -> Found:
    """Questions in the weeks after something happened are likely about it: a price can be read, what is gone cannot.

    One question counts once, whatever happened how often.
    """
    weeks = scene.rules.following_days * SECONDS_A_DAY
    for touch in scene.facts.contacts:
        asked = not touch.outward and touch.purpose == "inquiry" and not touch.competitor
        if asked and any(at <= touch.at < at + weeks for at in times):
            yield cause, _clue("inquiry", "contacts", touch.event_id, touch.at, weight * scene.said(touch.at))


_ONLINE = frozenset({"web", "app", "portal"})


_OUTAGE, _LONG_OUTAGE_H, _WORST_OUTAGE = 0.08, 12.0, 0.6


def _outages(scene: _Scene) -> Found:
    """The customer's own way in was closed: the outage that weighs most. One of days weighs more by its length.

    Maintenance that was planned is none: people were told when.
    """
    channel = scene.facts.says("channel")
    unplanned = [note for note in scene.firm.of("outage") if not note.flag("planned")]
    notes = [n for n in unplanned if channel == n.subject or {channel, n.subject} <= _ONLINE]
    clues = [
        _clue("outage", "facts", n.event_id, n.at // SECOND, _weight(n.value) * scene.faded(n.at // SECOND), n.value)
        for n in notes
    ]
    known = [clue for clue in clues if clue.at <= scene.now * SECOND]
    if known:
        yield "inconvenience", max(known, key=lambda clue: clue.weight)


def _weight(hours: float | None) -> float:
    return min(_WORST_OUTAGE, _OUTAGE * max(1.0, (hours or 0.0) / _LONG_OUTAGE_H))


_DETECTORS: Final[tuple[Callable[[_Scene], Found], ...]] = (
    _complaints,
    _contacts,
    _returns,
    _discounts,
    _market,
    _staff,
    _prices,
    _products,
    _outages,
)
