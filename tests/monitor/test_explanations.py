"""Explanations add up: contributions to the log-odds, changes to their change, evidence to what happened."""

import random

import msgspec
import numpy as np
import pytest

from streamproc.core.events import Event
from streamproc.core.policy import Policy
from streamproc.core.time import DAY
from streamproc.monitor.effects import Looked, WouldWarn
from streamproc.scoring.layout import GROUPS, TERM_NAMES
from streamproc.scoring.snapshot import Snapshot, Trained, sealed
from streamproc.testing.events import bought, complained, on
from tests.monitor.bench import TRUSTED, Bench
from tests.monitor.shops import records


def learned(seed: int) -> Snapshot:
    """A snapshot with weights on everything."""
    rng = random.Random(seed)
    weights = tuple(rng.uniform(-0.3, 0.3) for _ in TERM_NAMES)
    return sealed(msgspec.structs.replace(TRUSTED, weights=weights, w0=0.1, w1=-0.2, trained_on=Trained(9, 1_000)))


@pytest.mark.parametrize("snapshot", [TRUSTED, learned(1)], ids=["prior", "learned"])
def test_contributions_sum_exactly_to_the_log_odds_and_changes_to_their_change(snapshot: Snapshot) -> None:
    bench = Bench(policy=Policy(raise_at=0.3, clear_at=0.2, minimum_silence=0.0), snapshot=snapshot)
    bench.read(records(120, 400, 13))
    last: dict[str, int] = {}
    reasons = {(w.customer_id, w.at): w.reasons for w in bench.all(WouldWarn)}
    assert len(reasons) > 10
    for look in bench.all(Looked):
        if look.figures is None:
            continue
        assert sum(look.groups) == look.figures.log_odds
        odds = 1 / (1 + np.exp(-look.figures.log_odds / 1e6))
        assert look.figures.probability == pytest.approx(odds, abs=1e-6)
        told = reasons.get((look.customer_id, look.at))
        if told is not None:
            assert [r.group for r in told] == list(GROUPS)
            assert sum(r.contribution for r in told) == look.figures.log_odds
            if look.customer_id in last:
                assert sum(r.change or 0 for r in told) == look.figures.log_odds - last[look.customer_id]
            else:
                assert all(r.change is None for r in told)
        last[look.customer_id] = look.figures.log_odds


def test_reasons_point_to_events_that_happened_before_the_warning() -> None:
    bench = Bench(policy=Policy(raise_at=0.3, clear_at=0.2, minimum_silence=0.0))
    given = records(120, 400, 13)
    bench.read(given)
    happened = {r.event_id: r for r in given if isinstance(r, Event)}
    for warning in bench.all(WouldWarn):
        for reason in warning.reasons:
            if reason.group == "level":
                assert reason.evidence == ()
            for evidence in reason.evidence:
                event = happened[evidence.event_id]
                assert (event.customer_id, event.at) == (warning.customer_id, evidence.at)
                assert event.at < warning.at


def test_each_reason_s_evidence_is_of_its_own_stream() -> None:
    bench = Bench(policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0))
    bench.give(bought(on(0)), bought(on(1), event_id="last"), complained(on(2), event_id="angry"))
    bench.tick(on(3))
    [warning] = bench.all(WouldWarn)
    found = {r.group: [e.event_id for e in r.evidence] for r in warning.reasons}
    assert (found["silence"], found["complaints"], found["returns"]) == (["last"], ["angry"], [])


def test_a_warning_says_by_when_and_what_is_at_stake() -> None:
    bench = Bench(policy=Policy(raise_at=0.5, clear_at=0.3, escalate_at=0.9))
    bench.read([bought(on(day), 50_000, cost=20_000) for day in range(0, 100, 10)])
    bench.run_to(on(200))
    [warning] = bench.all(WouldWarn)
    figures = warning.figures
    assert warning.by_when == warning.at + figures.horizon_days * DAY
    assert figures.probability >= 0.5
    assert figures.expected_loss == pytest.approx(figures.probability * figures.stake, abs=1)
    assert figures.stake > figures.lifetime_value  # the risk has risen since the last purchase
    assert (figures.n_days, figures.orders, figures.last_purchase) == (10, 10, on(90))
    assert figures.recency_days == (warning.at - on(90)) // DAY - 1
    assert (figures.usual_gap_days, figures.money_measured, figures.cost_assumed) == (10.0, True, False)


def test_without_measured_money_there_is_no_grade_and_no_stake() -> None:
    bench = Bench(policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0))
    bench.give(bought(on(0), None), bought(on(1), None))
    bench.tick(on(3), grades=(0, 0, 0))
    [warning] = bench.all(WouldWarn)
    figures = warning.figures
    assert (figures.money_measured, figures.grade, figures.tier, figures.segment) == (False, None, None, None)
    assert (figures.stake, figures.expected_loss) == (0, 0)
    bench.assert_totals()
