"""The overlays, built by kubectl: each object against the schemas of Kubernetes, each pod against what we ask of it."""

import base64
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import streamproc
from streamproc.cli.worker import APPS
from tests.deploy.composed import compose, make_secrets
from tests.ground.source import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
OVERLAYS = ("small", "production")
DEPLOYMENTS = {"small": {"worker", "page"}, "production": {"page", *(f"worker-{role}" for role in APPS)}}
Object = dict[str, Any]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with secrets in it, as `up` leaves it."""
    path = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(FOLDER, path, ignore=shutil.ignore_patterns("secrets"))
    production = path / "overlays" / "production"
    shutil.copytree(production / "secrets.example", production / "secrets")
    make_secrets(path / "overlays" / "small" / "secrets")
    return path


@pytest.fixture(scope="module")
def built(tree: Path) -> dict[str, list[Object]]:
    """What is applied, by overlay; `scaled` is production with the autoscaler that it has in a comment."""
    kustomization = tree / "overlays" / "production" / "kustomization.yaml"
    (tree / "overlays" / "scaled").mkdir()
    shutil.copytree(kustomization.parent, tree / "overlays" / "scaled", dirs_exist_ok=True)
    text = kustomization.read_text(encoding="utf-8")
    commented = "# components:\n#   - ../../components/autoscaling\n"
    assert commented in text
    scaled = tree / "overlays" / "scaled" / "kustomization.yaml"
    scaled.write_text(text.replace(commented, commented.replace("# ", "").replace("#", "")))
    return {name: _build(tree / "overlays" / name) for name in (*OVERLAYS, "scaled")}


def _build(overlay: Path) -> list[Object]:
    done = subprocess.run([KUBECTL, "kustomize", overlay], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod that will be made, by the name of what makes it."""
    for found in objects:
        if found["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield found["metadata"]["name"], found["spec"]["template"]["spec"]


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def named(objects: list[Object], kind: str, name: str) -> Object:
    [found] = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("overlay", [*OVERLAYS, "scaled"])
def test_every_object_is_what_its_schema_asks_for(overlay: str, built: dict[str, list[Object]]) -> None:
    for found in built[overlay]:
        kubernetes_validate.validate(found, "1.32", strict=True)  # nothing else, for a cluster may have nothing else
        assert found["kind"] == "Namespace" or found["metadata"]["namespace"] == "streamproc"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_keeps_the_restricted_standard_and_is_bounded(overlay: str, built: dict[str, list[Object]]) -> None:
    for name, pod in pods(built[overlay]):
        of_pod = pod["securityContext"]
        assert of_pod["runAsNonRoot"] is True, name
        assert of_pod["runAsUser"] > 0
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}
            assert re.fullmatch(r"[a-z./]+:\d+\.\d+\.\d+(-[a-z]+)?", container["image"])
        for container in pod["containers"]:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()
        for volume in pod["volumes"]:
            assert volume.keys() & {"secret", "configMap"} or volume["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_named_is_there(overlay: str, built: dict[str, list[Object]]) -> None:
    objects = built[overlay]
    there = {(found["kind"], found["metadata"]["name"]) for found in objects}
    for name, pod in pods(objects):
        named_in_pod = [("Secret", v["secret"]["secretName"]) for v in pod["volumes"] if "secret" in v]
        named_in_pod += [("ConfigMap", v["configMap"]["name"]) for v in pod["volumes"] if "configMap" in v]
        for container in containers(pod):
            named_in_pod += [("ConfigMap", one["configMapRef"]["name"]) for one in container.get("envFrom", [])]
            assert {m["name"] for m in container.get("volumeMounts", [])} <= {v["name"] for v in pod["volumes"]} | {
                "data"
            }
        assert set(named_in_pod) <= there, name
        if "serviceAccountName" in pod:
            assert ("ServiceAccount", pod["serviceAccountName"]) in there
    assert {
        ("PodDisruptionBudget", "worker"),
        ("PodDisruptionBudget", "page"),
        ("NetworkPolicy", "nothing-else"),
    } <= there


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_selects_finds_something(overlay: str, built: dict[str, list[Object]]) -> None:
    objects = built[overlay]
    made = [f["spec"]["template"]["metadata"]["labels"] for f in objects if f["kind"] in {"Deployment", "StatefulSet"}]

    def finds(selector: Object) -> bool:
        wanted = selector.get("matchLabels", {}).items()
        among = {one["key"]: one["values"] for one in selector.get("matchExpressions", [])}
        return any(
            wanted <= labels.items() and all(labels.get(key) in values for key, values in among.items())
            for labels in made
        )

    for found in objects:
        spec = found.get("spec", {})
        if found["kind"] == "Service":
            assert finds({"matchLabels": spec["selector"]}), found["metadata"]["name"]
        if found["kind"] in {"NetworkPolicy", "PodDisruptionBudget", "Deployment", "StatefulSet"}:
            assert finds(spec.get("podSelector", spec.get("selector", {}))), found["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_workers_are_asked_for_their_life_and_are_replaced_one_by_one(
    overlay: str, built: dict[str, list[Object]]
) -> None:
    made = [found for found in built[overlay] if found["kind"] == "Deployment"]
    assert {found["metadata"]["name"] for found in made} == DEPLOYMENTS[overlay]
    for found in made:
        [container] = found["spec"]["template"]["spec"]["containers"]
        paths = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
        assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
        assert container["image"].endswith(f"streamproc:{streamproc.__version__}")
        if found["metadata"]["name"] != "page":
            assert found["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_in_production_each_processor_is_a_user_of_its_own(built: dict[str, list[Object]]) -> None:
    seen = {}
    for role in APPS:
        spec = named(built["production"], "Deployment", f"worker-{role}")["spec"]["template"]["spec"]
        [container] = spec["containers"]
        assert container["args"][1:3] == ["--only", role]
        [secret] = [volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume]
        told = base64.b64decode(named(built["production"], "Secret", secret)["data"]["streamproc.toml"]).decode()
        seen[role] = tomllib.loads(told)
    assert {role: told["kafka"]["user"] for role, told in seen.items()} == {role: f"streamproc-{role}" for role in APPS}
    assert [role for role, told in seen.items() if "redis" in told] == ["desk"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_prometheus_finds_workers_and_page_and_may_ask_them(overlay: str, built: dict[str, list[Object]]) -> None:
    objects = built[overlay]
    monitors = yaml.safe_load_all((FOLDER / "monitoring.yaml").read_text(encoding="utf-8"))
    asked = {found["metadata"]["name"]: found["spec"] for found in monitors}
    assert asked.keys() == {"worker", "page"}
    open_to = named(objects, "NetworkPolicy", "metrics")["spec"]
    assert open_to["podSelector"]["matchExpressions"][0]["values"] == ["worker", "page"]
    for name, monitor in asked.items():
        service = named(objects, "Service", name)
        assert monitor["jobLabel"] in service["metadata"]["labels"]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        [end] = monitor["endpoints"]
        assert end["path"] == "/metrics"
        [port] = [port for port in service["spec"]["ports"] if port["name"] == end["port"]]
        for _, pod in pods(
            [f for f in objects if f["metadata"].get("labels", {}).items() >= service["metadata"]["labels"].items()]
        ):
            [inside] = [one for one in pod["containers"][0]["ports"] if one["name"] == port["targetPort"]]
            assert inside["containerPort"] == open_to["ingress"][0]["ports"][0]["port"]
    told = asked["page"]["endpoints"][0]["authorization"]["credentials"]
    token = base64.b64decode(named(objects, "Secret", told["name"])["data"][told["key"]]).decode()
    kept = next(
        f
        for f in objects
        if f["kind"] == "Secret" and f["metadata"]["name"].startswith("page-") and "streamproc.toml" in f["data"]
    )
    assert tomllib.loads(base64.b64decode(kept["data"]["streamproc.toml"]).decode())["token"] == token


def test_the_autoscaler_scales_what_there_is(built: dict[str, list[Object]]) -> None:
    scaler = named(built["scaled"], "HorizontalPodAutoscaler", "worker-monitor")["spec"]
    named(built["scaled"], scaler["scaleTargetRef"]["kind"], scaler["scaleTargetRef"]["name"])
    settings = next(f for f in built["scaled"] if f["kind"] == "ConfigMap")["data"]
    assert scaler["maxReplicas"] <= int(settings["STREAMPROC_KAFKA__PARTITIONS"])


def test_no_secret_stands_in_a_settings_map_or_in_the_repository(built: dict[str, list[Object]]) -> None:
    for objects in built.values():
        for found in objects:
            if found["kind"] == "ConfigMap":
                assert not re.search(r"(?i)password|token|secret:", " ".join(found["data"]))
    kept = subprocess.run(["git", "ls-files", "--", FOLDER], cwd=ROOT, check=True, capture_output=True, text=True)
    assert [name for name in kept.stdout.splitlines() if "/secrets/" in name] == []


def test_kafka_and_redis_are_set_as_on_one_host() -> None:
    small, host = FOLDER / "overlays" / "small", FOLDER.parent / "compose"
    services = compose()["services"]

    def settings(path: Path) -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(re.split(r"[= ]", line, maxsplit=1) for line in lines if line and not line.startswith("#"))

    here, there = settings(small / "redis.conf"), settings(host / "redis" / "redis.conf")
    assert {name for name in here | there if here.get(name) != there.get(name)} == {"aclfile"}
    here, there = settings(small / "server.properties"), settings(host / "kafka" / "server.properties")
    changed = {name for name in here | there if here.get(name) != there.get(name)}
    assert changed == {
        "controller.quorum.voters",
        "listeners",
        "advertised.listeners",
        "listener.security.protocol.map",
        "log.dirs",
    }
    assert here["advertised.listeners"] == "INSIDE://kafka.streamproc:9092", "found from any namespace"
    for name in ("kafka", "redis"):
        assert services[name]["image"] in (small / f"{name}.yaml").read_text(encoding="utf-8")
