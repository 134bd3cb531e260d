"""A customer's report and the answer to "why": what the trail and the state say, for people."""

from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import to_text
from streamproc.desk.report import Trail, Whose, customer_report, rule_of, why_looked
from streamproc.desk.warning import Money
from streamproc.monitor.effects import Looked
from streamproc.testing.events import bought, complained, known, on, touched
from tests.monitor.bench import Bench

POLICY = Policy(name="strict", raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.5)
EUR = Money("EUR")


def busy() -> tuple[Bench, Trail]:
    bench = Bench(policy=POLICY)
    bench.read(
        [
            bought(on(0), 1_250, customer_kind="dealer"), known(on(1), owner="Li", do_not_contact=True),
            complained(on(2), complaint_id="open", category="quality", severity=4),
            complained(on(2), complaint_id="done"), complained(on(3), "resolved", complaint_id="done"),
            touched(on(4), "out", purpose="retention", result="saved"), bought(on(10), 750),
            bought(on(11), 1, order_id="gone"), bought(on(12), 1, order_id="gone", revision=1, cancelled=True),
        ]
    )  # fmt: skip
    bench.run_to(on(40))
    trail = Trail()
    trail.take(bench.effects)
    return bench, trail


def whose() -> Whose:
    return Whose(customer_id="c", aliases=["old"], clock=on(40), next_due=on(50))


def test_a_report_tells_all_that_is_known() -> None:
    bench, trail = busy()
    report = customer_report(whose(), trail, bench.state(), [], EUR)
    assert (report.customer_id, report.aliases, report.forwarded_to) == ("c", ("old",), None)
    assert (report.as_of, report.next_due) == (to_text(on(40)), to_text(on(50)))
    assert (report.known_since, report.customer_kind, report.owner) == (to_text(on(0)), "dealer", "Li")
    assert report.do_not_contact
    assert (report.stage, report.outcome) == ("repeat", trail.looks[-1].outcome)
    assert [(p.day, p.amount) for p in report.recent_purchases] == [("2024-10-04", "12.50"), ("2024-10-14", "7.50")]
    assert [(c.category, c.severity, c.status) for c in report.open_complaints] == [("quality", 4, "opened")]
    assert [(c.direction, c.result) for c in report.last_contacts] == [("out", "saved")]
    assert [(m.before, m.after) for m in report.transitions] == [("potential", "first_time"), ("first_time", "repeat")]
    assert len(report.looks) == len(bench.all(Looked))
    assert report.risk is not None
    assert report.standing is not None
    assert report.value is not None
    assert abs(sum(r.log_odds for r in report.reasons) - report.risk.log_odds) < 1e-9


def test_a_report_of_one_who_never_bought_has_no_figures() -> None:
    bench = Bench()
    bench.give(touched(on(0)))
    bench.tick(on(1))
    trail = Trail()
    trail.take(bench.effects)
    blank = Whose(customer_id="c", aliases=[], clock=on(1), next_due=None)
    report = customer_report(blank, trail, bench.state(), [], EUR)
    assert (report.risk, report.value, report.standing, report.reasons) == (None, None, None, ())
    assert (report.scored_at, report.next_due, report.outcome) == (None, None, Outcome.NO_PURCHASE)
    assert (report.looks[0].probability, report.do_not_contact, report.owner) == (None, False, None)


def test_an_alias_s_report_names_where_it_went() -> None:
    bench = Bench()
    bench.give(known(on(0), alias_of="new"))
    bench.tick(on(1))
    report = customer_report(whose(), Trail(), bench.state(), [], EUR)
    assert (report.forwarded_to, report.outcome, report.looked_at, report.known_since) == ("new", None, None, None)


def test_why_gives_the_look_s_outcome_and_the_numbers_it_was_judged_by() -> None:
    bench, trail = busy()
    look = trail.looks[-1]
    rule = rule_of(look, bench.state(), POLICY, 1_000, EUR)
    answer = why_looked("c", to_text(on(40)), trail, bench.state(), rule, EUR)
    assert (answer.found, answer.outcome, answer.looked_at) == ("looked", look.outcome, to_text(look.at))
    assert look.outcome is Outcome.DO_NOT_CONTACT
    assert answer.risk is not None
    assert (rule.policy, rule.raise_at, rule.probability) == ("strict", 0.0, answer.risk.probability)
    assert (rule.purchase_days, rule.last_retention_contact) == (2, to_text(on(4)))
    assert (rule.least_silent_days, rule.cooldown_until, rule.do_not_contact) == (5.0, None, True)
    assert (rule.minimum_expected_loss, rule.currency) == ("0.00", "EUR")
    assert answer.value is not None
    assert rule.expected_loss == answer.value.expected_loss
    assert answer.reasons


def test_why_of_a_look_without_figures_has_none() -> None:
    bench = Bench()
    bench.give(touched(on(0), "out", purpose="sales"))
    bench.tick(on(1))
    trail = Trail()
    trail.take(bench.effects)
    rule = rule_of(trail.looks[-1], bench.state(), POLICY, 0, EUR)
    answer = why_looked("c", to_text(on(1)), trail, bench.state(), rule, EUR)
    assert (answer.risk, answer.value, answer.standing, answer.reasons) == (None, None, None, ())
    assert (rule.probability, rule.silent_days, rule.last_retention_contact) == (None, None, None)
    assert rule.expected_loss is None
