"""The firm's own facts: the same set leaves the same memory, in any order, with repeats; memory is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.dealing import home_at, homes_of
from streamproc.core.events import FirmFact
from streamproc.core.firm import KEPT, Firm, note
from streamproc.core.time import DAY


def fact(kind: str, day: int, subject: str | None = None, *, event_id: str | None = None, **detail: object) -> FirmFact:
    told: dict[str, str | float | bool | None] = {
        name: value for name, value in detail.items() if isinstance(value, str | float | bool)
    }
    return FirmFact(
        event_id=event_id or f"{kind}-{subject}-{day}", at=day * DAY, kind=kind, subject=subject, detail=told
    )


def firm_of(*facts: FirmFact) -> Firm:
    firm = Firm()
    for one in facts:
        note(firm, one)
    return firm


facts = st.lists(
    st.builds(
        fact,
        st.sampled_from(["holiday", "outage", "staff_left", "currency_rate"]),
        st.integers(0, 30),
        st.sampled_from(["a", "b"]),
        event_id=st.sampled_from([f"f{n}" for n in range(12)]),
        change=st.sampled_from(["x", "y"]),
    ),
    max_size=20,
)


@given(facts, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(told: list[FirmFact], rng: object) -> None:
    again = [*told, *told[:5]]
    rng.shuffle(again)  # type: ignore[attr-defined]
    assert firm_of(*again) == firm_of(*told)


def test_the_latest_of_a_kind_stay() -> None:
    most = KEPT["working_hours"]
    firm = firm_of(*(fact("working_hours", day) for day in reversed(range(most + 5))))
    assert [n.at // DAY for n in firm.of("working_hours")] == list(range(5, most + 5))


def test_rates_leave_no_trace_for_they_are_intakes() -> None:
    assert firm_of(fact("currency_rate", 1, "USD")) == Firm()


def test_only_what_is_read_is_kept_and_texts_are_cut() -> None:
    firm = firm_of(fact("staff_left", 1, "li", successor="w" * 100, colour="red"))
    assert next(firm.of("staff_left")).detail == {"successor": "w" * 64}


def test_a_dealers_region_is_the_one_told_last_by_then() -> None:
    told = fact("dealer_region", 1, "d", region="east"), fact("dealer_region", 9, "d", region="west")
    homes = homes_of(firm_of(*told))
    assert [home_at(homes, "d", day * DAY) for day in (0, 1, 8, 9)] == [None, "east", "east", "west"]
    assert home_at(homes, "another", DAY) is None


def test_the_cost_of_a_new_customer_is_the_last_campaigns_that_states_it() -> None:
    firm = firm_of(
        fact("marketing", 1, "old", cost_per_mailing=0.5, response_rate=0.02),
        fact("marketing", 2, "new", cost_per_mailing=0.5, response_rate=0.01),
        fact("marketing", 3, "nobody answered", cost_per_mailing=0.5, response_rate=0.0),
        fact("marketing", 4, "not stated"),
    )
    assert firm.acquisition_cost() == 50.0
    assert firm_of(fact("marketing", 4, "not stated")).acquisition_cost() is None
