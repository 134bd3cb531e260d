"""Writes deploy/metrics.md, the page about every metric, from the program's own catalogue."""

from pathlib import Path

from streamproc.adapters.metrics.catalogue import TABLE, Described

PAGE = Path(__file__).with_name("metrics.md")

HEAD = """# Metrics

What streamproc tells Prometheus at `/metrics`; this page is written by `make dashboards` from the program's catalogue.

- `run` is the one process of `streamproc run`, `worker` each worker of a cluster, `page` a cluster's page.
- Every process tells of itself alone, at a port of its own: no files are shared, and any number of processes may come
  and go. A worker tells of the partitions that it owns just now, and of desk and trainer where it has them. So what is
  counted is added up over workers (`sum by`), and what there is once is asked for with `max by`.
- A run's counters are its data folder's; they go on after a restart, and after `retract`: what is taken back stays
  counted. A worker's begin at 0 with the process. So ask for an `increase`, not for the figure itself. Each value that
  a label may have is told from the start on, with 0.
- Two counters are of what is kept, and move with it: `streamproc_lost_customers_total` with its partition,
  `streamproc_refused_snapshots_total` with the trainer. Of these take the `max` over workers before the `increase`.
- Labels are codes of closed sets: stage, grade, segment, cause, feed, reason, outcome, app, partition. No metric names
  a customer. The largest, `streamproc_losses`, has at most 300 series, `streamproc_lag_records` one a partition.
- Time is in seconds, sizes in bytes, money in units of the reporting currency, shares from 0 to 1. The program's own
  time (`streamproc_clock_timestamp_seconds`) is the wall's once it is live; a past that is read has its own.
- Beside these there are `process_*` and `python_info`, as every Python program has them.

"""


def page() -> str:
    """The page's text."""
    return HEAD + "\n".join(map(_told, TABLE))


def _told(about: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in about.labels) or "none"
    facts = f"{about.kind} · labels: {labels} · told by: {', '.join(about.tellers)}"
    return f"## {about.name}\n\n{about.meaning}\n\n{facts}\n\n```promql\n{about.asks}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
