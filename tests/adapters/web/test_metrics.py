import re

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from streamproc.adapters.metrics import AtDesk, Base, Judged, Kept, Metrics, Model, Ruled, Seen, Time
from streamproc.adapters.metrics.catalogue import TABLE
from tests.adapters.catalogue import held_to_the_catalogue
from tests.adapters.web.kit import HOSTILE, Site

SEEN = Seen(
    counts={
        ("events", "purchase"): 7,
        ("events", "repeat"): 2,
        ("looks", "below_threshold"): 5,
        ("refused", "not_json"): 1,
        ("transitions", "repeat>loyal"): 3,
        ("won_back", ""): 4,
        ("warnings", "raised"): 6,
        ("severities", "high"): 6,
        ("causes", "price"): 5,
        ("service_warnings", "low"): 2,
        ("steps", "claim"): 3,
        ("complaints", "opened>quality"): 4,
        ("complaints", "resolved>quality"): 2,
        ("complaint_seconds", "resolved>quality"): 7_200,
        ("verdicts", "right"): 1,
        ("late", "too_late"): 2,
        ("repeats", ""): 3,
        ("leads", ""): 2,
        ("lead_seconds", ""): 86_400,
    },
    time=Time(clock=1_000_000_000_000_000, read=1_000_000_500_000_000, now=1_000_002_500_000_000, wall=True),
    waiting=3,
    newest={"purchases": 1_000_000_440_000_000},
    kept=Kept(
        dead_letters=1,
        open_warnings={"high": 2, "low": 0},
        customers=8,
        due=3,
        journal=99,
        files={"database": 4_096},
        disk_free=10,
        disk=100,
        state_bytes=7_000,
        journal_bytes=40_000,
    ),
    base=Base(
        "EUR",
        {"loyal": 3},
        {"A": 1},
        1234.5,
        99.5,
        warned=2,
        unhappy=1,
        lost={("B", "0"): 4},
        losses={("price", "B", "average"): 4},
        perceived=8.0,
        expected=10.0,
        segments={"average": 4},
    ),
    ruled=Ruled("abc", "learned", 999_000_000_000_000, "default", "d1"),
    judged=Judged(
        examples=50,
        base_rate=0.25,
        models={"ours": Model(0.4, 0.9, 0.1, 0.02), "challenger": Model(0.5, 0.8, 0.2, 0.03)},
        drifts={"base_rate": 1},
        refused=3,
    ),
    desk=AtDesk({"quality": 2}, {("churn_rate", "high"): 1}),
)


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families(text).values()
        for sample in family.samples
    }


def exposed(seen: Seen | None) -> str:
    return Metrics(lambda: seen).exposition()[0].decode()


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("streamproc_events_total", ("purchase",), 7),
        ("streamproc_repeated_events_total", (), 5),
        ("streamproc_looks_total", ("below_threshold",), 5),
        ("streamproc_refused_total", ("not_json",), 1),
        ("streamproc_transitions_total", ("loyal", "repeat"), 3),  # by label: after, before
        ("streamproc_won_back_customers_total", (), 4),
        ("streamproc_warning_changes_total", ("raised",), 6),
        ("streamproc_raised_warnings_total", ("high",), 6),
        ("streamproc_verdicts_total", ("right",), 1),
        ("streamproc_late_events_total", ("too_late",), 2),
        ("streamproc_clock_timestamp_seconds", (), 1e9),
        ("streamproc_read_timestamp_seconds", (), 1e9 + 500),
        ("streamproc_behind_seconds", (), 2_000),
        ("streamproc_inbox_requests", (), 3),
        ("streamproc_dead_letters", (), 1),
        ("streamproc_open_warnings", ("high",), 2),
        ("streamproc_open_warnings", ("low",), 0),
        ("streamproc_customers", ("loyal",), 3),
        ("streamproc_graded_customers", ("A",), 1),
        ("streamproc_customer_equity", ("EUR",), 1234.5),
        ("streamproc_value_at_risk", ("EUR",), 99.5),
        ("streamproc_model_log_loss", ("ours",), 0.4),
        ("streamproc_model_auc", ("challenger",), 0.8),
        ("streamproc_model_brier_score", ("ours",), 0.1),
        ("streamproc_model_calibration_error", ("ours",), 0.02),
        ("streamproc_model_drifts", ("base_rate",), 1),
        ("streamproc_model_info", ("abc", "learned"), 1),
        ("streamproc_model_created_timestamp_seconds", (), 999e6),
        ("streamproc_model_base_rate", (), 0.25),
        ("streamproc_model_judged_examples", (), 50),
        ("streamproc_refused_snapshots_total", (), 3),
        ("streamproc_policy_info", ("d1", "default"), 1),
        ("streamproc_warning_causes_total", ("price",), 5),
        ("streamproc_service_warnings_total", ("low",), 2),
        ("streamproc_desk_steps_total", ("claim",), 3),
        ("streamproc_desk_steps_total", ("overdue",), 0),
        ("streamproc_verdicts_total", ("wrong",), 0),
        ("streamproc_complaint_steps_total", ("quality", "opened"), 4),
        ("streamproc_complaint_answer_seconds_sum", ("quality", "resolved"), 7_200),
        ("streamproc_complaint_answer_seconds_count", ("quality", "resolved"), 2),
        ("streamproc_feed_age_seconds", ("purchases",), 60),
        ("streamproc_kept_customers", (), 8),
        ("streamproc_due_customers", (), 3),
        ("streamproc_journal_records", (), 99),
        ("streamproc_data_bytes", ("database",), 4_096),
        ("streamproc_disk_free_bytes", (), 10),
        ("streamproc_warning_lead_seconds_count", (), 2),
        ("streamproc_warning_lead_seconds_sum", (), 86_400),
        ("streamproc_state_bytes", (), 7_000),
        ("streamproc_journal_bytes", (), 40_000),
        ("streamproc_segmented_customers", ("average",), 4),
        ("streamproc_warned_customers", (), 2),
        ("streamproc_unhappy_customers", (), 1),
        ("streamproc_lost_customers_total", ("B", "0"), 4),
        ("streamproc_losses", ("price", "B", "average"), 4),
        ("streamproc_satisfaction_expected", (), 10),
        ("streamproc_open_complaints", ("quality",), 2),
        ("streamproc_open_alerts", ("churn_rate", "high"), 1),
    ],
)
def test_what_the_store_counts_is_a_metric(name: str, labels: tuple[str, ...], value: float) -> None:
    assert values(exposed(SEEN))[name, labels] == value


def test_time_that_does_not_follow_the_wall_is_never_behind() -> None:
    assert values(exposed(SEEN._replace(time=SEEN.time._replace(wall=False))))["streamproc_behind_seconds", ()] == 0


def test_time_that_has_not_begun_is_not_behind() -> None:
    begins = SEEN._replace(time=SEEN.time._replace(clock=0, read=0))
    assert values(exposed(begins))["streamproc_behind_seconds", ()] == 0


def test_a_process_without_a_store_still_says_what_it_is() -> None:
    found = families(exposed(None))
    assert "streamproc_build_info" in found
    assert "streamproc_events" not in found
    assert "process_cpu_seconds" in found


def test_names_follow_prometheus_rules() -> None:
    text = exposed(SEEN)
    # As `promtool check metrics` judges: help everywhere, counters end in _total, base units, no type in a name.
    for name, family in families(text).items():
        assert family.documentation, name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
        assert not re.search(r"_(milli|micro|minutes|hours|days|kilo|mb|percent|gauge|counter|histogram)(_|$)", name)
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples), name
        elif family.type == "gauge" and not name.startswith("python_"):
            assert not name.endswith(("_total", "_count", "_sum", "_bucket")), name
        assert len({(s.name, tuple(sorted(s.labels.items()))) for s in family.samples}) == len(family.samples)


def test_metrics_of_a_run_count_requests_by_route_and_name_no_customer(site: Site) -> None:
    path = "/api/customers/left-90"
    assert site.client.get(path).status_code == 200
    site.client.get("/some/path/of/anybody")
    site.client.request("BREW", "/livez")
    answer = site.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = values(answer.text)
    assert found["streamproc_http_requests_total", ("GET", "/api/customers/{customer_id}", "200")] == 1
    assert found["streamproc_http_requests_total", ("GET", "other", "404")] == 1
    assert found["streamproc_http_requests_total", ("other", "/livez", "405")] == 1
    for secret in ("left-", "steady-", "anybody", HOSTILE[:8]):
        assert secret not in answer.text


def test_metrics_of_a_run_agree_with_its_summary(site: Site) -> None:
    summary = site.client.get("/api/summary").json()
    found = values(site.client.get("/metrics").text)
    assert sum(v for (name, _), v in found.items() if name == "streamproc_open_warnings") == sum(
        summary["warnings"].get(state, 0) for state in ("raised", "escalated")
    )
    assert found["streamproc_events_total", ("purchase",)] == summary["counts"]["events"]["purchase"]
    assert sum(v for (name, _), v in found.items() if name == "streamproc_customers") == summary["customers"]
    judged = {labels[0] for name, labels in found if name == "streamproc_model_auc"}
    assert judged == {"ours", "challenger"}


def test_a_run_tells_what_the_catalogue_says_and_all_of_it(site: Site) -> None:
    everything = {about.name for about in TABLE if "run" in about.tellers}
    site.client.get("/livez")
    live = held_to_the_catalogue(site.client.get("/metrics").text, "run")
    assert live | held_to_the_catalogue(exposed(SEEN), "run") == everything
    assert everything - live <= MAY_BE_MISSING


def test_a_cluster_s_page_tells_of_itself() -> None:
    page = Metrics(lambda: None)
    page.request("/livez", "GET", 200, 0.01)
    told = held_to_the_catalogue(page.exposition()[0].decode(), "page")
    assert told == {about.name for about in TABLE if "page" in about.tellers}


MAY_BE_MISSING = {"streamproc_model_created_timestamp_seconds"}
"""Not told before there is something to tell."""
