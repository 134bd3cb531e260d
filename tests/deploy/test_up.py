"""The commands that install, run with stand-ins for `docker` and `kubectl` that write down what they are asked.

There is no engine and no cluster here. What needs neither (`kubectl create --dry-run=client`) is done by the real one.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import streamproc
from tests.deploy.composed import compose
from tests.ground.source import ROOT

KUBECTL = Path(sys.executable).with_name("kubectl")
STAND_IN = """#!/bin/bash
echo "$(basename "$0") $*" >>"{calls}"
case "$*" in
    *--dry-run=client*|*--local*|"kustomize "*) exec "{kubectl}" "$@" ;;
    *"--filename -") cat >"{calls}.$(grep -c . "{calls}")" ;;
    "image inspect "*) grep -q "compose build" "{calls}" && echo "${{BUILT:-}}" || echo "${{RUNNING:-}}" ;;
    "get pods "*) echo "${{RUNNING:-}}" ;;
    "compose port "*) echo "127.0.0.1:$4" ;;
    "get crd "*) [ -n "${{OPERATOR:-}}" ] ;;
esac
"""


class Stage:
    """A copy of deploy/, and what the stand-ins were asked."""

    def __init__(self, folder: Path) -> None:
        self.deploy = Path(
            shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=shutil.ignore_patterns("secrets"))
        )
        self._calls = folder / "calls"
        self._path = folder / "bin"
        self._path.mkdir()
        for name in ("docker", "kubectl"):
            program = self._path / name
            program.write_text(STAND_IN.format(calls=self._calls, kubectl=KUBECTL), encoding="utf-8")
            program.chmod(0o755)

    def run(self, *words: str, **told: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command of deploy/. Stand-ins are `told` if an OPERATOR is there, which image is RUNNING and BUILT."""
        environment = {**os.environ, "PATH": f"{self._path}:{os.environ['PATH']}", **told}
        command = [str(self.deploy / words[0]), *words[1:]]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []

    @property
    def applied(self) -> list[dict[str, object]]:
        """What was handed over on standard input, object by object."""
        texts = [path.read_text(encoding="utf-8") for path in self._calls.parent.glob("calls.*")]
        return [found for text in texts for found in yaml.safe_load_all(text) if found]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_compose_comes_up_with_secrets_of_its_own(stage: Stage) -> None:
    done = stage.run("compose/up")
    assert done.returncode == 0, done.stderr
    assert [call for call in stage.calls if "inspect" not in call][:2] == [
        "docker compose build",
        "docker compose up --detach --wait",
    ]
    token = (stage.deploy / "compose" / "secrets" / "page-token").read_text(encoding="utf-8")
    assert token not in done.stdout + done.stderr
    assert "http://127.0.0.1:8080/" in done.stdout
    assert "told to nobody yet" in done.stdout
    told = stage.deploy / "alertmanager" / "alertmanager.yml"
    filled = told.read_text(encoding="utf-8").replace("  - name: pager\n", "  - name: pager\n    webhook_configs: []\n")
    told.write_text(filled, encoding="utf-8")
    assert "told to nobody yet" not in stage.run("compose/up").stdout


def test_what_was_changed_is_read_anew_by_those_who_read_it_and_nobody_else(stage: Stage) -> None:
    again = "docker compose up --detach --wait --no-deps --force-recreate"

    def read_anew() -> list[str]:
        before = len(stage.calls)
        assert stage.run("compose/up").returncode == 0
        return [call.removeprefix(f"{again} ") for call in stage.calls[before:] if call.startswith(again)]

    assert [read_anew(), read_anew()] == [[], []]
    changed = {
        "alertmanager/alertmanager.yml": "alertmanager",
        "prometheus/rules/alerts.yml": "prometheus",
        "compose/prometheus.yml": "prometheus",
        "compose/redis/redis.conf": "redis",
        "compose/kafka/server.properties": "kafka",
        "grafana/provisioning/datasources/prometheus.yml": "grafana",
        "compose/secrets/page.toml": "page",
    }
    for name in changed:
        path = stage.deploy / name
        text = path.read_text(encoding="utf-8")
        path.unlink()
        path.write_text(f"{text}\n# ours\n", encoding="utf-8")
    assert read_anew() == [" ".join(sorted(set(changed.values())))]
    assert read_anew() == []


def test_all_that_is_mounted_is_looked_at() -> None:
    script = (ROOT / "deploy/compose/up").read_text(encoding="utf-8")
    told = script.partition("read_by='")[2].partition("'")[0]
    looked_at = {words[0]: {Path(word) for word in words[1:]} for words in map(str.split, told.splitlines())}
    for name, service in compose()["services"].items():
        mounted = {Path(volume.split(":")[0]) for volume in service.get("volumes", []) if volume.startswith(".")}
        names = [secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])]
        mounted |= {Path("secrets", name) for name in names}
        # Of what Grafana reads anew by itself, or only when it makes its database, nothing needs to be seen.
        mounted -= {Path("../grafana/dashboards"), Path("secrets/grafana-password")}
        assert all(any(path in {one, *one.parents} for path in looked_at[name]) for one in mounted), name


def test_kubernetes_comes_up_small_with_secrets_of_its_own(stage: Stage) -> None:
    done = stage.run("kubernetes/up", "small")
    assert done.returncode == 0, done.stderr
    assert "kubectl apply -k overlays/small" in stage.calls
    assert [call for call in stage.calls if "scale" in call] == []
    assert stage.calls[-1].startswith("kubectl rollout status --namespace streamproc")
    assert stage.applied == []
    assert (stage.deploy / "kubernetes" / "overlays" / "small" / "secrets" / "worker.toml").exists()


def test_old_workers_end_before_new_ones_begin(stage: Stage) -> None:
    assert stage.run("compose/up", RUNNING="old", BUILT="new").returncode == 0
    order = [call.split()[2] for call in stage.calls if "compose" in call]
    assert order[:3] == ["build", "stop", "up"]
    same = f"streamproc:{streamproc.__version__}"
    for running, scaled in ((same, []), ("streamproc:0.0.9 streamproc:0.0.9", ["scale", "wait"])):
        before = len(stage.calls)
        assert stage.run("kubernetes/up", "small", RUNNING=running).returncode == 0
        verbs = [call.split()[1] for call in stage.calls[before:]]
        assert verbs[: verbs.index("apply")] == ["kustomize", "get", *scaled]


def test_an_operator_gets_rules_and_dashboards(stage: Stage) -> None:
    assert stage.run("kubernetes/up", "small", OPERATOR="1").returncode == 0
    kinds = {str(found["kind"]) for found in stage.applied}
    assert kinds == {"PrometheusRule", "ConfigMap"}
    assert "kubectl apply --namespace streamproc --filename monitoring.yaml" in stage.calls
    rules = [found["spec"] for found in stage.applied if found["kind"] == "PrometheusRule"]
    there = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
    assert rules == [yaml.safe_load(path.read_text(encoding="utf-8")) for path in there]
    boards = [found for found in stage.applied if found["kind"] == "ConfigMap"]
    assert len(boards) == len(list((ROOT / "deploy" / "grafana" / "dashboards").iterdir()))
    for found in boards:
        assert dict(found["metadata"])["labels"] == {"grafana_dashboard": "1"}  # type: ignore[call-overload]


def test_production_wants_secrets_first_and_not_those_that_everybody_knows(stage: Stage) -> None:
    done = stage.run("kubernetes/up", "production")
    assert done.returncode == 1
    assert "secrets.example" in done.stderr
    overlay = stage.deploy / "kubernetes" / "overlays" / "production"
    secrets = Path(shutil.copytree(overlay / "secrets.example", overlay / "secrets"))
    settings = [*secrets.iterdir(), overlay / "settings.env", overlay / "kustomization.yaml"]
    for path in settings:
        if path.name == "ca.crt":
            continue
        done = stage.run("kubernetes/up", "production")
        assert done.returncode == 1
        assert str(path.relative_to(overlay)) in done.stderr
        text = path.read_text(encoding="utf-8").replace(".example.com", ".shop.test")
        path.write_text(re.sub("change[ -]me", "fJ3k", text), encoding="utf-8")
    assert stage.calls == []
    token = (secrets / "page-token").read_text(encoding="utf-8")
    (secrets / "page-token").write_text(f"{token}\n", encoding="utf-8")
    assert stage.run("kubernetes/up", "production").returncode == 0
    assert (secrets / "page-token").read_text(encoding="utf-8") == token
    (secrets / "page-token").write_text("another", encoding="utf-8")
    assert "another than in page.toml" in stage.run("kubernetes/up", "production").stderr
