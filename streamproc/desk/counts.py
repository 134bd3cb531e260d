"""Counters of what people were told of warnings: a line of the feed each, never what waits or is watched in silence."""

from streamproc.desk.warning import Entry
from streamproc.monitor.blame import UNKNOWN
from streamproc.monitor.counts import Counts


def tally_line(counts: Counts, line: Entry) -> None:
    """Counts a line of the feed (in place), steps aside: those the monitor counts."""
    if line.kind == "verdict":
        counts["verdicts", "right" if line.right else "wrong"] += 1
    elif line.kind in {"escalated", "recovered", "lost", "withdrawn"}:
        counts["warnings", line.kind] += 1
    elif line.warning is not None and line.warning_kind == "service":
        counts["service_warnings", line.warning.severity] += 1
    elif line.warning is not None:
        causes = line.warning.causes
        counts["warnings", "raised"] += 1
        counts["severities", line.warning.severity] += 1
        counts["causes", causes[0].cause if causes else UNKNOWN] += 1
