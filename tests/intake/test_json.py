import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.core.events import Complaint, Contact, CustomerFact, FirmFact, Purchase
from streamproc.core.time import DAY, HOUR
from streamproc.intake.intake import Settings
from streamproc.intake.journal import MAX_TEXT
from streamproc.intake.refusal import MAX_BODY, Refusal
from tests.intake.kit import COMPLAINT, CONTACT, HERE, NOW, ORDER, json_intake, order, purchase, refused, take

AT = 19_783 * DAY + 10 * HOUR
FACT: dict[str, object] = {"event_id": "f1", "occurred_at": "2024-03-01T10:00:00Z"}


def test_an_order_becomes_a_purchase() -> None:
    assert purchase() == Purchase(
        event_id="e1", customer_id="c1", at=AT, source="feed", order_id="o1", amount=1250, quantity=2.0, currency="EUR"
    )


def test_everything_an_order_can_say_is_kept() -> None:
    taken = purchase(
        customer_kind="dealer",
        strategic=0.5,
        fixed_service_cost="3.10",
        lines=4,
        revision=2,
        cancelled=True,
        cost=7,
        list_amount="15.00",
        reward_amount=0.5,
        category="toys",
        channel="web",
        deliberation_s=60,
        region="north",
        dealer_id="d1",
        contract_until="2030-01-01T00:00:00Z",
    )
    assert (taken.customer_kind, taken.strategic, taken.fixed_service_cost) == ("dealer", 0.5, 310)
    assert (taken.lines, taken.revision, taken.cancelled) == (4, 2, True)
    assert (taken.cost, taken.list_amount, taken.reward_amount) == (700, 1500, 50)
    assert (taken.category, taken.channel, taken.deliberation_s, taken.region) == ("toys", "web", 60.0, "north")
    assert (taken.dealer_id, taken.contract_until) == ("d1", 21_915 * DAY)


def test_a_complaint_and_a_contact_are_told_by_their_ids() -> None:
    assert take({**COMPLAINT, "severity": 5, "valid": True, "owner": "o", "order_id": "o1"}) == Complaint(
        event_id="e2",
        customer_id="c1",
        at=AT,
        source="feed",
        complaint_id="k1",
        status="opened",
        severity=5,
        valid=True,
        owner="o",
    )
    assert take({**CONTACT, "purpose": "support", "perceived": 7, "referral": False}) == Contact(
        event_id="e3",
        customer_id="c1",
        at=AT,
        source="feed",
        contact_id="t1",
        direction="in",
        purpose="support",
        perceived=7.0,
        referral=False,
    )


def test_facts_of_a_customer_and_of_the_firm() -> None:
    alias = {**FACT, "customer_id": "old", "alias_of": "new"}
    assert take(alias) == CustomerFact(event_id="f1", customer_id="old", at=AT, source="feed", alias_of="new")
    assert isinstance(take({**FACT, "customer_id": "c", "do_not_contact": False}), CustomerFact)
    assert isinstance(take({**FACT, "stream": "facts", "customer_id": "c"}), CustomerFact)
    left = {**FACT, "fact": "staff_left", "subject": "s7", "successor": "s8", "detail": {"days": 3}}
    assert take(left) == FirmFact(
        event_id="f1", at=AT, kind="staff_left", subject="s7", detail={"successor": "s8", "days": 3.0}, source="feed"
    )
    assert isinstance(take({**FACT, "stream": "facts", "kind": "holiday", "subject": "2026-05-01"}), FirmFact)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"stream": "purchases"}, Purchase),
        ({"kind": "PURCHASE"}, Purchase),
        ({"type": "complaint", "complaint_id": "k", "status": "resolved"}, Complaint),
        ({"stream": "contacts", "kind": "whatever", "direction": "out"}, Contact),
        ({"kind": "contact", "type": "com.shop.touched", "direction": "out"}, Contact),
    ],
)
def test_a_word_tells_the_stream(said: dict[str, object], kind: type) -> None:
    assert isinstance(take({"event_id": "e", "customer_id": "c", "occurred_at": 1_700_000_000, **said}), kind)


@pytest.mark.parametrize("said", [{"kind": "return"}, {"stream": "purchases", "kind": "return"}, {"amount": -12.5}])
def test_a_return_is_apart_from_its_order_and_below_zero(said: dict[str, object]) -> None:
    taken = purchase(**said)
    assert (taken.returned, taken.amount, taken.order_id) == (True, -1250, "return:o1")


def test_a_revision_stays_its_order_whatever_its_sign() -> None:
    taken = purchase(amount=-1, revision=1)
    assert (taken.order_id, taken.returned, taken.amount) == ("o1", True, -100)


def test_amounts_may_be_text_nothing_or_zero() -> None:
    assert purchase(amount="0.29").amount == 29
    assert purchase(amount=0.29).amount == 29
    assert purchase(amount=None).amount is None
    assert purchase(amount=0).returned is False
    assert purchase(amount=0, kind="return").returned is True


def test_without_an_amount_pieces_below_zero_are_a_return() -> None:
    taken = purchase(amount=None, quantity=-3)
    assert (taken.returned, taken.quantity, taken.amount) == (True, 3.0, None)


def test_the_currency_decides_the_minor_unit() -> None:
    intake = json_intake('currency = "EUR"')
    for code, rate in (("JPY", 0.01), ("KWD", 3.0)):
        fact = {**FACT, "fact": "currency_rate", "subject": code, "value": rate, "occurred_at": "2024-01-01"}
        assert isinstance(intake.take(json.dumps(fact).encode(), HERE, NOW), FirmFact)
    bodies = [json.dumps({**ORDER, "amount": 1000, "currency": code}).encode() for code in ("jpy", "KWD")]
    taken = [intake.take(body, HERE, NOW) for body in bodies]
    assert [event.amount for event in taken if isinstance(event, Purchase)] == [1_000, 300_000]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"customer_id": ...}, "missing_field", "customer_id"),
        ({"customer_id": ""}, "missing_field", "customer_id"),
        ({"customer_id": 17}, "wrong_type", "customer_id"),
        ({"customer_id": "x" * 257}, "id_too_long", "customer_id"),
        ({"customer_id": "客" * 100}, "id_too_long", "customer_id"),
        ({"event_id": "a\0b"}, "bad_value", "event_id"),
        ({"occurred_at": ...}, "missing_field", "occurred_at"),
        ({"occurred_at": True}, "wrong_type", "occurred_at"),
        ({"occurred_at": "yesterday"}, "bad_time", "occurred_at"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "too_old", "occurred_at"),
        ({"occurred_at": NOW // 1_000_000 + 301}, "in_future", "occurred_at"),
        ({"amount": "much"}, "wrong_type", "amount"),
        ({"amount": [1]}, "wrong_type", "amount"),
        ({"amount": "NaN"}, "not_finite", "amount"),
        ({"amount": 1e300}, "out_of_range", "amount"),
        ({"amount": "1_0"}, "wrong_type", "amount"),
        ({"amount": " 1 "}, "wrong_type", "amount"),
        ({"amount": "1e3"}, "wrong_type", "amount"),
        ({"amount": "1\n"}, "wrong_type", "amount"),
        ({"amount": "\u0661"}, "wrong_type", "amount"),
        ({"amount": ""}, "wrong_type", "amount"),
        ({"amount": "1" * 30}, "out_of_range", "amount"),
        ({"amount": ..., "unit_price": "much"}, "wrong_type", "unit_price"),
        ({"cost": "Infinity"}, "not_finite", "cost"),
        ({"cost": -0.001}, "out_of_range", "cost"),
        ({"fixed_service_cost": "-1"}, "out_of_range", "fixed_service_cost"),
        ({"currency": "EURO"}, "bad_value", "currency"),
        ({"currency": "EUR\n"}, "bad_value", "currency"),
        ({"currency": "XXX"}, "no_rate", "currency"),
        ({"contract_until": "later"}, "bad_time", "contract_until"),
        ({"contract_until": "1969-12-31T23:59:59Z"}, "out_of_range", "contract_until"),
        ({"customer_kind": "martian"}, "bad_value", "customer_kind"),
        ({"strategic": 1.5}, "out_of_range", "strategic"),
        ({"revision": -1}, "out_of_range", "revision"),
        ({"revision": 1.5}, "wrong_type", "revision"),
        ({"revision": -1.0}, "out_of_range", "revision"),
        ({"lines": 1e300}, "wrong_type", "lines"),
        ({"schema_version": 2}, "out_of_range", "schema_version"),
        ({"category": "x" * 257}, "out_of_range", "category"),
        ({"kind": "exploded"}, "unknown_kind", "kind"),
        ({"stream": "firm_fact"}, "unknown_kind", "fact"),
        ({"fact": "exploded"}, "unknown_kind", "fact"),
        ({"order_id": ...}, "unknown_kind", "kind"),
        ({"order_id": None}, "unknown_kind", "kind"),
        ({"customer_id": None}, "missing_field", "customer_id"),
        ({"occurred_at": None}, "missing_field", "occurred_at"),
    ],
)
def test_what_is_wrong_with_an_order_is_named(changes: dict[str, object], reason: str, field: str) -> None:
    refusal = refused(order(**changes))
    assert (refusal.reason, refusal.field) == (reason, field)
    assert len(refusal.detail) <= 200


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        ({**COMPLAINT, "status": "exploded"}, "bad_value", "status"),
        ({**COMPLAINT, "severity": 6}, "out_of_range", "severity"),
        ({**COMPLAINT, "fixed_service_cost": "NaN"}, "not_finite", "fixed_service_cost"),
        ({**CONTACT, "perceived": 10.5}, "out_of_range", "perceived"),
        ({**CONTACT, "fixed_service_cost": "NaN"}, "not_finite", "fixed_service_cost"),
        ({**CONTACT, "direction": "up"}, "bad_value", "direction"),
        ({**FACT, "customer_id": "c", "alias_of": "c"}, "bad_value", "alias_of"),
        ({**FACT, "customer_id": "c", "owner": "o", "fixed_service_cost": "NaN"}, "not_finite", "fixed_service_cost"),
        ({**FACT, "fact": "currency_rate", "subject": "USD"}, "missing_field", "value"),
        ({**FACT, "fact": "holiday", "days": [1]}, "wrong_type", "detail"),
        ({**FACT, "fact": "holiday", **{f"d{n}": n for n in range(65)}}, "out_of_range", "detail"),
        ({**FACT, "fact": "holiday", "subject": "may day"}, "bad_value", "fact"),
        ({**FACT, "fact": "working_hours", "days": "Mon-Fri"}, "bad_value", "fact"),
        ({**FACT, "fact": "weather", "kind": "outage"}, "unknown_kind", "fact"),
        ({**FACT, "fact": "outage", "kind": "holiday"}, "unknown_kind", "kind"),
        ({**FACT, "fact": "outage", "kind": "planned"}, "unknown_kind", "kind"),
        ({**COMPLAINT, "complaint_id": ..., "owner": "o"}, "missing_field", "complaint_id"),
        ({**COMPLAINT, "complaint_id": None, "owner": "o"}, "missing_field", "complaint_id"),
        ({**FACT, "customer_id": "c", "owner": "o", "severity": 4}, "missing_field", "complaint_id"),
        ({**CONTACT, "contact_id": ..., "owner": "o"}, "missing_field", "contact_id"),
        ({**CONTACT, "direction": None}, "missing_field", "direction"),
        ({**COMPLAINT, "status": None}, "missing_field", "status"),
    ],
)
def test_what_is_wrong_with_other_events_is_named(event: dict[str, object], reason: str, field: str) -> None:
    refusal = refused(take({name: value for name, value in event.items() if value is not ...}))
    assert (refusal.reason, refusal.field) == (reason, field)


def test_null_is_as_good_as_absent() -> None:
    nothing = dict.fromkeys([*COMPLAINT, *CONTACT, "alias_of", "owner", "do_not_contact", "revision", "lines", "fact"])
    assert purchase(**{**nothing, **ORDER}, schema_version=None, kind=None) == purchase()
    assert take({**nothing, **COMPLAINT, "detail": None}) == take(COMPLAINT)
    fact = {**FACT, "fact": "outage", "subject": "web"}
    assert take({**fact, "kind": None, "detail": None, "value": None}) == take(fact)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    taken = purchase(lines=3.0, revision=1.0, schema_version=1.0, amount=12.5)
    assert (taken.lines, taken.revision, taken.amount) == (3, 1, 1250)
    complaint = take({**COMPLAINT, "severity": 4.0, "resolution_score": 2.0})
    assert isinstance(complaint, Complaint)
    assert (complaint.severity, complaint.resolution_score) == (4, 2)
    assert isinstance(take({**FACT, "fact": "outage", "schema_version": 1.0}), FirmFact)


@pytest.mark.parametrize("kind", [None, "outage", "fact", "facts", "firm_fact", "Facts"])
def test_beside_a_fact_the_kind_repeats_it_or_names_the_stream(kind: str | None) -> None:
    taken = take({**FACT, "fact": "outage", "kind": kind, "planned": True})
    assert isinstance(taken, FirmFact)
    assert (taken.kind, taken.detail) == ("outage", {"planned": True})


def test_a_fact_of_a_kind_to_skip_is_skipped() -> None:
    assert take({**FACT, "fact": "outage", "kind": "test"}, 'skip = ["test"]') is None


def test_of_a_fact_for_everybody_all_that_is_not_ours_is_detail() -> None:
    taken = take({**FACT, "fact": "outage", "customer_kind": "martian"})
    assert isinstance(taken, FirmFact)
    assert taken.detail == {"customer_kind": "martian"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"not json", "not_json"),
        (b'{"customer_id":', "not_json"),
        (b"{'customer_id': 1}", "not_json"),
        (b'{"a":' + b"[" * 100_000, "not_json"),
        (b'{"customer_id":"\\ud800","occurred_at":1}', "not_json"),
        (b'{"order_id":"o","customer_id":"\xff","occurred_at":1}', "not_utf8"),
        (b"\xff", "not_utf8"),
        (b'{"order_id":"o","customer_id":"c","occurred_at":1,"amount":NaN}', "not_finite"),
        (b'{"order_id":"o","customer_id":"c","occurred_at":1,"amount":-Infinity}', "not_finite"),
        (b'{"order_id":"o","customer_id":"c","occurred_at":1,"amount":1e999}', "out_of_range"),
        (b"[]", "not_object"),
        (b"17", "not_object"),
        (b"null", "not_object"),
        (b'"' + b"x" * MAX_BODY + b'"', "too_large"),
    ],
)
def test_what_is_no_event_at_all_is_named(body: bytes, reason: str) -> None:
    assert refused(take(body)).reason == reason


def test_a_refusal_does_not_repeat_what_a_customer_wrote() -> None:
    secret = "call me at 555-0100"
    for changes in ({"amount": secret}, {"customer_kind": secret}, {"currency": secret}, {"customer_id": secret * 20}):
        assert secret not in refused(order(**changes)).detail


def test_five_minutes_ahead_is_still_taken() -> None:
    assert purchase(occurred_at=NOW // 1_000_000 + 300).at == NOW + 300_000_000


def test_texts_are_dropped_unless_they_are_wanted() -> None:
    body = json.dumps({**COMPLAINT, "text": "x" * 5000}).encode()
    dropped = json_intake().take(body, HERE, NOW)
    kept = json_intake(settings=Settings(keep_text=True)).take(body, HERE, NOW)
    assert isinstance(dropped, Complaint)
    assert isinstance(kept, Complaint)
    assert (dropped.text, kept.text) == (None, "x" * MAX_TEXT)


def test_an_event_without_an_id_is_named_by_a_key_or_by_what_it_says() -> None:
    nameless = json.dumps({name: value for name, value in ORDER.items() if name != "event_id"}).encode()
    intake = json_intake()
    first, second, keyed = (intake.take(nameless, HERE, NOW, key=key) for key in ("", "", "key-7"))
    assert isinstance(first, Purchase)
    assert isinstance(second, Purchase)
    assert isinstance(keyed, Purchase)
    assert first.event_id.removesuffix("-1") == second.event_id.removesuffix("-2")
    assert keyed.event_id == "key-7"
    strict = json_intake(settings=Settings(require_ids=True))
    assert refused(strict.take(nameless, HERE, NOW)).field == "event_id"


def test_a_feed_with_other_names_is_read_through_a_mapping() -> None:
    toml = """
    time_zone = "Asia/Shanghai"
    skip = ["ping"]
    ignore = ["status"]
    [columns]
    customer_id = "buyer"
    occurred_at = "when"
    amount = "sum"
    [constants]
    channel = "app"
    strategic = 0.5
    [kinds]
    Bestellung = "purchase"
    """
    theirs = {"buyer": "b1", "when": "2024-03-01T08:00:00", "sum": 3.3, "kind": "BESTELLUNG", "status": 7}
    taken = take(theirs, toml)
    assert isinstance(taken, Purchase)
    assert (taken.customer_id, taken.at, taken.amount) == ("b1", 19_783 * DAY, 330)
    assert (taken.channel, taken.strategic) == ("app", 0.5)
    assert refused(take(b"{", toml)).reason == "not_json"
    intake = json_intake(toml)
    assert intake.take(json.dumps({**theirs, "kind": "ping"}).encode(), HERE, NOW) is None
    assert intake.skipped == 1


def test_a_glance_tells_when_and_for_whom() -> None:
    intake = json_intake()
    rate = {**FACT, "fact": "currency_rate", "subject": "USD", "value": 1}
    assert intake.peek(json.dumps(rate).encode(), NOW) == (AT, 0)
    assert intake.peek(json.dumps(ORDER).encode(), NOW) == (AT, 1)
    for body in (b"{", b"[]", b"\xff", json.dumps({**ORDER, "occurred_at": "2999-01-01"}).encode()):
        assert intake.peek(body, NOW) is None


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
members = st.dictionaries(
    st.sampled_from([*ORDER, *COMPLAINT, *CONTACT, "stream", "kind", "fact", "detail", "cost", "alias_of", "x"]),
    scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3),
    max_size=8,
)
spoiled = st.builds(lambda start, more: {**start, **more}, st.sampled_from([ORDER, COMPLAINT, CONTACT, FACT]), members)


@settings(max_examples=2000)
@given(st.binary(max_size=200) | spoiled.map(lambda event: json.dumps(event).encode("utf-8", "surrogatepass")))
def test_nothing_that_comes_in_raises_and_what_is_taken_can_be_written(body: bytes) -> None:
    taken = json_intake().take(body, HERE, NOW)
    if not isinstance(taken, Refusal):
        assert taken is not None
        assert 0 <= taken.at <= NOW + 300_000_000
        assert msgspec.json.decode(msgspec.json.encode(taken), type=type(taken)) == taken
