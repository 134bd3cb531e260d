"""Why intake would not take something. A refusal is a value for the dead letters, never an exception."""

from typing import Literal

from msgspec import Struct

Reason = Literal[
    "not_utf8",  # the bytes are no text
    "not_json",
    "not_object",
    "bad_row",  # the CSV record cannot be split, or has another number of cells than the header
    "too_large",  # more than MAX_BODY bytes
    "missing_field",
    "wrong_type",
    "bad_value",  # right type, but no such thing: an unknown word of a closed set, a currency of five letters
    "out_of_range",
    "not_finite",  # NaN, infinity
    "id_too_long",
    "unknown_kind",
    "bad_time",
    "too_old",  # before 1970
    "in_future",  # more than MAX_AHEAD after now
    "no_rate",  # no currency rate at or before that time
]
"""The closed set of reasons."""

MAX_BODY = 1 << 20
"""Bytes one record may have."""

MAX_ID = 256
"""Bytes of UTF-8 one identifier may have."""


class Refusal(Struct, frozen=True):
    """Why a record was refused: `reason`, the `field` at fault (ours, or empty), and a short `detail`.

    The detail is at most 200 characters and repeats what a feed sent only where it is a word, never an id,
    an amount or free text.
    """

    reason: Reason
    field: str = ""
    detail: str = ""


class Position(Struct, frozen=True):
    """Where a record stood: the source's name, the record number from 1, the byte offset once unpacked."""

    source: str
    row: int
    offset: int = 0
