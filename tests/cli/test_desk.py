"""`streamproc desk`: the work list and what people do, from the command line to the feed."""

import json
from collections import Counter
from pathlib import Path

import pytest

from streamproc.core.alerts import Finding, OpenAlert, alert_of
from streamproc.core.time import DAY
from tests.cli.shop import Cli, Ran, asked
from tests.cli.test_alerts import commit


@pytest.fixture
def first(cli: Cli, own: Path) -> str:
    """The id of the warning with most at stake."""
    return str(cli("desk", "list", "--json", "--data", own).lines[0]["warning"]["id"])


def entries(folder: Path, warning: str) -> list[dict[str, object]]:
    bodies = asked(folder, "SELECT body FROM feed WHERE warning_id = ? ORDER BY seq", warning)
    return [json.loads(body) for body in bodies]


def ids(ran: Ran) -> list[str]:
    return [line["warning"]["id"] for line in ran.lines]


def test_the_list_puts_the_largest_loss_first_and_leaves_out_what_is_closed(cli: Cli, own: Path, first: str) -> None:
    listed = cli("desk", "list", "--json", "--data", own).lines
    losses = [float(line["warning"]["current"]["expected_loss"]) for line in listed]
    assert len(losses) > 3
    assert losses == sorted(losses, reverse=True)
    assert cli("desk", "outcome", first, "kept", "--cost", "12.50", "--by", "Li", "--data", own).code == 0
    assert first not in ids(cli("desk", "list", "--json", "--data", own))
    [warning] = [line for line in cli("warnings", "--json", "--data", own).lines if line["id"] == first]
    assert warning["care"] == {
        "claimed_by": "Li", "snoozed_until": None, "outcome": "kept", "cost": "12.50", "overdue": False
    }  # fmt: skip


def test_of_two_who_claim_one_has_it_and_the_other_is_told(cli: Cli, own: Path, first: str) -> None:
    won, late = (cli("desk", "claim", first, "--by", name, "--data", own) for name in ("Li", "Wang"))
    assert (won.code, late.code) == (0, 1)
    assert "claimed" in won.out
    assert "somebody else has it (Li)" in late.err
    assert [entry["kind"] for entry in entries(own, first)][-2:] == ["claimed", "refused"]
    assert ids(cli("desk", "list", "--owner", "Li", "--json", "--data", own)) == [first]
    assert "由他人认领" in cli("desk", "claim", first, "--by", "Wang", "--lang", "zh-CN", "--data", own).err


def test_sleep_hand_over_and_note_are_kept(cli: Cli, own: Path, first: str) -> None:
    assert cli("desk", "snooze", first, "2030-01-01", "--by", "Li", "--reason", "away", "--data", own).code == 0
    assert first not in ids(cli("desk", "list", "--json", "--data", own))
    assert first in ids(cli("desk", "list", "--asleep", "--json", "--data", own))
    assert cli("desk", "note", first, "called twice", "--by", "Wang", "--data", own).code == 0
    assert cli("desk", "hand-over", first, "Wang", "--by", "boss", "--data", own).code == 0
    last = entries(own, first)[-3:]
    assert [entry["kind"] for entry in last] == ["snoozed", "noted", "handed_over"]
    assert cli("desk", "list", "--asleep", "--owner", "Wang", "--data", own).out.count(first) == 1


def test_what_cannot_be_is_said_and_leaves_no_trace(cli: Cli, own: Path, first: str) -> None:
    before = asked(own, "SELECT count(*) FROM journal")
    none = cli("desk", "claim", "w-none", "--by", "Li", "--data", own)
    assert (none.code, none.err) == (1, "There is no warning w-none.\n")
    assert cli("desk", "snooze", first, "tomorrow", "--by", "Li", "--data", own).code == 2
    assert cli("desk", "outcome", first, "kept", "--cost", "-3", "--by", "Li", "--data", own).code == 2
    assert cli("desk", "mute", "segment:lead", "--until", "soon", "--by", "Li", "--data", own).code == 2
    assert asked(own, "SELECT count(*) FROM journal") == before


def test_a_step_does_not_move_time_to_today(cli: Cli, own: Path, first: str) -> None:
    before = cli("status", "--json", "--data", own).lines[0]["clock"]
    cli("desk", "claim", first, "--by", "Li", "--data", own)
    cli("desk", "mute", "segment:small_ordinary", "--by", "Li", "--data", own)
    after = cli("status", "--json", "--data", own).lines[0]["clock"]
    assert before[:10] == after[:10]


def test_a_folder_replayed_tells_of_the_desk_the_same(cli: Cli, own: Path, first: str) -> None:
    cli("desk", "claim", first, "--by", "Li", "--data", own)
    cli("desk", "mute", "c0000001", "--until", "2030-01-01", "--by", "Li", "--data", own)
    assert cli("replay", "--data", own).code == 0


def test_an_incident_is_one_row_and_claimed_at_once(cli: Cli, own: Path) -> None:
    warnings = [w for w in cli("warnings", "--open", "--json", "--limit", 500, "--data", own).lines if w["incident"]]
    subject = Counter(w["incident"] for w in warnings).most_common(1)[0][0]
    members = {w["id"] for w in warnings if w["incident"] == subject}
    names = {"cause": "price", "sign": "price_raised", "event": "f", "occurred_at": "2024-10-01T00:00:00Z"}
    names |= {"expected_loss": "10.00", "currency": "EUR"}
    finding = Finding(
        kind="incident", subject=subject, severity="high", figures={"count": 5.0}, names=names, customers=("c1", "c2")
    )
    commit(own, alert_of(OpenAlert(20_000 * DAY, finding), "raised", 20_000 * DAY, history=False))
    rows = [line for line in cli("desk", "list", "--json", "--data", own).lines if line["incident"]]
    assert [(row["incident"]["subject"], row["incident"]["warnings"]) for row in rows] == [(subject, len(members))]
    shown = cli("desk", "list", "--data", own).out
    assert subject in shown
    assert not members & set(shown.split())
    assert set(ids(cli("desk", "list", "--incident", subject, "--json", "--data", own))) == members
    told = cli("alerts", "--open", "--data", own, "--lang", "zh-CN").out
    assert "预期损失最大的客户：c1, c2" in told
    assert cli("desk", "claim", subject, "--by", "Li", "--data", own).out.count("claimed") == len(members)
    assert set(ids(cli("desk", "list", "--owner", "Li", "--json", "--data", own))) == members
    again = cli("desk", "claim", subject, "--by", "Wang", "--data", own)
    assert (again.code, again.err.strip()) == (1, f"Nobody need claim anything of {subject}.")
