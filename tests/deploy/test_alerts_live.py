"""A live run with a real Prometheus and Alertmanager: all of it is asked for, and a killed feed is told.

One test, for the scene takes longer than all that is looked at in it.
"""

from functools import partial
from pathlib import Path
from typing import Any

from streamproc.adapters.metrics.catalogue import TABLE
from tests.deploy.live import Scene, asked_of, scene, shows
from tests.ground.source import ROOT
from tests.servers.process import wait_until

SELDOM = {"streamproc_desk_steps_total", "streamproc_open_alerts", "streamproc_service_warnings_total"}
"""What a small shop may have nothing of."""


def test_a_live_run_is_seen_and_a_killed_feed_is_told(tmp_path: Path) -> None:
    with scene(tmp_path) as live:
        prometheus_has_what_the_run_tells(live)
        every_question_of_the_page_about_metrics_is_taken(live)
        every_panel_of_a_run_shows_something(live)
        a_killed_feed_is_told_to_whoever_is_on_call(live)


def prometheus_has_what_the_run_tells(live: Scene) -> None:
    told = {series["metric"]["__name__"] for series in live.prometheus.ask('{__name__=~"streamproc_.+"}')}
    wanted = {about.name for about in TABLE if "run" in about.tellers and about.kind not in {"histogram", "summary"}}
    assert wanted - told <= SELDOM
    wait_until(lambda: bool(live.prometheus.ask("streamproc:customers:sum")), "the rules' own figures are there")


def every_question_of_the_page_about_metrics_is_taken(live: Scene) -> None:
    for about in TABLE:
        live.prometheus.ask(about.asks)


def every_panel_of_a_run_shows_something(live: Scene) -> None:
    for asks in sorted(asked_of("run", "any")):
        wait_until(partial(shows, live.prometheus, asks), asks, seconds=20)


def a_killed_feed_is_told_to_whoever_is_on_call(live: Scene) -> None:
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


def told(live: Scene, **labels: str) -> list[tuple[str, dict[str, Any]]]:
    return [(to, alert) for to, alert in live.receiver.told if labels.items() <= alert["labels"].items()]
