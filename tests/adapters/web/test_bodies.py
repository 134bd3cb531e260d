import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.adapters.web.bodies import split

objects = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=4)


@given(st.lists(objects, min_size=1, max_size=5), st.sampled_from(["", "application/json", "text/plain"]))
def test_an_array_lines_and_one_object_are_told_apart_by_looking(events: list[object], content_type: str) -> None:
    array = json.dumps(events, indent=1).encode()
    assert [json.loads(body) for body in split(array, content_type)] == events
    lines = "\n".join(map(json.dumps, events)).encode()
    assert [json.loads(body) for body in split(lines, content_type)] == events
    pretty = json.dumps(events[0], indent=1).encode()
    assert split(pretty, content_type) == [pretty]


def test_the_type_says_that_there_is_one_event_a_line() -> None:
    body = b'{"a":\n1}\n\n'
    assert split(body, "application/x-ndjson; charset=utf-8") == [b'{"a":', b"1}"]
    assert split(body, "application/json") == [body]


@pytest.mark.parametrize(
    "body", [b"[1, 2", b"{,}", b"\xff", b'"text', b"{,}\n{,}", b"[" * 100_000, b'{"a":' * 100_000 + b"\n1"]
)
def test_what_is_no_json_is_one_event_byte_for_byte(body: bytes) -> None:
    assert split(body, "") == [body]


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_nothing_is_no_event(body: bytes) -> None:
    assert split(body, "application/x-ndjson") == split(body, "") == []
