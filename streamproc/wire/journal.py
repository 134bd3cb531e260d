"""Journal records ↔ bytes: plain JSON, one object a record, told apart by `type`."""

import msgspec
from msgspec import Struct

from streamproc.core.control import JournalRecord

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[JournalRecord] = msgspec.json.Decoder(JournalRecord)


class DecodeFailure(Struct, frozen=True):
    """Bytes that are no journal record, and why."""

    body: bytes
    why: str


def encode(record: JournalRecord) -> bytes:
    """The record as JSON; the same record always gives the same bytes."""
    return _ENCODER.encode(record)


def decode(body: bytes) -> JournalRecord | DecodeFailure:
    """The record the bytes hold, or why they hold none."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return DecodeFailure(body, str(error))
