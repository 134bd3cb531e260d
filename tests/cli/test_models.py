"""`streamproc models`: list, look, pin, roll back; what is pinned stays in force while learning goes on."""

from pathlib import Path

import msgspec

from streamproc.adapters.embedded.lock import writer_lock
from streamproc.scoring.snapshot import Snapshot, default_snapshot
from tests.cli.shop import Cli, asked, feed_into, lines_of


def running(cli: Cli, folder: Path) -> str:
    return str(cli("status", "--json", "--data", folder).lines[0]["model"]["id"])


def test_the_list_has_every_model_and_marks_the_running_one(cli: Cli, folder: Path) -> None:
    lines = cli("models", "list", "--json", "--data", folder).lines
    assert [(m["seq"], m["id"], m["refused"]) for m in lines] == asked(folder, "SELECT seq, id, refused FROM models")
    assert {m["id"] for m in lines if m["running"]} == {running(cli, folder)}
    assert not any(m["pinned"] for m in lines)
    assert [m["at"] for m in lines] == sorted(m["at"] for m in lines)
    shown = cli("models", "list", "--limit", 2, "--data", folder).out
    assert len(shown.splitlines()) == 3
    assert "running" in shown


def test_one_model_is_shown_by_the_beginning_of_its_id(cli: Cli, folder: Path) -> None:
    body = asked(folder, "SELECT body FROM models ORDER BY seq DESC LIMIT 1")[0]
    wanted = msgspec.json.decode(body, type=Snapshot)
    shown = cli("models", "show", wanted.id[:10], "--json", "--data", folder)
    assert msgspec.json.decode(shown.raw, type=Snapshot) == wanted
    assert msgspec.json.decode(cli("models", "show", wanted.id, "--data", folder).raw, type=Snapshot) == wanted


def test_an_unknown_or_ambiguous_id_is_exit_code_1(cli: Cli, folder: Path) -> None:
    for words in (["show", "xyz"], ["pin", "xyz"], ["show", ""]):
        ran = cli("models", *words, "--data", folder)
        assert (ran.code, ran.raw) == (1, b"")
        assert "streamproc models list" in ran.err


def more(folder: Path, tmp_path: Path) -> None:
    """Six weeks more of one customer's purchases: training goes on."""
    days = [f"2025-0{4 + n // 28}-{1 + n % 28:02}T10:00:00Z" for n in range(42)]
    feed = tmp_path / "more.jsonl"
    feed.write_bytes(
        lines_of(
            [
                {"event_id": f"m-{day}", "customer_id": "c-m", "occurred_at": day, "order_id": day, "amount": 5}
                for day in days
            ]
        )
    )
    feed_into(folder, [feed])


def test_a_pinned_model_stays_while_learning_goes_on(cli: Cli, own: Path, tmp_path: Path) -> None:
    chosen = asked(own, "SELECT id FROM models WHERE refused IS NULL ORDER BY seq LIMIT 1")[0]
    known = asked(own, "SELECT count(*) FROM models")[0]
    assert chosen != running(cli, own)
    assert cli("models", "pin", chosen[:9], "--data", own).code == 0
    more(own, tmp_path)
    assert running(cli, own) == chosen
    assert cli("status", "--json", "--data", own).lines[0]["model"]["pinned"] is True
    later = cli("models", "list", "--json", "--data", own).lines[known:]
    assert [(m["id"], m["refused"]) for m in later[:1]] == [(chosen, None)]
    assert len(later) > 3
    assert {m["refused"] for m in later[1:]} == {"pinned"}
    assert asked(own, "SELECT count(*) FROM journal WHERE instr(CAST(body AS TEXT), 'pinned')") == [1]
    assert cli("replay", "--data", own).code == 0
    assert "pinned" in cli("models", "list", "--data", own).out


def test_unpinned_the_next_model_comes_into_force(cli: Cli, own: Path, tmp_path: Path) -> None:
    assert cli("models", "unpin", "--data", own).code == 1
    chosen = asked(own, "SELECT id FROM models WHERE refused IS NULL ORDER BY seq LIMIT 1")[0]
    cli("models", "pin", chosen, "--data", own)
    assert cli("models", "unpin", "--data", own).code == 0
    assert running(cli, own) == chosen
    more(own, tmp_path)
    assert running(cli, own) != chosen


def test_the_day_zero_model_can_be_pinned_before_anything_is_learned(cli: Cli, tmp_path: Path) -> None:
    folder, feed = tmp_path / "d", tmp_path / "feed.jsonl"
    event = {"event_id": "e", "customer_id": "c", "occurred_at": "2024-01-01", "order_id": "o", "amount": 5}
    feed.write_bytes(lines_of([event]))
    feed_into(folder, [feed])
    assert "Running" in cli("models", "list", "--data", folder).err
    assert cli("models", "pin", default_snapshot().id, "--data", folder).code == 0
    assert running(cli, folder) == default_snapshot().id


def test_rolled_back_the_one_before_is_in_force_and_then_the_one_before_that(cli: Cli, own: Path) -> None:
    ids = asked(own, "SELECT id FROM models WHERE refused IS NULL ORDER BY seq DESC LIMIT 3")
    assert ids[0] == running(cli, own)
    for expected in ids[1:]:
        ran = cli("models", "rollback", "--data", own)
        assert ran.out == f"Model {expected} is in force again.\n"
        assert running(cli, own) == expected
    assert cli("replay", "--data", own).code == 0


def test_there_is_no_rolling_back_from_a_pin_or_before_the_first(cli: Cli, own: Path, tmp_path: Path) -> None:
    first = asked(own, "SELECT id FROM models WHERE refused IS NULL ORDER BY seq LIMIT 1")[0]
    cli("models", "pin", first, "--data", own)
    ran = cli("models", "rollback", "--data", own)
    assert ran.code == 1
    assert "unpin" in ran.err
    folder, feed = tmp_path / "d", tmp_path / "feed.jsonl"
    feed.write_bytes(
        lines_of([{"event_id": "e", "customer_id": "c", "occurred_at": "2024-01-01", "order_id": "o", "amount": 5}])
    )
    feed_into(folder, [feed])
    assert cli("models", "rollback", "--data", folder).code == 1


def test_a_folder_in_use_is_refused(cli: Cli, own: Path) -> None:
    chosen = running(cli, own)
    with writer_lock(own):
        assert cli("models", "pin", chosen, "--data", own).code == 3
        assert cli("models", "rollback", "--data", own).code == 3
        assert cli("models", "list", "--data", own).code == 0


def test_the_record_judges_ours_and_the_plain_model_on_the_same_outcomes(cli: Cli, folder: Path) -> None:
    (line,) = cli("models", "record", "--json", "--data", folder).lines
    standing = line["standing"]
    assert standing["judged"] > 0
    assert 0 < standing["base_rate"] < 1
    for one in ("ours", "challenger"):
        assert 0 < standing[one]["log_loss"] < 2
        assert 0 <= standing[one]["auc"] <= 1
    shown = cli("models", "record", "--data", folder)
    assert shown.code == 0
    assert f"Outcomes judged: {standing['judged']:,}" in shown.out
    rows = [line.split() for line in shown.out.splitlines() if line.startswith(("Ours", "Plain model"))]
    assert [row[-4] for row in rows] == [f"{standing[one]['log_loss']:.4f}" for one in ("ours", "challenger")]


def test_before_the_first_training_the_buying_pattern_alone_speaks(cli: Cli, tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("customer_id,date\nc,2025-01-01\n", encoding="utf-8")
    feed_into(tmp_path / "d", [orders])
    ran = cli("models", "record", "--data", tmp_path / "d")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "Nothing was trained yet: the buying pattern alone speaks.\n"
