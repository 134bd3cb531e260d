"""`streamproc customer`, `why` and `status`: answers computed from the customer's own records."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamproc.core.policy import Outcome
from streamproc.core.time import to_text
from streamproc.desk.report import CustomerReport, Summary, WhyAnswer
from streamproc.monitor.state import decode_state
from tests.cli.shop import Cli, Feeds, asked


def customers(folder: Path) -> list[str]:
    return asked(folder, "SELECT customer FROM states ORDER BY customer")


def report_of(cli: Cli, folder: Path, customer: str) -> CustomerReport:
    return msgspec.convert(cli("customer", customer, "--json", "--data", folder).lines[0], CustomerReport)


def answer_of(cli: Cli, folder: Path, customer: str, *words: object) -> WhyAnswer:
    ran = cli("why", customer, *words, "--json", "--data", folder)
    return msgspec.convert(ran.lines[0], WhyAnswer)


# ---------------------------------------------------------------------------------------------- customer


def test_a_report_is_the_state_in_words(cli: Cli, folder: Path) -> None:
    stored = {c: decode_state(b) for c, b in asked(folder, "SELECT customer, body FROM states")}
    for customer in customers(folder)[::9]:
        report, state = report_of(cli, folder, customer), stored[customer]
        assert report.stage == state.decisions.stage.code
        assert report.looked_at == (to_text(state.decisions.looked_at) if report.looks else None)
        assert report.forwarded_to == state.forward_to
        if report.standing is not None and report.stage not in {"lost", "permanently_lost"}:
            assert report.standing.purchase_days == state.facts.n_days


def test_a_reports_parts_agree_with_each_other(cli: Cli, folder: Path) -> None:
    for customer in customers(folder)[::7]:
        report = report_of(cli, folder, customer)
        assert [look.at for look in report.looks] == sorted(look.at for look in report.looks)
        scored = [look for look in report.looks if look.probability is not None]
        if report.risk is not None:
            assert scored[-1] == msgspec.structs.replace(scored[-1], at=report.scored_at)
            assert scored[-1].probability == report.risk.probability
            assert sum(r.log_odds for r in report.reasons) == pytest.approx(report.risk.log_odds, abs=1e-9)
        moves = report.transitions
        assert all(a.after == b.before for a, b in pairwise(moves))
        assert report.stage == (moves[-1].after if moves else "potential")
        last = report.looks[-1] if report.looks else None
        assert (last.outcome if last else None) == report.outcome


def test_changes_are_against_the_look_before(cli: Cli, folder: Path) -> None:
    customer = asked(folder, "SELECT customer FROM warnings WHERE probability >= 0 ORDER BY raised_at DESC LIMIT 1")[0]
    report = report_of(cli, folder, customer)
    before = [look for look in report.looks if look.probability is not None][-2]
    answer = answer_of(cli, folder, customer, "--at", before.at)
    for now, then in zip(report.reasons, answer.reasons, strict=True):
        assert now.change == pytest.approx(now.log_odds - then.log_odds, abs=1e-9)


def test_warnings_complaints_and_contacts_are_in_the_report(cli: Cli, folder: Path) -> None:
    reports = [report_of(cli, folder, customer) for customer in customers(folder)]
    held = asked(folder, "SELECT id FROM warnings ORDER BY id")
    assert sorted(w.id for r in reports for w in r.warnings if r.forwarded_to is None) == held
    assert any(r.last_contacts for r in reports)
    assert any(r.open_complaints for r in reports)
    assert all(c.status in {"opened", "acknowledged", "reopened"} for r in reports for c in r.open_complaints)


def test_an_alias_leads_to_the_customer_it_belongs_to(cli: Cli, folder: Path) -> None:
    alias, own = report_of(cli, folder, Feeds.ALIAS), report_of(cli, folder, Feeds.OWN_ID)
    assert alias.forwarded_to == Feeds.OWN_ID
    assert own.forwarded_to is None
    assert Feeds.ALIAS in own.aliases
    assert {w.id for w in alias.warnings} <= {w.id for w in own.warnings}
    shown = cli("customer", Feeds.ALIAS, "--data", folder)
    assert shown.out == cli("customer", Feeds.OWN_ID, "--data", folder).out
    assert f"{Feeds.ALIAS} is an alias of {Feeds.OWN_ID}" in shown.err


def test_an_unknown_customer_is_exit_code_1(cli: Cli, folder: Path) -> None:
    for words in (["customer", "nobody"], ["customer", "nobody", "--json"]):
        ran = cli(*words, "--data", folder)
        assert (ran.code, ran.raw) == (1, b"")
        assert "nobody" in ran.err


def test_people_read_the_whole_report(cli: Cli, folder: Path) -> None:
    customer = asked(folder, "SELECT customer FROM warnings WHERE probability >= 0 ORDER BY raised_at LIMIT 1")[0]
    english = cli("customer", customer, "--data", folder).out
    chinese = cli("customer", customer, "--data", folder, "--lang", "zh-CN").out
    for heading in ("Stage", "Lifetime value", "Looks", "Lifecycle", "Warnings", "in all (log-odds)"):
        assert heading in english
    for heading in ("客户流转", "按当前风险的终身价值", "评估记录", "流失预警"):
        assert heading in chinese
    assert customer in chinese.splitlines()[0]


def test_every_customer_can_be_shown(cli: Cli, folder: Path) -> None:
    for customer in customers(folder)[::5]:
        for language in ("en", "zh-CN"):
            assert cli("customer", customer, "--lang", language, "--data", folder).code == 0


# --------------------------------------------------------------------------------------------------- why


def test_a_warning_is_explained_at_the_instant_it_was_raised(cli: Cli, folder: Path) -> None:
    churn = "SELECT id, customer, raised_at, state FROM warnings WHERE probability >= 0"
    for warning_id, customer, raised_at, state in asked(folder, churn):
        answer = answer_of(cli, folder, customer, "--at", raised_at)
        assert (answer.outcome, answer.looked_at) == ("would_warn", raised_at)
        assert (answer.warning_id, answer.disposition) == (warning_id, "raised")
        assert answer.rule is not None
        assert answer.rule.probability is not None
        assert answer.rule.probability >= answer.rule.raise_at
        kinds = [entry.kind for entry in answer.life]
        assert kinds[0] == "raised"
        assert [kind for kind in kinds if kind != "verdict"][-1] == state


def test_just_before_a_warning_there_was_another_outcome(cli: Cli, folder: Path) -> None:
    _, customer, raised_at = asked(
        folder, "SELECT id, customer, raised_at FROM warnings WHERE probability >= 0 ORDER BY raised_at"
    )[0]
    look = [p for p in report_of(cli, folder, customer).looks if p.at < raised_at][-1]
    answer = answer_of(cli, folder, customer, "--at", look.at)
    assert answer.outcome == look.outcome != "would_warn"
    assert (answer.warning_id, answer.life) == (None, ())


def test_every_outcome_of_the_shop_is_explained(cli: Cli, folder: Path) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for customer in customers(folder):
        for look in report_of(cli, folder, customer).looks:
            seen.setdefault(look.outcome, (customer, look.at))
    assert len(seen) > 4
    for outcome, (customer, at) in seen.items():
        answer = answer_of(cli, folder, customer, "--at", at)
        assert (answer.found, answer.outcome, answer.looked_at) == ("looked", outcome, at)
        shown = cli("why", customer, "--at", at, "--data", folder)
        assert shown.code == 0
        assert len(shown.out.splitlines()) >= 3


def test_without_a_time_the_last_look_answers(cli: Cli, folder: Path) -> None:
    for customer in customers(folder)[::20]:
        report, answer = report_of(cli, folder, customer), answer_of(cli, folder, customer)
        if report.forwarded_to is None:
            assert (answer.looked_at, answer.outcome) == (report.looked_at, report.outcome)
            assert answer.asked_at == report.as_of


def test_before_the_first_look_it_says_when_that_was(cli: Cli, folder: Path) -> None:
    customer = customers(folder)[0]
    first = report_of(cli, folder, customer).looks[0].at
    ran = cli("why", customer, "--at", "2001-01-01", "--json", "--data", folder)
    assert ran.code == 1
    assert (ran.lines[0]["found"], ran.lines[0]["next_look"]) == ("not_looked", first)
    shown = cli("why", customer, "--at", "2001-01-01", "--data", folder)
    assert shown.code == 1
    assert "no look" in shown.out


def test_an_alias_says_whose(cli: Cli, folder: Path) -> None:
    answer = answer_of(cli, folder, Feeds.ALIAS)
    assert (answer.found, answer.forwarded_to) == ("alias", Feeds.OWN_ID)
    shown = cli("why", Feeds.ALIAS, "--data", folder)
    assert shown.out == cli("why", Feeds.OWN_ID, "--data", folder).out
    assert "alias" in shown.err
    assert answer_of(cli, folder, Feeds.ALIAS, "--at", "2024-06-01").found == "looked"


def test_an_unknown_id_and_no_time_at_all(cli: Cli, folder: Path) -> None:
    ran = cli("why", "nobody", "--json", "--data", folder)
    assert (ran.code, ran.lines[0]["found"]) == (1, "unknown")
    assert cli("why", "nobody", "--data", folder).code == 1
    ran = cli("why", "c", "--at", "yesterday", "--data", folder)
    assert ran.code == 2
    assert "2025-03-01" in ran.err


# ------------------------------------------------------------------------------------------------ status


def test_status_counts_what_the_folder_holds(cli: Cli, folder: Path) -> None:
    summary = msgspec.convert(cli("status", "--json", "--data", folder).lines[0], Summary)
    assert summary.records == asked(folder, "SELECT count(*) FROM journal")[0]
    assert sum(summary.warnings.values()) == asked(folder, "SELECT count(*) FROM warnings")[0]
    still_open = summary.warnings.get("raised", 0) + summary.warnings.get("escalated", 0)
    assert summary.open_warnings + summary.unhappy == still_open
    assert summary.dead_letters == asked(folder, "SELECT count(*) FROM dead_letters")[0]
    assert summary.customers == sum(summary.stages.values())
    states = [decode_state(body) for body in asked(folder, "SELECT body FROM states")]
    there = [s.decisions.stage.code for s in states if s.forward_to is None and s.decisions.looked_at]
    assert summary.stages == {stage: there.count(stage) for stage in set(there)}
    assert set(summary.counts["looks"]) <= set(Outcome)
    assert (summary.currency, summary.mode, summary.live, summary.partitions) == ("EUR", "event", False, 1)


def test_people_read_the_status(cli: Cli, folder: Path) -> None:
    shown = cli("status", "--data", folder).out
    clock: dict[str, Any] = cli("status", "--json", "--data", folder).lines[0]
    assert "Customer equity" in shown
    assert clock["model"]["id"] in shown
    assert "loyal customer" in shown
