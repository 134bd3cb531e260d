"""The alert rules fire when they should and not else, go where they should, and their pages name commands there are."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from deploy.grafana.write import BOARDS
from streamproc.cli.main import app
from tests.deploy.composed import compose
from tests.ground.source import ROOT
from tests.servers.process import needed

RULES = ROOT / "deploy" / "prometheus"
PAGES = ROOT / "deploy" / "runbooks"
GROUPS = {"dead-letters", "desk", "journal", "models", "topics"}
"""Commands that have commands."""

TITLES = {panel.title.en for board in BOARDS for row in board.rows for panel in row.panels} | {
    board.title.en for board in BOARDS
}
SEVERITIES = {"critical", "warning"}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((RULES / "rules" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((RULES / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    return [case for case in found if "promql_expr_test" in case]


def test_rules_are_right_fire_and_go_where_they_should() -> None:
    done = subprocess.run(["make", "rules"], check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
    assert "FAILED" not in done.stdout


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_in_both_languages_and_how_to_mend_it(alert: dict[str, Any]) -> None:
    told = alert["annotations"]
    assert told["summary"].isascii()
    assert re.search(r"[\u4e00-\u9fff]", told["summary_zh"])
    assert sorted(re.findall(r"{{.*?}}", told["summary"])) == sorted(re.findall(r"{{.*?}}", told["summary_zh"]))
    page = (ROOT / told["runbook_url"]).read_text(encoding="utf-8")
    assert f"{alert['alert']}" in page.splitlines()[2]
    severity = alert.get("labels", {}).get("severity", "")
    assert severity in SEVERITIES or "{{" in severity or "group_left (severity)" in alert["expr"]


def test_every_alert_is_shown_to_fire_and_not_to_fire() -> None:
    names = {alert["alert"] for alert in alerts()}
    fires: set[str] = set()
    rests: set[str] = set()
    for case in cases():
        [asked] = case["promql_expr_test"]
        name = case["name"].split(": ")[0]
        assert name in asked["expr"]
        (fires if asked["exp_samples"] else rests).add(name)
    recorded = {name for name in fires if name.startswith("streamproc:")}
    assert fires - recorded == rests == names


def test_every_alert_has_a_receiver_that_was_looked_at() -> None:
    routed = (ROOT / "deploy" / "alertmanager" / "routes_test.txt").read_text(encoding="utf-8")
    config = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    assert {line.split()[0] for line in routed.splitlines()} == {one["name"] for one in config["receivers"]}
    assert set(re.findall(r"alertname=(\w+)", routed)) <= {alert["alert"] for alert in alerts()}


def commands() -> set[str]:
    """Each `streamproc …` of the runbooks."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    lines = re.findall(r"^streamproc .*$", text, re.MULTILINE) + re.findall(r"`(streamproc [^`…]+)`", text)
    return {" ".join(line.split("#")[0].split()) for line in lines}


@pytest.mark.parametrize("line", sorted(commands()))
def test_a_runbook_s_command_is_one_of_the_program_s(line: str) -> None:
    words = shlex.split(line)[1:]
    path = words[: 2 if words[0] in GROUPS else 1]
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, line
    assert {word for word in words if word.startswith("--") and word not in shown.output} == set(), line


@pytest.mark.parametrize("only", ["models record"])
def test_what_only_a_data_folder_can_be_asked_is_said_to_be_so(only: str) -> None:
    for page in PAGES.glob("*.md"):
        for part in re.split(r"\n\n|\n- ", page.read_text(encoding="utf-8")):
            before, found, _ = part.partition(f"streamproc {only}")
            assert not found or "mbedded" in before, f"{page.name}: {part}"


def test_what_a_runbook_asks_of_containers_is_there() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))
    asked = re.findall(r"docker compose (?:exec|logs|restart|stop|run)((?: +--?\S+(?: \d+)?)*) +([a-z]+)", text)
    assert {service for _, service in asked} == {"worker", "redis", "alertmanager", "page"}
    assert {service for _, service in asked} <= compose()["services"].keys()
    for command in re.findall(r"amtool [^`]*", text):
        words = [*shlex.split(command), "--help"]
        subprocess.run([needed("amtool", "prometheus-alertmanager"), *words[1:]], check=True, capture_output=True)
        assert any(word.startswith("--alertmanager.url=") for word in words), "it knows no other"


def test_runbooks_name_only_pages_panels_and_files_that_are_there() -> None:
    for page in PAGES.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([\w-]+\.md)\)", text):
            assert (PAGES / target).exists(), f"{page.name}: {target}"
        for named in re.findall(r"Panels? [^.]*", text):
            assert set(re.findall(r"\*(.+?)\*", " ".join(named.split()))) <= TITLES, f"{page.name}: {named}"
        for path in re.findall(r"deploy/[\w./-]+\w", text):
            assert Path(ROOT / path).exists() or path == "deploy/page", f"{page.name}: {path}"
