"""What the metrics show, read from what the processors remember: the same figures of a run and of a worker."""

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

import msgspec

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.clock import Progress
from streamproc.adapters.embedded.schema import FILE
from streamproc.adapters.metrics.seen import AtDesk, Base, Judged, Kept, Model, Ruled
from streamproc.core.experience import EXPECTED, PERCEIVED
from streamproc.core.ids import short_id
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Severity
from streamproc.core.value import Grade, Segment
from streamproc.desk.desk import Desk
from streamproc.desk.feed import OPEN_STATES
from streamproc.desk.warning import Money
from streamproc.monitor.counts import category_code
from streamproc.monitor.effects import Totals
from streamproc.monitor.partition import Meta
from streamproc.monitor.totals import merged
from streamproc.trainer.trainer import Status

TENTHS = 10
GRADES = tuple(grade.value for grade in Grade)

SAMPLED = 1_000
"""Rows whose size is looked at: with sizes that vary by their own mean, one in twenty such sums is 6 % off."""


def base_of(parts: Mapping[int, Totals], money: Money) -> Base:
    """The customers that these partitions' totals count: none of a stage, a grade or a segment is a figure, too."""
    totals = merged(list(parts.values()))
    losses = Counter[tuple[str, ...]]()
    for counts in totals.losses.values():
        for key, count in counts.items():
            cause, grade, segment = key.split("/")
            losses[cause, grade, segment] += count
    told = totals.service or [0] * (max(PERCEIVED, EXPECTED) + 1)
    return Base(
        currency=money.currency,
        stages=dict.fromkeys((stage.code for stage in Stage), 0) | totals.stages,
        grades=dict.fromkeys(GRADES, 0) | totals.grades,
        equity=float(money.text(totals.equity)),
        at_risk=float(money.text(totals.at_risk)),
        warned=totals.open_warnings,
        unhappy=totals.unhappy,
        lost={(grade, str(number)): part.lost.get(grade, 0) for number, part in parts.items() for grade in GRADES},
        losses=losses,
        perceived=told[PERCEIVED] / TENTHS,
        expected=told[EXPECTED] / TENTHS,
        segments=dict.fromkeys((segment.value for segment in Segment), 0) | totals.segments,
    )


def rules_of(meta: Meta) -> Ruled:
    """The snapshot and the policy that a partition goes by."""
    snapshot, policy = meta.snapshot, meta.policy
    digest = short_id(msgspec.json.encode(policy, order="sorted").decode())
    return Ruled(snapshot.id, snapshot.speaks, snapshot.at, policy.name, digest)


def judged_of(status: Status) -> Judged:
    """How the models stand beside each other."""
    record = status.standing
    stands = {"ours": record.ours, "challenger": record.challenger}
    models = {who: Model(s.log_loss, s.auc, s.brier, s.calibration_error) for who, s in stands.items() if s is not None}
    return Judged(record.judged, record.base_rate, models, record.drifts, status.refused)


def desk_of(desk: Desk) -> AtDesk:
    """What the desk has open."""
    complaints = Counter(category_code(case.category) for case in desk.watch.cases.open.values())
    found = (opened.finding for opened in desk.watch.open.values())
    alerts = Counter[tuple[str, ...]]((finding.kind, finding.severity) for finding in found)
    return AtDesk(complaints, alerts)


def partitions_in(db: sqlite3.Connection, progress: Progress) -> dict[int, Meta]:
    """What each partition of the data folder remembered at the last commit, by number."""
    in_order = sorted(range(progress.partitions), key=str)  # as their keys are
    return dict(zip(in_order, queries.metas(db), strict=False))


def kept_in(db: sqlite3.Connection, folder: Path, progress: Progress) -> Kept:
    """What the data folder holds. Each question is answered from an index, or from a table that stays small."""
    open_now = f"SELECT severity, count(*) FROM warnings WHERE state IN {OPEN_STATES} GROUP BY severity"  # noqa: S608 - our own words
    severities = dict(db.execute(open_now))
    due = sum(
        _one(db, "SELECT count(*) FROM states WHERE partition = ? AND due <= ?", number, progress.read)
        for number in range(progress.partitions)
    )
    disk = os.statvfs(folder)
    customers = _one(db, "SELECT count(*) FROM states")
    journal = _one(db, "SELECT coalesce(max(seq), 0) FROM journal")
    return Kept(
        dead_letters=_one(db, "SELECT count(*) FROM dead_letters WHERE redriven IS NULL"),
        open_warnings={severity.code: severities.get(severity.code, 0) for severity in Severity},
        customers=customers,
        due=due,
        journal=journal,
        files={name: _size(folder / file) for name, file in (("database", FILE), ("log", f"{FILE}-wal"))},
        disk_free=disk.f_bavail * disk.f_frsize,
        disk=disk.f_blocks * disk.f_frsize,
        state_bytes=bytes_in(db, "states", customers),
        journal_bytes=bytes_in(db, "journal", journal),
    )


def bytes_in(db: sqlite3.Connection, table: str, rows: int) -> int:
    """Bytes of the bodies of a table of so many rows; of more than SAMPLED the mean of as many by chance stands in."""
    if rows <= SAMPLED:
        return _one(db, f"SELECT coalesce(sum(length(body)), 0) FROM {table}")  # noqa: S608 - our own words
    last = _one(db, f"SELECT max(rowid) FROM {table}")  # noqa: S608 - as above
    places = Random(0).choices(range(1, last + 1), k=SAMPLED)  # noqa: S311 - no secret, and the same at each look
    query = f"SELECT length(body) FROM {table} WHERE rowid >= ? LIMIT 1"  # noqa: S608 - as above
    return round(sum(_one(db, query, place) for place in places) / SAMPLED * rows)


def _one(db: sqlite3.Connection, query: str, *given: int) -> int:
    (number,) = db.execute(query, given).fetchone()
    return int(number)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
