"""The schema files themselves: valid, complete, worded, and without loose ends."""

import json
from collections import defaultdict

import pytest
from jsonschema import Draft202012Validator

from tests.schemas.contracts import FEEDS, FOLDER, NAMES, Schema, load, subschemas

PUBLISHED = {
    "alert",
    "complaint",
    "complaint-step",
    "contact",
    "dead-letter",
    "desk-step",
    "episode-changed",
    "example",
    "fact",
    "feed-entry",
    "firm-told",
    "journal-record",
    "model-snapshot",
    "partition-summary",
    "playbook",
    "purchase",
    "service-warn",
    "step-taken",
    "verdict",
    "warning",
    "would-warn",
}
OWN = sorted(PUBLISHED - set(FEEDS.values()))


def described(name: str) -> list[tuple[str, Schema]]:
    """The members of all objects of a schema that are declared for readers, not for telling cases apart."""
    return [
        (f"{place}/properties/{member}", part)
        for place, schema in subschemas(load(name))
        if "properties" in schema and "title" in schema
        for member, part in schema["properties"].items()
    ]


def references(name: str) -> list[str]:
    return [part["$ref"] for _, part in subschemas(load(name)) if "$ref" in part]


def test_there_is_a_schema_for_everything_that_crosses_a_border() -> None:
    assert set(NAMES) == PUBLISHED


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_json_schema(name: str) -> None:
    schema = load(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_named_with_its_version(name: str) -> None:
    assert load(name)["$id"] == f"urn:streamproc:schema:{name}:1"


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_described(name: str) -> None:
    schema = load(name)
    assert schema["title"]
    assert schema["description"]
    assert {member for member, part in schema.get("$defs", {}).items() if not part.get("title")} == set()
    assert described(name) or "oneOf" in schema
    assert [place for place, part in described(name) if not part.get("description", "").strip()] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_definition_is_loose_or_missing(name: str) -> None:
    used = references(name)
    assert {ref.removeprefix("#/$defs/") for ref in used if ref.startswith("#")} == set(load(name).get("$defs", {}))
    known = {load(other)["$id"] for other in NAMES}
    assert {ref for ref in used if not ref.startswith("#")} <= known


def test_the_same_definition_says_the_same_in_every_feed() -> None:
    said = defaultdict(set)
    for name in FEEDS.values():
        for definition, schema in load(name)["$defs"].items():
            said[definition].add(json.dumps(schema, sort_keys=True))
    assert {definition for definition, texts in said.items() if len(texts) > 1} == set()


@pytest.mark.parametrize("name", OWN)
def test_our_own_records_are_closed(name: str) -> None:
    open_ones = [
        place
        for place, schema in subschemas(load(name))
        if schema.get("type") == "object" and schema.get("additionalProperties", True) is True
    ]
    assert open_ones == []


@pytest.mark.parametrize("name", ["purchase", "complaint", "contact", "desk-step"])
def test_a_feed_may_say_more_than_we_read(name: str) -> None:
    assert load(name)["additionalProperties"] is True


def test_files_are_formatted_alike() -> None:
    for path in FOLDER.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path.name
