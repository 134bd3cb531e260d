"""The published contracts, and what a schema says once its wording is taken off."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
FEEDS = {
    "purchases": "purchase",
    "complaints": "complaint",
    "contacts": "contact",
    "facts": "fact",
    "desk": "desk-step",
}
"""The schema of each of the four streams."""

SUFFIX = ".schema.json"
NAMES = sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))

Json = Any
Schema = dict[str, Any]

FORMATS = FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def is_date_time(value: object) -> bool:
    """RFC 3339's form is in the patterns; here is whether there is such a day."""
    return not isinstance(value, str) or datetime.fromisoformat(value.upper()).tzinfo is not None


@FORMATS.checks("date", ValueError)
def is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@cache
def load(name: str) -> Schema:
    schema: Schema = json.loads((FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    return schema


@cache
def validator(name: str) -> Draft202012Validator:
    known = [(load(other)["$id"], Resource.from_contents(load(other))) for other in NAMES]
    return Draft202012Validator(load(name), registry=Registry().with_resources(known), format_checker=FORMATS)


def faults(name: str, instance: Json) -> list[str]:
    """What the schema has against an instance."""
    return [f"{error.json_path}: {error.message}"[:300] for error in validator(name).iter_errors(instance)]


def examples(name: str, sort: str) -> list[Path]:
    return sorted((FOLDER / "examples" / name).glob(f"{sort}-*.json"))


def subschemas(schema: Json, place: str = "#") -> Iterator[tuple[str, Schema]]:
    """Every object in a schema file that may be a schema, with its place."""
    if isinstance(schema, dict):
        yield place, schema
        for name, part in schema.items():
            yield from subschemas(part, f"{place}/{name}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from subschemas(part, f"{place}/{number}")


# ------------------------------------------------------------------------------ schemas as plain shapes

BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")


@dataclass
class Shape:
    """What may stand at a place: by JSON type, with the words of a closed set, bounds, members, elements."""

    types: set[str] = field(default_factory=set)
    words: set[Json] = field(default_factory=set)
    bounds: dict[str, float | str] = field(default_factory=dict)
    members: dict[str, "Shape"] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    elements: list["Shape"] = field(default_factory=list)
    base64: bool = False
    variants: dict[str, "Shape"] = field(default_factory=dict)

    def add(self, other: "Shape") -> None:
        """Widens this shape by another (in place): either may stand here."""
        self.types |= other.types
        self.words |= other.words
        self.bounds |= other.bounds
        self.members |= other.members
        self.required |= other.required
        self.elements = self.elements or other.elements
        self.base64 = self.base64 or other.base64
        self.variants |= other.variants


_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def shape(schema: Schema, root: Schema) -> Shape:
    """The shape of a schema; references are followed, within `root` or to another file."""
    if "$ref" in schema:
        target: str = schema["$ref"]
        other = root
        if not target.startswith("#"):
            other = load(target.split(":")[3])
            return shape(other, other)
        return shape(other["$defs"][target.rpartition("/")[2]], other)
    choices = schema.get("oneOf") or (schema.get("anyOf") if "properties" not in schema else None)
    if choices:
        return _choice([shape(choice, root) for choice in choices])
    types = schema.get("type", [])
    words = [schema["const"]] if "const" in schema else schema.get("enum", [])
    found = Shape(
        types={types} if isinstance(types, str) else set(types) or {_JSON_TYPES[type(word)] for word in words},
        words={word for word in words if word is not None},
        bounds={name: schema[name] for name in BOUNDS if name in schema},
        members={name: shape(part, root) for name, part in schema.get("properties", {}).items()},
        required=set(schema.get("required", ())),
        base64=schema.get("contentEncoding") == "base64",
    )
    if schema.get("format") == "decimal":
        found.types = {"string", "number"}  # msgspec writes decimals as text and reads numbers, too
    rest = schema.get("additionalProperties"), schema.get("items"), *schema.get("prefixItems", ())
    found.elements = [shape(part, root) for part in rest if isinstance(part, dict) and part]
    return found


def _choice(shapes: list[Shape]) -> Shape:
    whole = Shape()
    if len(shapes) > 1 and all("type" in one.members for one in shapes):
        whole.variants = {str(next(iter(one.members["type"].words))): one for one in shapes}
        return whole
    for one in shapes:
        whole.add(one)
    if "number" in whole.types:
        whole.types.discard("integer")
    return whole


def differences(ours: Shape, theirs: Shape, place: str = "$") -> Iterator[str]:
    """Where the published shape (`ours`) and the program's (`theirs`) do not agree.

    The published one may be narrower: bounds, and words where the program takes any text.
    """
    if not theirs.types and not theirs.variants:
        return  # kept unread
    yield from (f"{place}: {what}" for what in _here(ours, theirs))
    for number, (mine, its) in enumerate(zip(ours.elements, theirs.elements, strict=False)):
        yield from differences(mine, its, f"{place}[{number}]")
    for mine_all, its_all in ((ours.members, theirs.members), (ours.variants, theirs.variants)):
        for name in sorted(mine_all.keys() ^ its_all.keys()):
            yield f"{place}.{name}: only in the {'schema' if name in mine_all else 'program'}"
        for name in sorted(mine_all.keys() & its_all.keys()):
            yield from differences(mine_all[name], its_all[name], f"{place}.{name}")


def _here(ours: Shape, theirs: Shape) -> Iterator[str]:
    """The differences at one place, without what lies within."""
    if ours.types != theirs.types:
        yield f"published {sorted(ours.types)}, the program has {sorted(theirs.types)}"
    if theirs.words and ours.words != theirs.words:
        yield f"other words: {sorted(ours.words ^ theirs.words, key=str)}"
    if ours.base64 != theirs.base64:
        yield "base64 or not"
    for bound, value in theirs.bounds.items():
        if ours.bounds.get(bound) != value:
            yield f"{bound} is {value} in the program, {ours.bounds.get(bound)} in the schema"
    if ours.required != theirs.required:
        yield f"required differ: {sorted(ours.required ^ theirs.required)}"
    if len(ours.elements) != len(theirs.elements):
        yield f"{len(ours.elements)} kinds of elements, the program has {len(theirs.elements)}"
