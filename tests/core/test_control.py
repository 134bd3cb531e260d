"""The set-up of a journal: what cannot hold is refused, given or read."""

import msgspec
import pytest

from streamproc.core.control import CORE_VERSION, Setup

WRONG = [
    ({"horizon_days": 0}, "at least one day"),
    ({"horizons": {"business": 0}}, "at least one day"),
    ({"horizons": {"business": 180, "consumer": -1}}, "at least one day"),
    ({"lateness": -1}, "lateness"),
    ({"lateness": 31 * 24 * 3600 * 1_000_000}, "29 days"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_a_set_up_that_cannot_hold_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Setup(at=0, **given)  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.json.decode(msgspec.json.encode({"type": "setup", "at": 0, **given}), type=Setup)


def test_the_smallest_set_up_holds_and_names_our_version() -> None:
    setup = Setup(at=0, horizon_days=1, horizons={"dealer": 1}, lateness=0)
    assert setup.core_version == CORE_VERSION
