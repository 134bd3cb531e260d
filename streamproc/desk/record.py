"""The record of the warnings: whether they were right, how early, how many were false, what they saved.

The rule kept here: the feed's lines are what was told, so all that is said of warnings comes from them. Who was truly
lost comes from the monitor's totals, which count every loss once, by month, whether anybody was warned or not: the feed
knows only of the losses that had an open warning. What the silent arm was not told is no line of the feed.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Final, Literal

from msgspec import Struct

from streamproc.core.holdout import Arm, Interval, uplift
from streamproc.core.time import DAY, from_datetime, to_text, today_of
from streamproc.desk.warning import Entry, Money, State, Warning, WarningKind  # noqa: A004 - it is the domain's word
from streamproc.monitor.blame import UNKNOWN, Losses
from streamproc.monitor.effects import Totals

WEEK = 7 * DAY
TENTHS: Final = 10

GroupName = Literal["grade", "cause", "severity", "segment", "warning_kind"]
SavedClaim = Literal["not_measured", "too_few", "too_wide", "gain", "loss"]


class Group(Struct, frozen=True, kw_only=True):
    """How the warnings of one kind fared; `of` says what they have in common, `code` which of these.

    A warning has the grade, severity and segment of its raising, and the cause that was likeliest then. Shares and
    `lead_days` (the median) are None where nothing is behind them; `expected_loss` is that of the open ones.
    """

    of: GroupName
    code: str
    raised: int
    open: int
    recovered: int
    lost: int
    withdrawn: int
    judged: int
    right: int
    precision: float | None
    lead_days: float | None
    expected_loss: str


class Tenth(Struct, frozen=True):
    """Judged warnings whose probability lay in a tenth from `low` on: the mean predicted, and the share that left."""

    low: float
    warnings: int
    predicted: float
    actual: float


class Recall(Struct, frozen=True):
    """Of the customers lost in the months from `since` to `until` (`YYYY-MM`), those with an open warning.

    Who was watched in silence is not among them: nobody was to be told.

    Recall speaks of whole months, as losses are counted by month. None: nobody was lost.
    """

    since: str | None
    until: str | None
    losses: int
    foreseen: int
    share: float | None


class Saved(Struct, frozen=True, kw_only=True):
    """Value saved, from the warned against those watched in silence, over all verdicts since the arms were drawn.

    `claim` "not_measured": no silent arm was drawn. "too_few" verdicts and "too_wide" an interval claim nothing; "gain"
    and "loss" do. `kept` and `value` are a warned customer's (a share; units of the currency, net of offers) with
    their 95 % intervals (low, high); `total` is `value` over all the warned.
    """

    claim: SavedClaim
    warned: int = 0
    silent: int = 0
    kept: float | None = None
    kept_between: tuple[float, float] | None = None
    value: str | None = None
    value_between: tuple[str, str] | None = None
    total: str | None = None
    total_between: tuple[str, str] | None = None


class Record(Struct, frozen=True, kw_only=True):
    """How the warnings raised from `since` to `until` fared; counts by `state`, figures over those of leaving.

    `corrected`: withdrawn, for what came late showed them wrong. `judged` have their verdict, `right` of them were:
    no purchase by the by-when. `lead_days` is the median, over the right and the lost, from the warning to the loss:
    the last purchase's horizon, or the end of the contract before it. `false_alarms` are the judged that were wrong,
    `false_alarms_a_week` over the `weeks` in which the judged were raised (at least one). `calibration_error` is the
    mean distance of predicted and actual over the tenths, by warnings. Service warnings have no probability: they are
    counted by state in `service` and in the groups, and in nothing else. `outcomes` are those people reported.
    """

    since: str | None
    until: str | None
    currency: str
    raised: int
    open: int
    states: dict[str, int]
    corrected: int
    judged: int
    right: int
    precision: float | None
    recall: Recall
    lead_days: float | None
    led: int
    false_alarms: int
    weeks: float | None
    false_alarms_a_week: float | None
    calibration: tuple[Tenth, ...]
    calibration_error: float | None
    value_at_risk: str
    saved: Saved
    service: dict[str, int]
    outcomes: dict[str, int]
    groups: tuple[Group, ...]


class Life(Struct):
    """One warning and what became of it; `ended_at` (µs) is that of the loss alone."""

    warning: Warning
    state: State
    expected_loss: Decimal
    lost_at: int | None = None
    corrected: bool = False
    right: bool | None = None
    outcome: str | None = None

    @property
    def raised_at(self) -> int:
        """When it was raised (µs)."""
        return at_of(self.warning.raised_at)

    def lead(self) -> int | None:
        """From the raising to the loss (µs); None where the customer was not lost, or no risk was told."""
        risk = self.warning.risk
        if risk is None or not (self.right or self.lost_at is not None):
            return None
        horizon = at_of(self.warning.standing.last_purchase) + risk.horizon_days * DAY
        return (horizon if self.lost_at is None else min(horizon, self.lost_at)) - self.raised_at


class Gathered(Struct):
    """The feed read so far: each warning's life, the months in which warnings ended in a loss, the last line's time."""

    lives: dict[str, Life] = {}
    foreseen: dict[str, int] = {}
    last: str | None = None

    def take(self, entry: Entry) -> None:
        """Notes one line (in place)."""
        self.last = entry.at if self.last is None else max(self.last, entry.at, key=at_of)
        if entry.warning is not None:
            told = entry.warning
            self.lives[entry.warning_id] = Life(told, "raised", Decimal(told.value.expected_loss))
            return
        life = self.lives.get(entry.warning_id)
        if life is None:  # of a customer without a warning, or its raising is not in what was read
            return
        if entry.care is not None:
            life.outcome = entry.care.outcome or life.outcome
        elif entry.kind == "verdict":
            life.right = entry.right
        else:
            self._go_on(life, entry)

    def _go_on(self, life: Life, entry: Entry) -> None:
        if life.lost_at is not None and life.warning.risk is not None:  # told once, and taken back
            month, life.lost_at = month_of(life.lost_at), None
            self.foreseen[month] -= 1
        match entry.kind:
            case "raised" | "escalated" | "recovered" | "withdrawn":
                life.state = entry.kind
                life.corrected = entry.why == "corrected"
            case "lost":
                life.state, life.lost_at = "lost", at_of(entry.at)
                if life.warning.risk is not None:
                    month = month_of(life.lost_at)
                    self.foreseen[month] = self.foreseen.get(month, 0) + 1
            case _:
                return
        if entry.expected_loss is not None:
            life.expected_loss = Decimal(entry.expected_loss)


def gathered(entries: Iterable[Entry]) -> Gathered:
    """The feed's lines, in their order, as warnings."""
    found = Gathered()
    for entry in entries:
        found.take(entry)
    return found


def at_of(text: str) -> int:
    """The instant (µs) of an RFC 3339 time."""
    return from_datetime(datetime.fromisoformat(text))


def month_of(at: int) -> str:
    """The month (`YYYY-MM`) that a loss at `at` (µs) is counted in: that of the day just over."""
    return to_text(today_of(at) * DAY)[:7]


def record_of(found: Gathered, base: Totals, money: Money, since: int = 0) -> Record:
    """The record of the warnings raised at or after `since` (µs); `base` are all partitions' totals."""
    lives = [life for life in found.lives.values() if life.raised_at >= since]
    churn = [life for life in lives if life.warning.warning_kind == "churn"]
    judged = [life for life in churn if life.right is not None]
    right = sum(life.right is True for life in judged)
    leads, weeks = _leads(churn), _weeks(judged)
    tenths = _calibration(judged)
    return Record(
        since=to_text(since) if since else min((life.warning.raised_at for life in lives), default=None, key=at_of),
        until=found.last,
        currency=money.currency,
        raised=len(churn),
        open=sum(map(_is_open, churn)),
        states=_states(churn),
        corrected=sum(life.corrected for life in churn),
        judged=len(judged),
        right=right,
        precision=_share(right, len(judged)),
        recall=_recall(found.foreseen, base.losses, base.silent_losses, since),
        lead_days=_median_days(leads),
        led=len(leads),
        false_alarms=len(judged) - right,
        weeks=weeks,
        false_alarms_a_week=None if weeks is None else (len(judged) - right) / weeks,
        calibration=tenths,
        calibration_error=_calibration_error(tenths),
        value_at_risk=_at_risk(churn),
        saved=_saved(base.arms, money),
        service=_states([life for life in lives if life.warning.warning_kind == "service"]),
        outcomes=_counts(life.outcome for life in lives if life.outcome is not None),
        groups=tuple(_groups(lives)),
    )


def _is_open(life: Life) -> bool:
    return life.state in {"raised", "escalated"}


def _states(lives: list[Life]) -> dict[str, int]:
    return _counts(life.state for life in lives)


def _counts(codes: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code in codes:
        counts[code] = counts.get(code, 0) + 1
    return dict(sorted(counts.items()))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _leads(lives: list[Life]) -> list[int]:
    return [lead for life in lives if (lead := life.lead()) is not None]


def _median_days(leads: list[int]) -> float | None:
    return median(leads) / DAY if leads else None


def _weeks(judged: list[Life]) -> float | None:
    raised = [life.raised_at for life in judged]
    return max(1.0, (max(raised) - min(raised)) / WEEK) if raised else None


def _at_risk(lives: list[Life]) -> str:
    return str(sum((life.expected_loss for life in lives if _is_open(life)), Decimal(0)))


def _recall(foreseen: dict[str, int], losses: Losses, silent: Losses, since: int) -> Recall:
    """Over the whole months from `since` on of which losses are known; the `silent` arm's could not be foreseen."""
    months = sorted(month for month in losses if _begins(month) >= since)
    lost = sum(sum(losses[month].values()) - sum(silent.get(month, {}).values()) for month in months)
    seen = sum(foreseen.get(month, 0) for month in months)
    first, last = (months[0], months[-1]) if months else (None, None)
    return Recall(first, last, lost, seen, _share(seen, lost))


def _begins(month: str) -> int:
    return at_of(f"{month}-01T00:00:00Z")


def _calibration(judged: list[Life]) -> tuple[Tenth, ...]:
    """The judged by tenths of the probability they were raised with; tenths without any are left out."""
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for life in judged:
        if life.warning.risk is not None:
            p = life.warning.risk.probability
            tenths.setdefault(min(int(p * TENTHS), TENTHS - 1), []).append((p, life.right is True))
    return tuple(_tenth(tenth, pairs) for tenth, pairs in sorted(tenths.items()))


def _tenth(tenth: int, pairs: list[tuple[float, bool]]) -> Tenth:
    n = len(pairs)
    return Tenth(tenth / TENTHS, n, sum(p for p, _ in pairs) / n, sum(left for _, left in pairs) / n)


def _calibration_error(tenths: tuple[Tenth, ...]) -> float | None:
    n = sum(tenth.warnings for tenth in tenths)
    return sum(tenth.warnings * abs(tenth.predicted - tenth.actual) for tenth in tenths) / n if n else None


def _saved(arms: dict[str, Arm], money: Money) -> Saved:
    warned, silent = arms.get("warned", Arm()), arms.get("holdout", Arm())
    if not silent.n:
        return Saved(claim="not_measured", warned=warned.n)
    found = uplift(warned, silent)
    claim: SavedClaim = next(c for c in ("too_few", "too_wide", "gain", "loss") if c == found.claim)
    if found.kept is None or found.value is None:
        return Saved(claim=claim, warned=warned.n, silent=silent.n)
    each, every = (_in_money(found.value, n, money) for n in (1, warned.n))
    return Saved(
        claim=claim,
        warned=warned.n,
        silent=silent.n,
        kept=found.kept.estimate,
        kept_between=(found.kept.low, found.kept.high),
        value=each[0],
        value_between=each[1:],
        total=every[0],
        total_between=every[1:],
    )


def _in_money(value: Interval, n: int, money: Money) -> tuple[str, str, str]:
    return money.text(round(value.estimate * n)), money.text(round(value.low * n)), money.text(round(value.high * n))


_OF: Final[dict[GroupName, Callable[[Warning], str]]] = {
    "grade": lambda warning: warning.standing.grade or UNKNOWN,
    "cause": lambda warning: warning.causes[0].cause if warning.causes else UNKNOWN,
    "severity": lambda warning: warning.severity,
    "segment": lambda warning: warning.standing.segment or UNKNOWN,
    "warning_kind": lambda warning: warning.warning_kind,
}
"""What a warning is grouped by."""


def _groups(lives: list[Life]) -> Iterable[Group]:
    for of, code_of in _OF.items():
        members: dict[str, list[Life]] = {}
        for life in lives:
            kind: WarningKind = life.warning.warning_kind
            if kind == "churn" or of == "warning_kind":  # the others are of another kind, and have no verdict
                members.setdefault(code_of(life.warning), []).append(life)
        for code in sorted(members):
            yield _group(of, code, members[code])


def _group(of: GroupName, code: str, lives: list[Life]) -> Group:
    states = _states(lives)
    judged = [life for life in lives if life.right is not None]
    right = sum(life.right is True for life in judged)
    return Group(
        of=of,
        code=code,
        raised=len(lives),
        open=sum(map(_is_open, lives)),
        recovered=states.get("recovered", 0),
        lost=states.get("lost", 0),
        withdrawn=states.get("withdrawn", 0),
        judged=len(judged),
        right=right,
        precision=_share(right, len(judged)),
        lead_days=_median_days(_leads(lives)),
        expected_loss=_at_risk(lives),
    )
