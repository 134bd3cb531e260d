"""What each processor, the page and the firm's producers must be allowed on Kafka, and nothing beside it.

Who makes topics, imports a past, pins a model, redrives dead letters or goes on where records are lost is a person with
more rights.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from streamproc.adapters.kafka.names import BEGINNING, Names
from streamproc.config import KafkaSettings

Role = Literal["intake", "monitor", "trainer", "desk", "page", "producer"]
Kind = Literal["topic", "group", "transactional-id"]
Operation = Literal["Read", "Write", "Describe"]
ROLES: tuple[Role, ...] = ("intake", "monitor", "trainer", "desk", "page", "producer")


class Allowed(NamedTuple):
    """One permission; `prefixed`: on everything whose name begins so. To read or to write implies to describe."""

    role: Role
    kind: Kind
    name: str
    operation: Operation
    prefixed: bool = False

    def words(self, principal: str) -> list[str]:
        """The options by which kafka-acls.sh grants it."""
        pattern = ["--resource-pattern-type", "prefixed"] if self.prefixed else []
        return [
            *("--add", "--allow-principal", principal, "--operation", self.operation),
            *(f"--{self.kind}", self.name, *pattern),
        ]


class _Rights(NamedTuple):
    """The topics that a role reads and writes."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


def allowed(kafka: KafkaSettings) -> list[Allowed]:
    """All that the roles need in one installation."""
    names, inputs = Names(kafka.prefix), tuple(kafka.inputs.values())
    return [permission for role in ROLES for permission in _of(role, names, inputs, kafka.facts)]


def _of(role: Role, names: Names, inputs: tuple[str, ...], facts: str) -> Iterator[Allowed]:
    rights = _rights(names, inputs, facts)[role]
    for topic in rights.reads:
        yield Allowed(role, "topic", topic, "Read")
    for topic in rights.writes:
        yield Allowed(role, "topic", topic, "Write")
    if role == "producer":
        return
    yield Allowed(role, "topic", names.prefix, "Describe", prefixed=True)
    if role == "page":
        yield Allowed(role, "group", names.prefix, "Describe", prefixed=True)
        return
    for topic in inputs:  # each looks at the start whether all topics are there
        if topic not in rights.reads:
            yield Allowed(role, "topic", topic, "Describe")
    yield Allowed(role, "group", f"{names.prefix}{role}", "Read")
    yield Allowed(role, "transactional-id", f"{names.prefix}{role}.", "Write", prefixed=True)
    yield Allowed(role, "transactional-id", f"{names.prefix}{BEGINNING}", "Write")  # whoever comes first begins


def _rights(names: Names, inputs: tuple[str, ...], facts: str) -> dict[Role, _Rights]:
    began = (
        names.journal,
        names.examples,
    )  # whoever starts looks how the journal began, and whether an import is through
    changelog = {role: names.changelog(role) for role in ("monitor", "trainer", "desk")}
    outputs = (names.journal, names.dead_letters)
    return {
        "intake": _Rights((*inputs, names.progress, *began), (*outputs, names.desk_inbox, names.progress)),
        "monitor": _Rights(
            (*began, changelog["monitor"]), (*outputs, names.desk_inbox, names.examples, changelog["monitor"])
        ),
        "trainer": _Rights((*began, changelog["trainer"]), (*outputs, changelog["trainer"])),
        "desk": _Rights(
            (names.desk_inbox, names.warnings, *began, changelog["desk"]),
            (*outputs, names.warnings, names.alerts, changelog["desk"]),
        ),
        "page": _Rights(
            (
                *(names.journal, names.warnings, names.alerts, names.dead_letters, *inputs),
                *(names.progress, *changelog.values()),
            ),
            (facts,),  # what people do about warnings goes there
        ),
        "producer": _Rights((), inputs),
    }
