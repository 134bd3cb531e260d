"""Schemas and program agree in both directions: a field added to one without the other fails here."""

import copy
from typing import Any, get_args

import msgspec
import pytest

from streamproc.adapters.embedded.deadletters import DeadLetter
from streamproc.core.alerts import Alert
from streamproc.core.control import JournalRecord
from streamproc.core.lifecycle import Phase, Stage
from streamproc.core.playbook import Playbook
from streamproc.core.policy import Severity
from streamproc.core.value import Grade, Segment, Tier
from streamproc.desk.warning import Entry, Warning  # noqa: A004 - it is the domain's word
from streamproc.intake.refusal import Reason
from streamproc.monitor.effects import (
    ComplaintStep,
    DeadLettered,
    EpisodeChanged,
    FirmTold,
    ForDesk,
    PartitionSummary,
    ServiceWarn,
    StepTaken,
    Verdict,
    Why,
    WouldWarn,
)
from streamproc.scoring.examples import Example
from streamproc.scoring.snapshot import FORMAT, Snapshot
from streamproc.wire.feed import (
    FIRM_FACTS,
    MAX_DETAIL,
    FeedComplaint,
    FeedContact,
    FeedCustomerFact,
    FeedDeskStep,
    FeedFirmFact,
    FeedPurchase,
)
from tests.schemas.contracts import Schema, Shape, differences, load, shape

OWN: dict[str, Any] = {
    "alert": Alert,
    "journal-record": JournalRecord,
    "would-warn": WouldWarn,
    "episode-changed": EpisodeChanged,
    "verdict": Verdict,
    "service-warn": ServiceWarn,
    "complaint-step": ComplaintStep,
    "firm-told": FirmTold,
    "step-taken": StepTaken,
    "warning": Warning,
    "feed-entry": Entry,
    "example": Example,
    "partition-summary": PartitionSummary,
    "model-snapshot": Snapshot,
    "playbook": Playbook,
    "dead-letter": DeadLetter,
}
FEED: dict[str, tuple[type[msgspec.Struct], Schema]] = {
    "purchase": (FeedPurchase, load("purchase")),
    "complaint": (FeedComplaint, load("complaint")),
    "contact": (FeedContact, load("contact")),
    "desk step": (FeedDeskStep, load("desk-step")),
    "fact of a customer": (FeedCustomerFact, load("fact")["$defs"]["customer_fact"]),
    "fact of the firm": (FeedFirmFact, load("fact")["$defs"]["firm_fact"]),
}
ROOTS = {"desk step": "desk-step", "fact of a customer": "fact", "fact of the firm": "fact"}
HEADS = {"stream", "kind", "type", "fact"}
"""Members that tell an event's kind: read from every feed, whatever its type."""


def program(kind: Any) -> Shape:
    """The shape the program gives a type."""
    (schema,), defs = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    return shape(schema, {"$defs": defs})


def feed_shapes(name: str) -> tuple[Shape, Shape]:
    """The published shape of a feed event without the members of the head, and the program's."""
    kind, schema = FEED[name]
    ours, theirs = shape(schema, load(ROOTS.get(name, name))), program(kind)
    for member in HEADS:
        ours.members.pop(member)
        theirs.members.pop(member, None)
    # What a fact of the firm may hold beside its members is checked by examples: it ends in `detail`.
    ours.elements = []
    return ours, theirs


@pytest.mark.parametrize("name", OWN)
def test_a_record_is_published_as_it_is(name: str) -> None:
    schema = load(name)
    assert list(differences(shape(schema, schema), program(OWN[name]))) == []


def test_all_that_the_desk_is_told_is_published() -> None:
    assert set(get_args(ForDesk)) <= set(OWN.values())


@pytest.mark.parametrize("name", FEED)
def test_a_feed_event_is_published_as_it_is_read(name: str) -> None:
    assert list(differences(*feed_shapes(name))) == []


# ------------------------------------------------------------------------------- the comparison can fail


def test_a_new_field_of_the_program_is_seen() -> None:
    grown = msgspec.defstruct("Grown", [("fresh", int | None, None)], bases=(DeadLetter,), frozen=True)
    schema = load("dead-letter")
    assert list(differences(shape(schema, schema), program(grown))) == ["$.fresh: only in the program"]


@pytest.mark.parametrize("name", OWN)
def test_a_new_field_of_a_schema_is_seen(name: str) -> None:
    schema = copy.deepcopy(load(name))
    place = schema["$defs"]["tick"] if name == "journal-record" else schema
    place["properties"]["fresh"] = {"type": "string"}
    found = list(differences(shape(schema, schema), program(OWN[name])))
    assert [line.removeprefix("$.tick") for line in found] in (
        ["$.fresh: only in the schema"],
        [".fresh: only in the schema"],
    )


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (("severity",), {"maximum": 6}, "$.severity: maximum is 5 in the program, 6 in the schema"),
        (("status",), {"enum": ["opened"]}, "$.status: other words"),
        (("valid",), {"type": "boolean"}, "$.valid: published ['boolean'], the program has"),
    ],
)
def test_another_type_bound_or_word_is_seen(place: tuple[str], change: Schema, message: str) -> None:
    schema = copy.deepcopy(load("complaint"))
    schema["properties"][place[0]] |= change
    found = [x for x in differences(shape(schema, schema), program(FeedComplaint)) if place[0] in x]
    assert [line.startswith(message) for line in found] == [True]


def test_a_field_that_became_optional_is_seen() -> None:
    schema = copy.deepcopy(load("example"))
    schema["required"].remove("age")
    assert list(differences(shape(schema, schema), program(Example))) == ["$: required differ: ['age']"]


def test_a_record_that_is_not_published_is_seen() -> None:
    schema = copy.deepcopy(load("journal-record"))
    del schema["oneOf"][-1]
    assert list(differences(shape(schema, schema), program(JournalRecord))) == ["$.playbook: only in the program"]


# ------------------------------------------------------------------------------ words the types leave open


def words(name: str, definition: str | None, member: str) -> set[str]:
    schema = load(name)
    holder = schema if definition is None else schema["$defs"][definition]
    return shape(holder["properties"][member], schema).words


def literal(alias: Any) -> set[str]:
    return program(alias).words


@pytest.mark.parametrize(
    ("name", "definition", "member", "wanted"),
    [
        ("warning", None, "severity", {one.code for one in Severity}),
        ("feed-entry", None, "severity", {one.code for one in Severity}),
        ("warning", "standing", "stage", {one.code for one in Stage}),
        ("warning", "standing", "phase", set(Phase)),
        ("warning", "standing", "grade", set(Grade)),
        ("warning", "standing", "tier", set(Tier)),
        ("warning", "standing", "segment", set(Segment)),
        ("warning", "risk", "speaks", program(Snapshot).members["speaks"].words),
        ("would-warn", "figures", "speaks", program(Snapshot).members["speaks"].words),
        ("feed-entry", None, "why", literal(Why)),
        ("fact", "firm_fact", "fact", set(FIRM_FACTS)),
        ("journal-record", "firm_fact", "kind", set(FIRM_FACTS)),
        ("dead-letter", None, "reason", literal(Reason) | program(DeadLettered).members["reason"].words),
    ],
)
def test_a_closed_set_of_words_is_the_programs(
    name: str, definition: str | None, member: str, wanted: set[str]
) -> None:
    assert words(name, definition, member) == wanted


def test_numbered_words_are_told() -> None:
    figures = load("would-warn")["$defs"]["figures"]["properties"]
    for stage in Stage:
        assert f"{stage.value} {stage.code}" in figures["stage"]["description"]
    for severity in Severity:
        for name in ("would-warn", "episode-changed"):
            assert f"{severity.value} {severity.code}" in load(name)["properties"]["severity"]["description"]


def test_numbers_the_types_do_not_hold_are_the_programs() -> None:
    assert load("model-snapshot")["properties"]["format"]["const"] == FORMAT
    assert load("fact")["$defs"]["firm_fact"]["properties"]["detail"]["maxProperties"] == MAX_DETAIL
