"""A JSON feed with other member names, brought to ours as the mapping says."""

from collections.abc import Callable

import msgspec

from streamproc.intake.mapping import Mapping

_decode = msgspec.json.Decoder(dict[str, object]).decode


def renamer(mapping: Mapping) -> Callable[[bytes], bytes]:
    """What turns the bytes of their event into ours; bytes that are no JSON object pass as they are.

    A member that the mapping gives to one of our fields takes its place, whatever stood there; constants fill
    what is absent or null; ignored members go.
    """
    if not (mapping.columns or mapping.constants or mapping.ignore):
        return _as_it_is

    def rename(body: bytes) -> bytes:
        try:
            theirs = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return body
        gone = {*mapping.columns.values(), *mapping.ignore}
        ours = {name: value for name, value in theirs.items() if name not in gone}
        for field, name in mapping.columns.items():
            ours[field] = theirs.get(name)
        for field, value in mapping.constants.items():
            if ours.get(field) is None:
                ours[field] = value
        return msgspec.json.encode(ours)

    return rename


def _as_it_is(body: bytes) -> bytes:
    return body
