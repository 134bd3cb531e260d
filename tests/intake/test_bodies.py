import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.intake.bodies import bodies_of
from streamproc.intake.refusal import Refusal


def test_one_event_is_one_however_it_is_laid_out() -> None:
    assert bodies_of(b'{\n "a": 1\n}', lines=False) == [b'{\n "a": 1\n}']
    assert bodies_of(b"", lines=False) == [b""]


def test_lines_are_events_and_blank_ones_are_not() -> None:
    assert bodies_of(b'{"a":1}\r\n\n{"a":2}', lines=True) == [b'{"a":1}\r', b'{"a":2}']


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())))
def test_an_array_is_split_into_the_bytes_of_its_members(events: list[dict[str, object]]) -> None:
    bodies = bodies_of(json.dumps(events, indent=1).encode(), lines=False)
    assert isinstance(bodies, list)
    assert [json.loads(body) for body in bodies] == events


@pytest.mark.parametrize("payload", [b"[1,", b"[" * 100_000, b" [1 2]"])
def test_an_array_that_cannot_be_split_is_refused_whole(payload: bytes) -> None:
    refusal = bodies_of(payload, lines=False)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not_json"
