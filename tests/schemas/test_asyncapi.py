"""The AsyncAPI document: complete by AsyncAPI 3.0's own rules, and every reference leads somewhere."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.schemas.contracts import FOLDER, NAMES, SUFFIX, Json, load

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
CHANNELS = {
    "purchases": {"purchase"},
    "complaints": {"complaint"},
    "contacts": {"contact"},
    "facts": {"fact", "desk-step"},
    "journal": {"journal-record"},
    "examples": {"example"},
    "desk-inbox": {
        "would-warn",
        "service-warn",
        "episode-changed",
        "verdict",
        "partition-summary",
        "complaint-step",
        "firm-told",
        "step-taken",
    },
    "warnings": {"feed-entry"},
    "alerts": {"alert"},
    "dead-letters": {"dead-letter"},
}


def references(part: Json, place: str = "#") -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield place, part["$ref"]
        for name, value in part.items():
            yield from references(value, f"{place}/{name}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from references(value, f"{place}/{number}")


def resolve(reference: str) -> Json:
    """What a reference points to: a place in the document, or a schema beside it. KeyError where nothing is."""
    if not reference.startswith("#/"):
        return load(reference.removeprefix("./").removesuffix(SUFFIX))
    part: Json = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_it_is_an_asyncapi_3_document() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) <= {
        "asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"
    }  # fmt: skip
    assert {"title", "version", "description"} <= set(DOCUMENT["info"])
    assert {"host", "protocol"} <= set(DOCUMENT["servers"]["embedded"])


def test_every_reference_leads_somewhere() -> None:
    assert [place for place, target in references(DOCUMENT) if not resolve(target)] == []


def test_a_reference_to_nothing_is_seen() -> None:
    with pytest.raises(KeyError):
        resolve("#/components/messages/rumour")
    with pytest.raises(FileNotFoundError):
        resolve("./rumour.schema.json")


def test_the_channels_carry_what_they_should() -> None:
    assert {name: set(channel["messages"]) for name, channel in DOCUMENT["channels"].items()} == CHANNELS
    for name, channel in DOCUMENT["channels"].items():
        assert channel["address"] == name
        assert "Embedded: " in channel["description"]


def test_every_message_has_its_schema_and_every_schema_is_used() -> None:
    messages = DOCUMENT["components"]["messages"]
    for name, message in messages.items():
        assert resolve(message["payload"]["schema"]["$ref"])["$id"] == f"urn:streamproc:schema:{name}:1"
        assert message["payload"]["schemaFormat"] == "application/schema+json;version=draft-2020-12"
        assert message["contentType"] == "application/json"
    inside = {"warning": "feed-entry", "model-snapshot": "journal-record", "playbook": "journal-record"}
    for part, whole in inside.items():
        assert f"urn:streamproc:schema:{part}:1" in {target for _, target in references(load(whole))}
    assert set(messages) | set(inside) == set(NAMES)


def test_every_channel_is_sent_to_or_received_from() -> None:
    used = set()
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        used.add(channel.rpartition("/")[2])
        # The messages must be those of the channel, named through it.
        assert {m["$ref"] for m in operation["messages"]} == {
            f"{channel}/messages/{name}" for name in resolve(channel)["messages"]
        }
    assert used == set(CHANNELS)


def test_headers_are_those_of_cloudevents_and_none_is_needed() -> None:
    trait = "#/components/messageTraits/cloudEvents"
    assert all(m["traits"] == [{"$ref": trait}] for m in DOCUMENT["components"]["messages"].values())
    headers = resolve(trait)["headers"]
    Draft202012Validator.check_schema(headers)
    assert "required" not in headers
    assert {"ce_id", "ce_source", "ce_specversion", "ce_type"} <= set(headers["properties"])
    assert all(part["description"] for part in headers["properties"].values())
