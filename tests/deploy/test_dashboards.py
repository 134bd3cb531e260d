"""The dashboards that are committed are those the code writes, and whoever opens one finds the way."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from deploy.grafana.write import FOLDER, files
from streamproc.adapters.metrics.catalogue import CATALOGUE
from tests.deploy.test_metrics import NAME, known

BOARDS = {f"{path.parent.name}/{path.stem}": json.loads(text) for path, text in files()}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OURS = {"AUC"}
"""Titles that are the same in both languages."""


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def test_make_dashboards_would_change_nothing() -> None:
    committed = {path: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.json")}
    assert committed == dict(files()), "run `make dashboards`"


@pytest.mark.parametrize("name", BOARDS)
def test_a_panel_says_what_it_shows_in_its_language(name: str) -> None:
    board = BOARDS[name]
    for panel in [board, *panels(board)]:
        assert panel["title"]
        assert len(panel["description"]) > 5, panel["title"]
        if panel["title"] not in OURS:
            assert bool(CHINESE.search(panel["title"])) == name.startswith("zh"), panel["title"]
        assert bool(CHINESE.search(panel["description"])) == name.startswith("zh"), panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_leads_to_the_others_to_the_page_and_to_the_other_language(name: str) -> None:
    board = BOARDS[name]
    uids = {other["uid"] for other in BOARDS.values()}
    assert len(uids) == len(BOARDS)
    urls = [link["url"] for link in board["links"]]
    assert urls[0] == "${page}/"
    assert {url.removeprefix("/d/") for url in urls[1:]} <= uids - {board["uid"]}
    assert len(urls) == 1 + 2 + 1
    names = [variable["name"] for variable in board["templating"]["list"]]
    assert names[:2] == ["source", "job"]
    assert names[-1] == "page"
    used = set(re.findall(r"\$\{?([a-z]+)", json.dumps([board["panels"], board["links"]])))
    assert used - {"__rate_interval"} <= set(names)


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_of_one_shop_and_lie_side_by_side(name: str) -> None:
    board = BOARDS[name]
    places = [panel["gridPos"] for panel in board["panels"]]
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for panel in panels(board):
        for target in panel["targets"]:
            names = list(NAME.findall(target["expr"]))
            assert all(map(known, names)), target["expr"]
            assert target["expr"].count("{") == target["expr"].count('{job="$job"'), target["expr"]


def test_most_of_what_is_told_is_shown_somewhere() -> None:
    shown = {name for board in BOARDS.values() for name in NAME.findall(json.dumps(board))}
    unseen = {name for name in CATALOGUE if not any(found.startswith(name) for found in shown)}
    assert len(unseen) < 20, sorted(unseen)
