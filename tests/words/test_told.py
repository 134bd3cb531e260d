"""What intake says in English is said in Chinese where people read it."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC

import pytest

from streamproc.intake.columns import describe
from streamproc.intake.mapping import Mapping
from streamproc.intake.refusal import Refusal
from streamproc.intake.times import Times
from streamproc.words import told, words_in
from streamproc.words.terms import TERMS
from tests.ground.source import modules, tree

CHINESE = words_in("zh-CN")
HAN = re.compile(r"[\u4e00-\u9fff]")


def details() -> Iterator[str]:
    """The details that are written out where a record is refused, with 7 for what is put in."""
    for path in modules("intake", "adapters", "cli"):
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(func=ast.Name("Refusal"), args=[_, _, ast.Constant(str(text))]):
                    yield text
                case ast.Call(func=ast.Name("Refusal"), args=[_, _, ast.JoinedStr(values)]):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in values)
                case _:
                    pass


DETAILS = sorted(set(details()) - {"not a time (7)"})  # of two forms, seen below


def test_the_details_are_found() -> None:
    assert {"before 1970", "7 cells where the header has 7", "more than 7 bytes"} <= set(DETAILS)


@pytest.mark.parametrize("detail", DETAILS)
def test_every_detail_is_said_in_chinese(detail: str) -> None:
    said = told(CHINESE, detail)
    assert HAN.search(said), said
    assert said.count("7") >= detail.count("7")  # no value is lost
    assert "{" not in said


@pytest.mark.parametrize("detail", DETAILS)
def test_english_stays_as_it_is(detail: str) -> None:
    assert told(words_in("en"), detail) == detail


@pytest.mark.parametrize("code", TERMS["told"])
def test_each_form_is_recognised_as_itself(code: str) -> None:
    form = TERMS["told"][code]
    values = {name: f"«{name}»" for name in re.findall(r"\{(\w+)\}", form)}
    assert told(CHINESE, form.format(**values)) == CHINESE.term("told", code).format(**values)


def test_times_are_refused_in_chinese_too() -> None:
    for layout, stamp in ((None, "soon"), ("%d.%m.%Y", "2024-01-01"), (None, "1999"), (None, "9" * 24)):
        refusal = Times(UTC, layout).parse(stamp)
        assert isinstance(refusal, Refusal)
        assert HAN.search(told(CHINESE, refusal.detail)), refusal.detail


@pytest.mark.parametrize("text", ["", "OSError: [Errno 5] Input/output error", "Bestellung", "7 cells"])
def test_what_is_of_no_known_form_stays_as_it_is(text: str) -> None:
    assert told(CHINESE, text) == text


@pytest.mark.parametrize("orders", ["rows", "whole", "sum"])
def test_how_columns_are_read_is_said_in_chinese(orders: str) -> None:
    header = ["who", "when", "order", "noise"]
    mapping = Mapping(
        columns={"customer_id": "who", "occurred_at": "when", "order_id": "order"},
        constants={"currency": "EUR"},
        orders=orders,  # type: ignore[arg-type]
        skip=("gift",),
    )
    lines = describe(mapping, header)
    said = [told(CHINESE, line) for line in lines]
    plain = [line for line in said if not HAN.search(line)]
    assert plain == ["who → customer_id"]
    for line, told_line in zip(lines, said, strict=True):
        for word in re.findall(r"who|when|noise|gift|EUR|order_id", line):
            assert word in told_line
