"""The page about every metric is what the catalogue says, and what the rules ask for is in it."""

import re

from deploy.metrics import PAGE, page
from streamproc.adapters.metrics.catalogue import CATALOGUE, TABLE
from tests.ground.source import ROOT

NAME = re.compile(r"\bstreamproc_[a-z0-9_]+")
ENDINGS = ("_bucket", "_sum", "_count")


def known(name: str) -> bool:
    """Whether a name in a query is that of a metric of ours, or of a part of one."""
    return name in CATALOGUE or any(name.removesuffix(ending) in CATALOGUE for ending in ENDINGS)


def test_the_page_is_written_anew_with_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make dashboards`"


def test_a_metric_s_question_asks_for_it() -> None:
    for about in TABLE:
        asked = set(NAME.findall(about.asks))
        assert any(name.startswith(about.name) for name in asked), about.name
        assert all(map(known, asked)), about.name


def test_rules_ask_only_for_metrics_that_there_are() -> None:
    groups = r"streamproc_(?:thresholds|recording|running|feeds|stores|model|shop)$"
    for path in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"):
        text = re.sub(rf"(?m)- name: {groups}", "", path.read_text(encoding="utf-8"))
        assert [name for name in NAME.findall(text) if not known(name)] == [], path.name


def test_names_say_their_unit_and_kind() -> None:
    for about in TABLE:
        assert about.name.endswith("_total") == (about.kind == "counter"), about.name
        assert about.name.endswith("_info") == (about.kind == "info"), about.name
        assert not {"customer", "customer_id", "event_id", "warning_id"} & set(about.labels), about.name
        assert about.meaning.endswith("."), about.name
