"""The compose file: against its schema, and against what we ask of every service."""

import json
import re
import stat
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import streamproc
from streamproc.adapters.web.access import Access, is_own_host, parse_listen
from tests.deploy.composed import FOLDER, VARIABLE, compose, compose_text, make_secrets
from tests.ground.source import ROOT
from tests.servers.process import needed

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("streamproc:")}


def test_it_is_what_the_schema_of_compose_asks_for() -> None:
    path = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load(compose_text()), schema)
    jsonschema.validate(compose(), schema)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("no" if name == "topics" else "always")
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
    assert service["pids_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+(-[a-z]+)?", service["image"])
    assert not {"privileged", "network_mode", "pid", "devices", "cap_add"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_written_has_a_volume_and_all_else_is_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert mode == ["ro"]
            assert (FOLDER / source).exists(), source
        else:
            assert source in compose()["volumes"]
            assert mode == (["ro"] if name == "disks" else [])
        assert target.startswith("/")


@pytest.mark.parametrize("name", OURS)
def test_our_image_is_built_for_each_service_and_looked_for_nowhere(name: str) -> None:
    built = OURS[name]["build"]
    assert (FOLDER / built["context"]).resolve() == ROOT
    assert (ROOT / built["dockerfile"]).is_file()


def test_every_volume_is_used() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert compose()["volumes"].keys() <= used


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_waited_for_can_say_that_it_is_ready(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"] == "no"
        else:
            assert wait["condition"] == "service_healthy"
            assert "test" in SERVICES[other]["healthcheck"]


def test_only_this_host_reaches_what_is_open() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert compose()["networks"]["inside"] == {"internal": True}
    reached = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert reached == {"kafka", "page", "grafana", "alertmanager"}


def test_no_secret_stands_in_the_file(tmp_path: Path) -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|TOKEN|SECRET|URL", name) or str(value).startswith("/run/secrets/"), name
    assert make_secrets(tmp_path / "secrets").returncode == 0
    told = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert {Path(secret["file"]).name for secret in compose()["secrets"].values()} == told
    assert {"/secrets/", "/.env"} <= set((FOLDER / ".gitignore").read_text(encoding="utf-8").splitlines())


def test_secrets_are_made_once_for_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert make_secrets(folder).stderr == ""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    (folder / "page.toml").unlink()
    refused = make_secrets(folder)
    assert refused.returncode == 1
    assert "only some of" in refused.stderr
    make_secrets(tmp_path / "other")
    other = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    assert [name for name in first if first[name] == other[name]] == []


def test_the_versions_are_those_that_are_tested() -> None:
    jars = (ROOT / "tests" / "servers" / "pom.xml").read_text(encoding="utf-8")
    [kafka] = re.findall(r"<kafka\.version>(.*)</kafka\.version>", jars)
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{kafka}"
    assert {service["image"] for service in OURS.values()} == {f"streamproc:{streamproc.__version__}"}


def test_the_example_of_settings_shows_every_variable_with_its_default() -> None:
    lines = (FOLDER / "example.env").read_text(encoding="utf-8").splitlines()
    shown = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert shown == dict(VARIABLE.findall(compose_text()))


def test_prometheus_takes_its_settings(tmp_path: Path) -> None:
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    (tmp_path / "page-token").touch()
    (tmp_path / "rules").symlink_to(FOLDER.parent / "prometheus" / "rules")
    command = [needed("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_asks_as_everywhere_with_the_token() -> None:
    everywhere = yaml.safe_load((FOLDER.parent / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    here = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    assert [job.pop("authorization", None) for job in here["scrape_configs"]] == [
        {"credentials_file": "/run/secrets/page-token"}
    ]
    assert here == everywhere
    [job] = here["scrape_configs"]
    by_name = [target for found in job.get("static_configs", []) for target in found["targets"]]
    by_address = [name for found in job["dns_sd_configs"] for name in found["names"]]
    assert {*by_address, *(target.partition(":")[0] for target in by_name)} == {"worker", "page", "disks"}
    page = Access(parse_listen(SERVICES["page"]["command"][-1]).host, token="a token of the page")
    assert [host for host in [*by_name, "172.18.0.7:8080"] if not is_own_host(host, page)] == []
