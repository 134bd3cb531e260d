"""`streamproc desk recover`: the seven steps of service recovery: ticked off in the journal, shown on the customer."""

import json
from pathlib import Path

from streamproc.core.events import RECOVERY_STEPS
from tests.cli.shop import Cli, asked


def complaint(folder: Path) -> tuple[str, str]:
    """A customer with a complaint, and its id."""
    complaints = "SELECT customer, body FROM journal WHERE json_extract(body, '$.type') = 'complaint'"
    [(customer, body)] = asked(folder, f"{complaints} ORDER BY seq DESC LIMIT 1")
    return str(customer), str(json.loads(body)["complaint_id"])


def test_a_step_is_ticked_off_with_its_time_and_person_once(cli: Cli, own: Path) -> None:
    customer, complaint_id = complaint(own)
    for step, by in (("apologise", "Li"), ("solve", "Wang"), ("apologise", "Zhao")):
        told = cli("desk", "recover", customer, complaint_id, step, "--by", by, "--data", own)
        assert told.code == 0, told.err
    [report] = cli("customer", customer, "--json", "--data", own).lines
    [recovery] = [r for r in report["recoveries"] if r["complaint_id"] == complaint_id]
    assert [step["step"] for step in recovery["steps"]] == list(RECOVERY_STEPS)
    done = {step["step"]: step["by"] for step in recovery["steps"] if step["at"]}
    assert done == {"apologise": "Li", "solve": "Wang"}
    shown = cli("customer", customer, "--data", own, "--lang", "zh-CN").out
    assert "[x] 道歉" in shown
    assert "[ ] 跟踪回访" in shown


def test_a_step_for_a_complaint_that_nobody_made_is_a_dead_letter(cli: Cli, own: Path) -> None:
    customer, _ = complaint(own)
    before = cli("status", "--json", "--data", own).lines[0]["dead_letters"]
    cli("desk", "recover", customer, "k-nobody", "apologise", "--by", "Li", "--data", own)
    assert cli("status", "--json", "--data", own).lines[0]["dead_letters"] == before + 1


def test_open_complaints_are_listed_with_an_owner_and_what_is_promised(cli: Cli, own: Path) -> None:
    cases = cli("desk", "complaints", "--json", "--data", own).lines
    reopened = {"opened", "acknowledged", "reopened"}
    assert all(case["owner"] and case["status"] in reopened and "resolve" in case["due"] for case in cases)
    query = (
        "SELECT body FROM journal WHERE json_extract(body, '$.type') = 'complaint' ORDER BY json_extract(body, '$.at')"
    )
    last = {step["complaint_id"]: step["status"] for step in map(json.loads, asked(own, query))}
    assert {case["complaint_id"] for case in cases} == {id_ for id_, status in last.items() if status in reopened}
    shown = cli("desk", "complaints", "--data", own, "--lang", "zh-CN")
    assert shown.code == (0 if cases else 1)
