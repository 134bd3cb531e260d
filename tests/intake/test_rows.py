import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.events import Complaint, Contact, CustomerFact, Purchase
from streamproc.core.time import DAY, HOUR
from streamproc.intake.intake import Settings
from streamproc.intake.refusal import Refusal
from tests.intake.kit import HERE, NOW, bought, refused, table, take_row

USUAL = "customer_id,ts,kind,amount,quantity,n_lines,ref"


def test_a_usual_row_becomes_a_purchase() -> None:
    taken = bought(USUAL, "00001,1997-01-01T00:00:00Z,purchase,11.77,1,3,")
    assert taken == Purchase(
        event_id=taken.event_id,
        customer_id="00001",
        at=9862 * DAY,
        source="feed",
        order_id=taken.event_id,
        amount=1177,
        quantity=1.0,
        lines=3,
    )
    assert taken.event_id.endswith("-1")


@pytest.mark.parametrize("cell", ["-196.1", "196.1"])
def test_a_return_row_counts_below_zero_whatever_its_sign(cell: str) -> None:
    taken = bought(USUAL, f"16321,2009-12-01,Return,{cell},-100,9,C489449")
    assert (taken.amount, taken.returned, taken.quantity) == (-19610, True, 100.0)
    assert taken.order_id == f"return:C489449#{taken.event_id}"


def test_a_purchase_below_zero_is_a_return_and_one_of_zero_is_not() -> None:
    assert bought("customer,date,total", "a,2020-01-01,-5").returned is True
    zero = bought("customer,date,total", "a,2020-01-01,0")
    assert (zero.returned, zero.amount) == (False, 0)


def test_a_table_without_amounts_counts_purchases() -> None:
    taken = bought("client_id,date", "a,2020-01-01")
    assert (taken.amount, taken.returned, taken.quantity) == (None, False, 1.0)


def test_empty_cells_are_absent_and_blanks_are_dropped() -> None:
    taken = bought("customer,date,amount,qty,country,cost", " a , 2020-01-01 ,  ,,,")
    assert (taken.customer_id, taken.amount, taken.region, taken.cost) == ("a", None, None, None)


def test_a_price_of_a_piece_is_multiplied_by_the_pieces() -> None:
    header = "Invoice,Quantity,InvoiceDate,UnitPrice,Customer ID"
    assert bought(header, "489434,12,2009-12-01 07:45:00,6.95,13085").amount == 8340
    assert bought(header, "489434,-3,2009-12-01 07:45:00,0.1,13085").amount == -30
    assert bought(header, "489434,,2009-12-01 07:45:00,6.95,13085").amount == 695


def test_complaints_contacts_and_facts_of_a_customer_are_rows_too() -> None:
    header = "customer_id,ts,kind,complaint_id,status,severity,valid,contact_id,direction,alias_of,dealer_id"
    complaint = take_row(header, "a,2020-01-01,complaint,k1,Opened,4,Yes,,,,")
    assert isinstance(complaint, Complaint)
    assert (complaint.complaint_id, complaint.status, complaint.severity, complaint.valid) == ("k1", "opened", 4, True)
    contact = take_row(header, "a,2020-01-01,contact,,,,,t1,IN,,")
    assert isinstance(contact, Contact)
    assert (contact.contact_id, contact.direction) == ("t1", "in")
    fact = take_row(header, "a,2020-01-01,fact,,,,,,,b,")
    assert isinstance(fact, CustomerFact)
    assert fact.alias_of == "b"


def test_a_contact_without_an_id_is_named_by_its_event() -> None:
    contact = take_row("customer,date,kind,direction", "a,2020-01-01,contact,in")
    assert isinstance(contact, Contact)
    assert contact.contact_id == contact.event_id


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        ("a,2020-01-01,purchase,1,1,1", "bad_row", ""),
        ("a,2020-01-01,purchase,1,1,1,r,x", "bad_row", ""),
        (",2020-01-01,purchase,1,1,1,r", "missing_field", "customer_id"),
        ("a,,purchase,1,1,1,r", "missing_field", "occurred_at"),
        ("a,2020-01-01,,1,1,1,r", "missing_field", "kind"),
        ("a,2020-01-01,teleport,1,1,1,r", "unknown_kind", "kind"),
        ("a,2020-01-01,firm_fact,1,1,1,r", "unknown_kind", "kind"),
        ("a,01/02/2020,purchase,1,1,1,r", "bad_time", "occurred_at"),
        ("a,1960-01-01,purchase,1,1,1,r", "too_old", "occurred_at"),
        ("a,2999-01-01,purchase,1,1,1,r", "in_future", "occurred_at"),
        ('a,2020-01-01,purchase,"1.234",1,1,r', "wrong_type", "amount"),
        ("a,2020-01-01,purchase,nan,1,1,r", "not_finite", "amount"),
        ("a,2020-01-01,purchase,1_0,1,1,r", "wrong_type", "amount"),
        ("a,2020-01-01,purchase,1e3,1,1,r", "wrong_type", "amount"),
        ("a,2020-01-01,purchase,1 0,1,1,r", "wrong_type", "amount"),
        ("a,2020-01-01,purchase,1,1,1.5,r", "wrong_type", "lines"),
        ("a,2020-01-01,purchase,1,-inf,1,r", "not_finite", "quantity"),
        ("a,2020-01-01,purchase,1,NaN,1,r", "not_finite", "quantity"),
        ("a,2020-01-01,purchase,1,1,-1,r", "out_of_range", "lines"),
        (f"{'x' * 257},2020-01-01,purchase,1,1,1,r", "id_too_long", "customer_id"),
        (f"{'é' * 129},2020-01-01,purchase,1,1,1,r", "id_too_long", "customer_id"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(row: str, reason: str, field: str) -> None:
    refusal = refused(take_row(USUAL, row))
    assert (refusal.reason, refusal.field) == (reason, field)


def test_empty_cells_past_the_header_do_no_harm() -> None:
    assert bought("customer,date", "a,2020-01-01,,").customer_id == "a"


def test_numbers_are_read_with_the_mappings_comma_and_separator() -> None:
    german = 'decimal_comma = true\nthousands = "."'
    header = "customer;date;amount;qty".replace(";", ",")
    row = ["a", "2020-01-01", "1.234,56", "2,5"]
    taken = table(header, german).take_row(row, HERE, NOW)
    assert isinstance(taken, Purchase)
    assert (taken.amount, taken.quantity) == (123_456, 2.5)
    assert refused(table(header).take_row(["a", "2020-01-01", "1.234,56", "2"], HERE, NOW)).field == "amount"


def test_blanks_around_a_number_are_no_part_of_it_and_whole_numbers_may_have_a_point() -> None:
    taken = bought("customer,date,amount,lines,revision", "a,2020-01-01,\t12.50 , 3.0 ,1.00")
    assert (taken.amount, taken.lines, taken.revision) == (1250, 3, 1)


def test_a_cost_below_zero_and_a_piece_without_a_plain_price_are_refused() -> None:
    cost = refused(take_row("customer,date,amount,cost", "a,2020-01-01,5,-1"))
    assert (cost.reason, cost.field) == ("out_of_range", "cost")
    price = refused(take_row("customer,date,unit_price,qty", "a,2020-01-01,1e3,2"))
    assert (price.reason, price.field) == ("wrong_type", "unit_price")


def test_signs_digits_and_currency_are_as_the_mapping_says() -> None:
    assert bought("customer,date,amount", "a,2020-01-01,-5", 'amounts = "inverted"').amount == 500
    returned = bought("customer,date,amount", "a,2020-01-01,5", 'amounts = "inverted"')
    assert (returned.amount, returned.returned) == (-500, True)
    assert bought("customer,date,amount", "a,2020-01-01,1.2345", "minor_digits = 4").amount == 12_345
    assert refused(take_row("customer,date,amount", "a,2020-01-01,1", 'currency = "USD"')).reason == "no_rate"


def test_constants_fill_and_times_follow_the_mapping() -> None:
    toml = """
    time_zone = "Asia/Shanghai"
    time_format = "%d.%m.%Y"
    [constants]
    kind = "return"
    channel = "web"
    strategic = 0.25
    """
    taken = bought("customer,date,amount", "a,02.01.1970,5", toml)
    assert (taken.at, taken.amount, taken.channel, taken.strategic) == (DAY - 8 * HOUR, -500, "web", 0.25)
    table_of_one_day = 'constants = { occurred_at = "2020-01-01" }'
    assert bought("customer", "a", table_of_one_day).at == 18_262 * DAY


def test_a_word_of_the_feed_means_what_the_mapping_says() -> None:
    toml = 'skip = ["Quote"]\n[kinds]\nSale = "purchase"\nRefund = "return"'
    intake = table("customer,date,kind,amount", toml)
    sale, refund = (intake.take_row(["a", "2020-01-01", word, "5"], HERE, NOW) for word in ("SALE", "refund"))
    assert isinstance(sale, Purchase)
    assert isinstance(refund, Purchase)
    assert (sale.returned, refund.returned) == (False, True)
    assert intake.take_row(["a", "2020-01-01", "quote", "5"], HERE, NOW) is None
    assert intake.skipped == 1


def test_rows_with_one_reference_are_orders_of_their_own_unless_the_table_can_correct() -> None:
    rows = [["00004", "1997-01-01", "00021"], ["00004", "1997-01-18", "00021"]]
    alone = table("customer_id,ts,ref")
    orders = [alone.take_row(row, HERE, NOW) for row in rows]
    ids = [order.order_id for order in orders if isinstance(order, Purchase)]
    assert len(set(ids)) == 2
    assert all(order_id.startswith("00021#") for order_id in ids)
    correcting = table("customer_id,ts,order_id,revision,status")
    old, new = (
        correcting.take_row(["a", "2020-01-01", "o1", *more], HERE, NOW) for more in (["0", ""], ["1", "Cancelled"])
    )
    assert isinstance(old, Purchase)
    assert isinstance(new, Purchase)
    assert (old.order_id, new.order_id, old.cancelled, new.cancelled) == ("o1", "o1", False, True)


def test_the_same_export_gives_the_same_ids_and_a_longer_one_the_same_and_more() -> None:
    header = "customer,date,amount"
    rows = [["a", "2020-01-01", "5"]] * 3 + [["b", "2020-01-01", "5"], ["a", "2020-01-02", "5"]]

    def ids(count: int, settings: Settings) -> list[str]:
        intake = table(header, settings=settings)
        taken = [intake.take_row(row, HERE, NOW) for row in rows[:count]]
        return [event.event_id for event in taken if isinstance(event, Purchase)]

    for settings in (Settings(), Settings(in_order=True)):
        assert ids(5, settings) == ids(5, settings)
        assert ids(2, settings) == ids(5, settings)[:2]
        assert len(set(ids(5, settings))) == 5


def test_a_glance_at_a_row_tells_its_time_only() -> None:
    intake = table("customer,date")
    assert intake.peek_row(["", "2020-01-01"], NOW) == (18_262 * DAY, 1)
    assert intake.peek_row(["a"], NOW) is None
    assert intake.peek_row(["a", "2999-01-01"], NOW) is None


cells = st.lists(st.text(max_size=12) | st.sampled_from(["2020-01-01", "purchase", "return", "1.5", "-3"]), max_size=9)


@given(cells)
def test_no_row_raises(row: list[str]) -> None:
    taken = table(USUAL).take_row(row, HERE, NOW)
    assert isinstance(taken, Purchase | Complaint | Contact | CustomerFact | Refusal)


def test_a_table_without_the_columns_of_complaints_and_contacts_still_tells_of_them() -> None:
    header = "customer_id,ts,kind,amount"
    complaint = take_row(header, "a,2020-01-01,complaint,")
    other = take_row(header, "a,2020-01-02,complaint,")
    contact = take_row(header, "a,2020-01-01,contact,")
    assert isinstance(complaint, Complaint)
    assert isinstance(other, Complaint)
    assert isinstance(contact, Contact)
    assert (complaint.status, contact.direction) == ("opened", "in")
    assert complaint.complaint_id != other.complaint_id
