"""What is posted at once → single events: one JSON object, a JSON array of them, or one a line (NDJSON)."""

import msgspec

from streamproc.intake.refusal import Refusal

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


def bodies_of(payload: bytes, *, lines: bool) -> list[bytes] | Refusal:
    """The bytes of each event in a payload; `lines` says that it is NDJSON, by its content type.

    An array that cannot be split is refused as a whole, for where its events begin is not known; all else is
    for intake to judge, event by event.
    """
    if lines:
        return [line for line in payload.split(b"\n") if line.strip()]
    if not payload.lstrip().startswith(b"["):
        return [payload]
    try:
        return [bytes(body) for body in _split(payload)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal("not_json", "", "the array cannot be split into events")
