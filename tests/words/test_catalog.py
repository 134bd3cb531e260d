"""Every code has a term, every message a translation, and the compiled catalog is that of the text file."""

import ast
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from streamproc.core.alerts import AlertKind, AlertState
from streamproc.core.causes import Manner, Sign
from streamproc.core.control import ClockMode, Disposition
from streamproc.core.events import RECOVERY_STEPS, ComplaintStatus, CustomerKind, Direction, Purpose, WarningOutcome
from streamproc.core.lifecycle import Phase, Stage
from streamproc.core.loyalty import CriterionName, Kind, Measure
from streamproc.core.playbook import Tie
from streamproc.core.policy import Outcome, Severity
from streamproc.core.promises import PROMISES
from streamproc.core.unhappy import SignName
from streamproc.core.value import Grade, Segment, Tier
from streamproc.desk import forgetting, retraction, surges
from streamproc.desk.report import ServiceOutcome
from streamproc.desk.warning import EntryKind, State, WarningKind
from streamproc.intake.refusal import Reason
from streamproc.monitor.effects import DeadLettered, Why
from streamproc.scoring.layout import GROUPS
from streamproc.scoring.snapshot import Snapshot
from streamproc.simulate import CAUSES
from streamproc.words import words_in
from streamproc.words.terms import TERMS
from tests.ground.source import PACKAGE, modules, tree

CATALOG = PACKAGE / "words" / "locale" / "zh_CN" / "LC_MESSAGES" / "streamproc.po"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

Key = tuple[str | None, str | tuple[str, ...]]
"""Context and message; a message with a plural is a pair."""


def literals(struct: Any, field: str) -> tuple[str, ...]:
    return get_args(struct.__annotations__[field])


def codes(kind: type[Enum]) -> set[str]:
    return {str(getattr(member, "code", member.value)) for member in kind}


CLOSED: dict[str, set[str]] = {
    "stage": codes(Stage),
    "phase": codes(Phase),
    "grade": codes(Grade),
    "tier": codes(Tier),
    "segment": codes(Segment),
    "severity": codes(Severity),
    "outcome": codes(Outcome),
    "service outcome": set(get_args(ServiceOutcome)),
    "state": {*get_args(State), *get_args(EntryKind)},
    "why": {*get_args(Why), retraction.WHY, forgetting.WHY},
    "refused": {"claimed", "ended"},
    "desk list": {"warning", "customer", "severity", "expected loss", "owner", "time left", "state"},
    "warning kind": set(get_args(WarningKind)),
    "warning outcome": set(get_args(WarningOutcome)),
    "group": set(GROUPS),
    "speaks": set(literals(Snapshot, "speaks")),
    "complaint status": set(get_args(ComplaintStatus)),
    "cause": {str(cause) for cause in CAUSES if cause != "natural"},  # the need is gone: no feed says so
    "clue": set(get_args(Sign)),
    "manner": set(get_args(Manner)),
    "tie": set(get_args(Tie)),
    "direction": set(get_args(Direction)),
    "purpose": set(get_args(Purpose)),
    "customer kind": set(get_args(CustomerKind)),
    "clock": set(literals(ClockMode, "mode")),
    "disposition": set(literals(Disposition, "outcome")),
    "service": {"timely", "accurate", "consistent", "reliable"},
    "criterion": set(get_args(CriterionName)),
    "loyalty": set(get_args(Kind)),
    "loyalty means": set(get_args(Kind)),
    "measure": set(get_args(Measure)),
    "sign": set(get_args(SignName)),
    "alert": set(get_args(AlertKind)),
    "alert state": set(get_args(AlertState)),
    "promise": set(PROMISES),
    "recovery": set(RECOVERY_STEPS),
    "feed": set(surges.FEEDS),
    "refusal": {*get_args(Reason), *literals(DeadLettered, "reason")},
}


@pytest.mark.parametrize("kind", CLOSED)
def test_every_code_has_a_term_and_every_term_a_code(kind: str) -> None:
    assert set(TERMS[kind]) == CLOSED[kind]


def messages() -> Iterator[Key]:
    """What the program asks to be translated."""
    for kind, terms in TERMS.items():
        for english in terms.values():
            yield kind, english
    for path in modules("words", "cli", "adapters"):
        yield from asked(tree(path))


def asked(module: ast.AST) -> Iterator[Key]:
    """The texts given to `say` and `count`: they must stand there themselves, or nobody could collect them."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="say"), args=[ast.Constant(value=str(text))]):
                yield None, text
            case ast.Call(
                func=ast.Attribute(attr="count"), args=[ast.Constant(value=str(one)), ast.Constant(value=str(many)), _]
            ):
                yield None, (one, many)
            case ast.Call(func=ast.Attribute(attr="say")):
                raise AssertionError(f"line {node.lineno}: the text given to `say` is no constant")
            case _:
                pass


def texts_of(string: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [string] if isinstance(string, str) else list(string or ())


def translations() -> dict[Key, list[str]]:
    with CATALOG.open("rb") as file:
        catalog = read_po(file, locale="zh_CN", abort_invalid=True)
    found = {}
    for message in catalog:
        if message.id:
            assert not message.fuzzy
            key = message.id if isinstance(message.id, str) else tuple(message.id)
            found[message.context, key] = texts_of(message.string)
    return found


def test_texts_to_translate_are_seen() -> None:
    source = ast.parse("words.say('a {n}', n=1)\nself.words.count('{n} x', '{n} xs', 2)\n[].count('z')")
    assert set(asked(source)) == {(None, "a {n}"), (None, ("{n} x", "{n} xs"))}
    with pytest.raises(AssertionError):
        list(asked(ast.parse("words.say(text)")))


def test_every_message_is_translated_and_none_is_left_over() -> None:
    wanted, held = set(messages()), set(translations())
    assert wanted - held == set()
    assert held - wanted == set()


def test_placeholders_agree() -> None:
    for (_, message), texts in translations().items():
        english = message if isinstance(message, str) else message[-1]
        for text in texts:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(english)), english


def test_chinese_is_chinese() -> None:
    for (_, message), texts in translations().items():
        if any(map(str.isalpha, PLACEHOLDER.sub("", "".join(message)))):
            assert all(map(CHINESE.search, texts)), message


@pytest.mark.parametrize("kind", TERMS)
def test_two_codes_of_a_kind_are_never_called_the_same(kind: str) -> None:
    for language in ("en", "zh-CN"):
        words = words_in(language)
        terms = [words.term(kind, code) for code in TERMS[kind]]
        assert len(set(terms)) == len(terms)


def test_the_compiled_catalog_is_up_to_date() -> None:
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    found = {
        (context_of(m.context), m.id if isinstance(m.id, str) else tuple(m.id)): texts_of(m.string)
        for m in compiled
        if m.id
    }
    assert found == translations()


def context_of(read: str | bytes | None) -> str | None:
    """Babel gives a compiled message's context as it stands in the file."""
    return read.decode() if isinstance(read, bytes) else read
