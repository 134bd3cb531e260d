"""The record of the warnings as charts and tables, in one language."""

from collections.abc import Sequence
from typing import Final

from streamproc.adapters.report import charts
from streamproc.adapters.report.document import DASH, Document, Section, Table
from streamproc.adapters.report.firm import coded, percent, share
from streamproc.desk.record import Group, GroupName, Record, Saved
from streamproc.words import Words

TERMS_OF: Final[dict[GroupName, str]] = {
    "grade": "grade",
    "cause": "cause",
    "severity": "severity",
    "segment": "segment",
    "warning_kind": "warning kind",
}
"""The kind of term that a group's code has."""


def record_document(record: Record, words: Words) -> Document:
    """The report."""
    return Document(
        language=words.language,
        title=words.say("The record of the warnings"),
        subtitle=period(record, words),
        tiles=record_lines(record, words),
        sections=[_calibration(record, words), _saved(record, words), _service(record, words), *_groups(record, words)],
        figures=words.say("The figures"),
        untold=words.say("Nothing is told of it yet."),
    )


def period(record: Record, words: Words) -> str:
    """What time it is of."""
    if record.since is None or record.until is None:
        return words.say("No warning was raised yet.")
    return words.say(
        "Warnings raised since {since}, as they stood on {until}.",
        since=words.date(record.since),
        until=words.date(record.until),
    )


def record_lines(record: Record, words: Words) -> list[tuple[str, str]]:
    """The figures over all warnings of leaving, each with its name."""
    judged = words.say(
        "{n}, {share} of them right", n=words.number(record.judged), share=share(words, record.precision)
    )
    recall, weekly = record.recall, record.false_alarms_a_week
    foreseen = words.say(
        "{share} of {losses}",
        share=share(words, recall.share),
        losses=words.count("{n} loss", "{n} losses", recall.losses),
    )
    return [
        (words.say("Warnings raised"), words.number(record.raised)),
        (words.say("Open warnings"), words.number(record.open)),
        (words.say("Judged, and right (precision)"), judged if record.judged else words.say("none yet")),
        (words.say("Losses with an open warning (recall)"), foreseen if recall.losses else DASH),
        (words.say("Lead time, median"), DASH if record.lead_days is None else words.days(round(record.lead_days, 1))),
        (words.say("False alarms a week"), DASH if weekly is None else words.number(weekly)),
        (words.say("Withdrawn, for a late event showed them wrong"), words.number(record.corrected)),
        (words.say("Calibration error"), share(words, record.calibration_error)),
        (words.say("Value at risk"), words.money(record.value_at_risk, record.currency)),
        (words.say("Value saved"), saved_said(record.saved, record.currency, words)),
    ]


def saved_said(saved: Saved, currency: str, words: Words) -> str:
    """The value saved, with its interval, or why nothing can be claimed."""
    if saved.claim == "not_measured":
        return words.say("not measured: nobody is watched in silence (holdout_share)")
    if saved.total is None or saved.total_between is None:
        return words.say("too few verdicts yet to say")
    low, high = (words.money(amount, currency) for amount in saved.total_between)
    between = words.say("{low} to {high}", low=low, high=high)
    if saved.claim == "too_wide":
        return words.say("nothing can be claimed yet: {between}", between=between)
    return f"{words.money(saved.total, currency)} ({between})"


def _calibration(record: Record, words: Words) -> Section:
    tenths = record.calibration
    names = [f"{words.share(t.low)} – {words.share(t.low + 0.1)}" for t in tenths]  # noqa: RUF001 - from, to
    predicted, actual = words.say("predicted"), words.say("left")
    series = {predicted: [percent(t.predicted) for t in tenths], actual: [percent(t.actual) for t in tenths]}
    return Section(
        words.say("Calibration"),
        words.say(
            "Judged warnings by the probability they were raised with: as many should have left as was predicted."
        ),
        (charts.columns(words.say("Predicted and actual"), names, series, " %"),) if tenths else (),
        Table(
            (words.say("Probability"), words.say("warnings"), predicted, actual),
            [
                (name, words.number(t.warnings), share(words, t.predicted), share(words, t.actual))
                for name, t in zip(names, tenths, strict=True)
            ],
        ),
    )


def _saved(record: Record, words: Words) -> Section:
    saved = record.saved
    kept = DASH
    if saved.kept is not None and saved.kept_between is not None:
        low, high = map(words.share, saved.kept_between)
        kept = words.say("{share}, between {low} and {high}", share=words.share(saved.kept), low=low, high=high)
    return Section(
        words.say("Value saved"),
        words.say(
            "The warned against those watched in silence, over all verdicts so far; intervals of 95 percent confidence."
        ),
        (),
        Table(
            ("", words.say("figure")),
            [
                (words.say("Verdicts on the warned"), words.number(saved.warned)),
                (words.say("Verdicts on those watched in silence"), words.number(saved.silent)),
                (words.say("More customers kept, of the warned"), kept),
                (words.say("Value saved"), saved_said(saved, record.currency, words)),
            ],
        ),
    )


def _service(record: Record, words: Words) -> Section:
    rows = [(words.term("state", state), words.number(n)) for state, n in record.service.items()]
    return Section(
        words.say("Service warnings"),
        words.say("Unhappy and silent customers: counted apart, as nobody predicted that they would leave."),
        (),
        Table((words.say("Ended, or open"), words.say("warnings")), rows) if rows else None,
    )


def _groups(record: Record, words: Words) -> list[Section]:
    headings: dict[GroupName, str] = {
        "grade": words.say("By grade"),
        "cause": words.say("By cause"),
        "severity": words.say("By severity"),
        "segment": words.say("By segment"),
        "warning_kind": words.say("By kind of warning"),
    }
    found = {of: [group for group in record.groups if group.of == of] for of in headings}
    return [_group(headings[of], of, groups, record.currency, words) for of, groups in found.items() if groups]


def _group(title: str, of: GroupName, groups: Sequence[Group], currency: str, words: Words) -> Section:
    names = [coded(words, TERMS_OF[of], group.code) for group in groups]
    right = words.say("right (precision)")
    return Section(
        title,
        words.say("As each warning stood when it was raised."),
        (charts.columns(right, names, {right: [percent(group.precision) for group in groups]}, " %"),),
        group_table(names, groups, currency, words),
    )


def group_table(names: Sequence[str], groups: Sequence[Group], currency: str, words: Words) -> Table:
    """A row a group."""
    headings = (
        words.say("warnings"), words.say("open"), words.say("recovered"), words.say("lost"), words.say("withdrawn"),
        words.say("judged"), words.say("right (precision)"), words.say("lead time, median"), words.say("expected loss"),
    )  # fmt: skip
    rows = [
        (
            name,
            *map(words.number, (g.raised, g.open, g.recovered, g.lost, g.withdrawn, g.judged)),
            share(words, g.precision),
            DASH if g.lead_days is None else words.days(round(g.lead_days, 1)),
            words.money(g.expected_loss, currency),
        )
        for name, g in zip(names, groups, strict=True)
    ]
    return Table(("", *headings), rows)
