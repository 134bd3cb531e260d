import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.intake.columns import describe, infer_mapping
from streamproc.intake.mapping import FIELDS, Mapping, MappingProblem, load_mapping
from tests.intake.kit import mapping


def found(header: list[str], toml: str = "") -> Mapping:
    inferred = infer_mapping(header, mapping(toml))
    assert isinstance(inferred, Mapping), inferred
    return inferred


def problem(header: list[str], toml: str = "") -> str:
    inferred = infer_mapping(header, mapping(toml))
    assert isinstance(inferred, MappingProblem)
    return str(inferred)


@pytest.mark.parametrize("customer", ["customer_id", "Customer ID", "CUSTOMER", "client_id", "CustNo", "user_id"])
@pytest.mark.parametrize("time", ["ts", "occurred_at", "Date", "InvoiceDate", "timestamp", "order_purchase_timestamp"])
def test_usual_names_need_no_mapping(customer: str, time: str) -> None:
    assert found([customer, time]).columns == {"customer_id": customer, "occurred_at": time}


def test_every_usual_column_finds_its_field() -> None:
    header = ["client", "datetime", "Type", "Total", "qty", "n_lines", "InvoiceNo", "country", "COGS", "complaint_id"]
    assert found(header).columns == {
        "customer_id": "client",
        "occurred_at": "datetime",
        "kind": "Type",
        "amount": "Total",
        "quantity": "qty",
        "lines": "n_lines",
        "order_id": "InvoiceNo",
        "region": "country",
        "cost": "COGS",
        "complaint_id": "complaint_id",
    }


def test_a_column_named_as_our_field_is_it() -> None:
    header = sorted(FIELDS)
    assert found(header).columns == {field: field for field in header}


def test_the_likeliest_of_several_columns_wins_and_the_others_are_said_to_be_ignored() -> None:
    header = ["customer", "date", "timestamp", "price", "amount"]
    inferred = found(header)
    assert inferred.columns["occurred_at"] == "timestamp"
    assert inferred.columns["amount"] == "amount"
    assert 'ignored: "date", "price"' in describe(inferred, header)


def test_what_is_said_goes_before_what_is_usual() -> None:
    inferred = found(["customer", "date", "amount", "net"], '[columns]\namount = "net"\nlist_amount = "amount"')
    assert (inferred.columns["amount"], inferred.columns["list_amount"]) == ("net", "amount")
    assert "amount" not in found(["customer", "date", "amount"], 'ignore = ["amount"]').columns


@pytest.mark.parametrize(
    ("header", "orders"),
    [(["ref"], "rows"), (["ref", "revision"], "whole"), (["ref", "status"], "whole"), (["ref", "cancelled"], "whole")],
)
def test_only_a_table_that_can_correct_holds_whole_orders(header: list[str], orders: str) -> None:
    assert found(["customer", "date", *header]).orders == orders
    assert found(["customer", "date", *header], 'orders = "sum"').orders == "sum"


def test_a_table_without_customer_or_time_shows_what_mends_it() -> None:
    text = problem(["a", "b"])
    assert "no column looks like customer_id" in text
    assert 'the table\'s columns: "a", "b"' in text
    toml = text[text.index("[columns]") :].replace("Customer", "a").replace("Date", "b")
    assert found(["a", "b"], toml).columns == {"customer_id": "a", "occurred_at": "b"}
    assert "occurred_at" not in problem(["when"], '[columns]\noccurred_at = "when"').split("\n")[0]


def test_a_column_that_is_not_there_or_there_twice_is_named() -> None:
    text = problem(["customer", "date", "x", "x"], '[columns]\namount = "Summe"\ncost = "x"')
    assert 'no column "Summe" (amount)' in text
    assert 'more than one column "x"' in text


def test_long_headers_are_cut_short_in_messages() -> None:
    assert "and 60 more" in problem([f"column {number}" for number in range(100)])


def test_the_description_says_how_each_column_is_read() -> None:
    header = ["Customer", "Date", "Price", "Ref", "Note", ""]
    toml = 'time_zone = "Europe/Berlin"\nskip = ["quote"]\n[kinds]\nSale = "purchase"\n[constants]\nchannel = "web"'
    assert describe(found(header, toml), header) == [
        "Customer → customer_id",
        "Date → occurred_at (RFC 3339 or epoch; without a zone: Europe/Berlin)",
        'Price → amount (of the whole row; if it is the price of one piece: [columns] unit_price = "..." )',
        'Ref → order_id (each row an order of its own; orders = "whole" or "sum" in a mapping says otherwise)',
        "always: channel = web",
        "no kind column: every row is a purchase (a return if its amount is below zero)",
        'kind "sale" → purchase',
        "skipped kinds: quote",
        'ignored: "Note", ""',
    ]
    header = ["Customer", "Date", "UnitPrice", "kind"]
    assert "UnitPrice → unit_price (amount = unit_price x quantity)" in describe(found(header), header)
    assert "no amount column: purchases are counted, money is not known" in describe(
        found(["customer", "date"]), ["customer", "date"]
    )


def test_a_full_mapping_is_read() -> None:
    toml = """
    time_zone = "Asia/Shanghai"
    time_format = "%Y/%m/%d"
    currency = "CNY"
    decimal_comma = true
    thousands = "."
    minor_digits = 3
    amounts = "inverted"
    orders = "whole"
    encoding = "gb18030"
    skip = ["Quote "]
    ignore = ["note"]
    columns = { customer_id = "c" }
    constants = { channel = "web", strategic = 1, cancelled = false }
    kinds = { "Verkauf " = "purchase" }
    """
    assert mapping(toml) == Mapping(
        columns={"customer_id": "c"},
        constants={"channel": "web", "strategic": 1, "cancelled": False},
        kinds={"verkauf": "purchase"},
        skip=("quote",),
        ignore=("note",),
        time_zone="Asia/Shanghai",
        time_format="%Y/%m/%d",
        currency="CNY",
        decimal_comma=True,
        thousands=".",
        minor_digits=3,
        amounts="inverted",
        orders="whole",
        encoding="gb18030",
    )


def test_every_mistake_is_told_at_once() -> None:
    toml = """
    amount = "Summe"
    colour = "red"
    time_zone = "Mars/Olympus"
    time_format = "dd.mm"
    currency = "EURO"
    decimal_comma = "yes"
    thousands = ".."
    minor_digits = 9
    amounts = "odd"
    orders = "pile"
    encoding = "utf-16"
    skip = "quote"
    ignore = [1]
    [columns]
    price_of_all = "x"
    cost = 3
    [constants]
    channel = [1]
    [kinds]
    Sale = "sold"
    """
    loaded = load_mapping(toml)
    assert isinstance(loaded, MappingProblem)
    starts = [line.split(":")[0] for line in loaded.problems]
    assert starts == [
        "amount",
        "colour",
        "time_zone",
        "time_format",
        "currency",
        "decimal_comma",
        "thousands",
        "minor_digits",
        "amounts",
        "orders",
        "encoding",
        "skip",
        "ignore",
        "columns.price_of_all",
        "columns.cost",
        "constants.channel",
        "kinds.Sale",
    ]
    assert "[columns]" in loaded.problems[0]


@pytest.mark.parametrize("toml", ["columns = 3", "kinds = []", "constants = 'x'", "encoding = 'x-no'", "time_zone = 3"])
def test_a_setting_of_the_wrong_shape_is_one_problem(toml: str) -> None:
    loaded = load_mapping(toml)
    assert isinstance(loaded, MappingProblem)
    assert len(loaded.problems) == 1


def test_what_is_no_toml_is_said_so() -> None:
    assert str(load_mapping("= 3")).startswith("not TOML")


@given(st.lists(st.text(max_size=12), max_size=8))
def test_no_header_raises(header: list[str]) -> None:
    assert isinstance(infer_mapping(header), Mapping | MappingProblem)
