"""`streamproc alerts`: as they stand, and in two languages."""

from contextlib import closing
from pathlib import Path

import msgspec

from streamproc.adapters.embedded import alerts
from streamproc.adapters.embedded.schema import connect
from streamproc.core.alerts import Alert, Finding, OpenAlert, alert_of
from streamproc.core.time import DAY
from tests.cli.shop import Cli

SURGE = Finding(
    kind="complaint_surge",
    subject="category:quality",
    severity="high",
    figures={"days": 3.0, "count": 27.0, "expected": 8.94},
)
BASE = Finding(
    kind="base_shrinking", subject="", severity="high", figures={"days": 91.0, "before": 1200.0, "now": 1100.0}
)
BEGAN = 30_000 * DAY


def commit(folder: Path, *lines: Alert) -> None:
    with closing(connect(folder)) as db:
        db.execute("BEGIN")
        db.execute("DELETE FROM alerts")
        alerts.write(db, lines)
        db.execute("COMMIT")


def told() -> tuple[Alert, ...]:
    surge, base = OpenAlert(BEGAN, SURGE), OpenAlert(BEGAN + DAY, BASE)
    return (
        alert_of(surge, "raised", BEGAN, history=False),
        alert_of(base, "raised", BEGAN + DAY, history=False),
        alert_of(surge, "ended", BEGAN + 5 * DAY, history=False),
    )


def test_an_alert_is_shown_as_its_last_line_says(cli: Cli, own: Path) -> None:
    lines = told()
    commit(own, *lines)
    shown = [msgspec.convert(line, Alert) for line in cli("alerts", "--json", "--data", own).lines]
    assert shown == [lines[1], lines[2]]
    opened = cli("alerts", "--open", "--json", "--data", own).lines
    assert [line["kind"] for line in opened] == ["base_shrinking"]


def test_alerts_are_said_in_both_languages(cli: Cli, own: Path) -> None:
    commit(own, *told())
    english = cli("alerts", "--data", own).out
    assert "Complaints surge (category: unstable quality): 27 in 3 days, where 8.9 are usual." in english
    assert "1,100 active customers, 1,200 were there 91 days ago" in english
    chinese = cli("alerts", "--data", own, "--lang", "zh-CN").out
    assert "投诉激增（类别：质量不稳定）：3天内27件，通常有8.9件。" in chinese
    assert "客户群正在萎缩" in chinese


def test_without_an_alert_the_exit_code_says_so(cli: Cli, own: Path) -> None:
    commit(own)
    shown = cli("alerts", "--data", own)
    assert (shown.code, shown.err.strip()) == (1, "There is no such alert.")
