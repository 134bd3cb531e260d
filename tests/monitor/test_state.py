"""The state of a customer: small, the same bytes for the same state, versioned."""

import statistics
from pathlib import Path

import msgspec
import pytest

from streamproc.core.policy import Policy
from streamproc.core.time import HOUR
from streamproc.monitor.state import (
    VERSION,
    CustomerState,
    StateTooNewError,
    decode_state,
    encode_state,
    is_alias,
    new_state,
)
from streamproc.testing.events import bought, complained, known, on, sent_back, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import records

FIXTURE = Path(__file__).parents[1] / "fixtures" / "state-v1.msgpack"
"""States as version 1 wrote them, a list of (id, state bytes). Made by `python -m tests.monitor.test_state`; what is
committed there stays as it is: a newer program must go on reading it."""


def rich() -> Bench:
    """A customer of whom everything is known, one who is lost, a prospect, and an alias."""
    bench = Bench(policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0))
    bench.read(
        [
            bought(on(0), 5_000, cost=2_000, list_amount=6_000, customer_kind="business", strategic=0.7),
            touched(on(2), purpose="inquiry", customer_id="prospect"),
            bought(on(3), customer_id="gone"),
            bought(on(10), 700, lines=3, contract_until=on(900)),
            known(on(11), owner="Li", do_not_contact=False),
            sent_back(on(12), -300),
            complained(on(13), "opened", severity=3, category="quality"),
            complained(on(14), "resolved", valid=True),
            touched(on(15), "out", purpose="sales", result="unresolved", competitor=True),
            bought(on(40), None, order_id="late"),
            known(on(50), customer_id="old", alias_of="c"),
            bought(on(100), 900),
            bought(on(101), 100, order_id="x", cancelled=True),
        ]
    )
    bench.run_to(on(120))
    return bench


def test_what_version_1_wrote_is_read() -> None:
    stored = msgspec.msgpack.decode(FIXTURE.read_bytes(), type=list[tuple[str, bytes]])
    states = {customer_id: decode_state(body) for customer_id, body in stored}
    assert states.keys() == {"c", "gone", "old", "prospect"}
    facts, decisions = states["c"].facts, states["c"].decisions
    assert (facts.n_days, facts.n_orders, facts.first_day) == (4, 4, 20_000)
    assert facts.last_purchase() == on(100)
    assert (facts.says("owner"), facts.says("kind"), facts.says("strategic")) == ("Li", "business", 0.7)
    assert facts.complaints[0].valid
    assert len(facts.contacts) == len(facts.returns) == 1
    assert decisions.stage.code == "repeat"
    assert len(decisions.episodes) >= 1
    assert 1 <= len(decisions.pending) <= 4
    assert decisions.counted is not None
    assert states["gone"].decisions.stage.code == "lost"
    assert states["prospect"].facts.n_days == 0
    assert states["old"].forward_to == "c"
    assert facts.experience == {}
    assert {state.version for state in states.values()} == {VERSION}


def test_a_state_read_and_written_again_is_the_same_bytes() -> None:
    for body in rich().bodies().values():
        assert encode_state(decode_state(body)) == body


@pytest.mark.parametrize("version", [VERSION + 1, 100])
def test_a_newer_state_is_refused_with_what_to_do(version: int) -> None:
    state = new_state()
    state.version = version
    with pytest.raises(StateTooNewError, match=rf"version {version}.*upgrade"):
        decode_state(encode_state(state))


@pytest.mark.parametrize("to", ["c", "客户", "x" * 256, "\u00c0"])
def test_an_alias_is_told_by_its_last_byte(to: str) -> None:
    state = new_state()
    assert not is_alias(encode_state(state))
    state.forward_to = to
    assert is_alias(encode_state(state))
    assert CustomerState.__struct_fields__[-1] == "forward_to"


def test_half_of_a_shop_s_states_are_under_1200_bytes() -> None:
    bench = Bench()
    bench.read(records(150, 730, 2))
    bench.run_to(bench.now + HOUR)
    sizes = sorted(len(body) for body in bench.bodies().values())
    waiting = [len(decode_state(body).decisions.pending) for body in bench.bodies().values()]
    print(f"state: median {statistics.median(sizes):.0f} bytes, p99 {sizes[len(sizes) * 99 // 100]} of {len(sizes)}")
    assert statistics.median(sizes) <= 1_200
    assert sizes[-1] <= 8_192
    assert max(waiting) == 3


if __name__ == "__main__":
    FIXTURE.parent.mkdir(exist_ok=True)
    FIXTURE.write_bytes(msgspec.msgpack.encode(sorted(rich().bodies().items())))
