"""A live run with a real Prometheus and Alertmanager: the feed is killed, and whoever is on call is told."""

from collections.abc import Iterator
from typing import Any

import pytest

from streamproc.adapters.metrics.catalogue import CATALOGUE, TABLE
from tests.deploy.live import Scene, scene
from tests.ground.source import ROOT
from tests.servers.process import wait_until


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("live")) as found:
        yield found


def test_prometheus_has_what_the_run_tells(live: Scene) -> None:
    told = {series["metric"]["__name__"] for series in live.prometheus.ask('{__name__=~"streamproc_.+"}')}
    wanted = {about.name for about in TABLE if "run" in about.tellers and about.kind not in {"histogram", "summary"}}
    assert wanted - told <= {
        "streamproc_desk_steps_total",
        "streamproc_open_alerts",
        "streamproc_service_warnings_total",
    }
    wait_until(lambda: bool(live.prometheus.ask("streamproc:customers:sum")), "the rules' own figures are there")


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_question_of_the_page_is_one_that_prometheus_takes(live: Scene, name: str) -> None:
    live.prometheus.ask(CATALOGUE[name].asks)


def told(live: Scene, **labels: str) -> list[tuple[str, dict[str, Any]]]:
    return [(to, alert) for to, alert in live.receiver.told if labels.items() <= alert["labels"].items()]


def test_a_killed_feed_is_told_to_whoever_is_on_call(live: Scene) -> None:
    silent = {"alertname": "StreamprocFeedSilent", "feed": "purchases"}
    assert told(live, **silent) == []
    live.feed.kill()
    wait_until(lambda: bool(told(live, **silent)), "the alert arrives", seconds=60)
    [(to, alert), *_] = told(live, **silent)
    assert (to, alert["status"]) == ("pager", "firing")
    assert alert["labels"] == silent | {"job": "streamproc", "severity": "critical"}
    annotations = alert["annotations"]
    assert annotations["summary"].startswith("The feed purchases brings nothing")
    assert annotations["summary_zh"].startswith("数据源 purchases 没有新数据")
    assert (ROOT / annotations["runbook_url"]).exists()
    assert told(live, alertname="StreamprocTargetDown") == []
