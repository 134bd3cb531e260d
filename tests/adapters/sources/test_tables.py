from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.adapters.sources import SourceError
from streamproc.adapters.sources.lines import MAX_CONTINUED, Dialect, frame_rows, read_lines
from streamproc.intake.refusal import MAX_BODY, Refusal
from tests.adapters.sources.kit import HEADER, ROWS, purchases, read, refusals, source


def test_rows_come_in_order_of_time_with_their_place_and_bytes(tmp_path: Path) -> None:
    items = read(source(tmp_path / "orders.csv", HEADER + "".join(ROWS)))
    assert [item.position.row for item in items] == [2, 4, 3, 1]
    assert [event.amount for event in purchases(items)] == [100, 100, -200, 300]
    content = (HEADER + "".join(ROWS)).encode()
    for item in items:
        assert content[item.position.offset :].startswith(item.raw)
        assert item.raw.decode() + "\n" == ROWS[item.position.row - 1]
        assert item.position.source == "orders.csv"
    first, second = purchases(items)[:2]
    assert (first.event_id[-2:], second.event_id[-2:]) == ("-1", "-2")
    assert first.event_id[:-2] == second.event_id[:-2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\r\n"])
def test_dialects_are_found_out(tmp_path: Path, delimiter: str, end: str, start: str) -> None:
    text = start + (HEADER + "".join(ROWS)).replace(",", delimiter).replace("\n", end)
    plain = read(source(tmp_path / "a.csv", HEADER + "".join(ROWS)))
    again = read(source(tmp_path / "b.csv", text))
    assert [event.event_id for event in purchases(again)] == [event.event_id for event in purchases(plain)]


def test_quotes_make_no_difference_to_ids(tmp_path: Path) -> None:
    plain = read(source(tmp_path / "a.csv", "customer,date,category\na,2020-01-01,x\n"))
    quoted = read(source(tmp_path / "b.csv", '"customer","date","category"\n"a",2020-01-01,"x"\n'))
    assert purchases(plain)[0].event_id == purchases(quoted)[0].event_id


def test_cells_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    text = 'customer,date,category\r\na,2020-01-01,"x, ""y""\r\nz"\r\nb,2020-01-02,5" pipe\r\n'
    items = read(source(tmp_path / "a.csv", text))
    assert [event.category for event in purchases(items)] == ['x, "y"\r\nz', '5" pipe']
    assert items[0].raw == b'a,2020-01-01,"x, ""y""\r\nz"\r'


@pytest.mark.parametrize(
    ("rest", "customers"),
    [
        ("b,2020-01-02,y\n", ["b"]),
        ('b,2020-01-02,y\nc,2020-01-03,"z"\n', ["b", "c"]),
        ("b,2020-01-02,y\n" * (MAX_CONTINUED // 15) + "c,2020-01-03,z\n", ["b", "c"]),
    ],
)
def test_a_quote_that_is_never_closed_spoils_its_own_line_only(tmp_path: Path, rest: str, customers: list[str]) -> None:
    items = read(source(tmp_path / "a.csv", f'customer,date,category\na,2020-01-01,"x\n{rest}'), run_bytes=1 << 26)
    assert sorted({event.customer_id for event in purchases(items)}) == customers
    bad = [item for item in items if isinstance(item.outcome, Refusal)]
    assert [item.raw for item in bad] == [b'a,2020-01-01,"x']
    assert refusals(items)[0].reason == "bad_row"
    assert len(items) == rest.count("\n") + 1


def test_a_line_over_the_limit_is_refused_and_the_next_one_is_read(tmp_path: Path) -> None:
    long = "a,2020-01-01," + "x" * (3 * MAX_BODY)
    items = read(source(tmp_path / "a.csv", f"customer,date,category\n{long}\nb,2020-01-02,y\n"), run_bytes=1 << 30)
    assert [refusal.reason for refusal in refusals(items)] == ["too_large"]
    assert len(items[0].raw) <= MAX_BODY + 2
    assert purchases(items)[0].customer_id == "b"
    assert items[1].position.offset == len("customer,date,category\n") + len(long) + 1


def test_a_cell_too_long_for_csv_is_refused(tmp_path: Path) -> None:
    items = read(source(tmp_path / "a.csv", f'customer,date,category\na,2020-01-01,"{"x" * 200_000}"\n'))
    assert refusals(items)[0].reason == "bad_row"


def test_text_in_another_encoding_is_refused_row_by_row_until_it_is_named(tmp_path: Path) -> None:
    text = "customer,date,region\na,2020-01-01,北京\nb,2020-01-02,x\n".encode("gb18030")
    items = read(source(tmp_path / "a.csv", text))
    assert [refusal.reason for refusal in refusals(items)] == ["not_utf8"]
    assert len(purchases(items)) == 1
    named = read(source(tmp_path / "a.csv", text, 'encoding = "gb18030"'))
    assert [event.region for event in purchases(named)] == ["北京", "x"]
    wrong = read(source(tmp_path / "a.csv", "customer,date\n\xff,2020-01-01\n".encode("latin-1"), 'encoding = "ascii"'))
    assert refusals(wrong)[0] == Refusal("bad_row", "", "not ascii text")


def test_refused_rows_stand_where_the_row_before_them_does(tmp_path: Path) -> None:
    text = "customer,date\na,2020-01-03\nb,never\nc,2020-01-01\nd,2999-01-01\n"
    items = read(source(tmp_path / "a.csv", text))
    assert [item.position.row for item in items] == [3, 4, 1, 2]
    assert [refusal.reason for refusal in refusals(items)] == ["in_future", "bad_time"]
    assert items[1].raw == b"d,2999-01-01"


def test_rows_of_skipped_kinds_are_left_out_and_counted(tmp_path: Path) -> None:
    opened = source(tmp_path / "a.csv", HEADER + "".join(ROWS), 'skip = ["return"]')
    assert len(read(opened)) == 3
    assert opened.intake.skipped == 1


def test_lines_of_an_order_are_added_up_where_the_mapping_says_so(tmp_path: Path) -> None:
    text = (
        "customer,date,order_id,amount,kind,direction\n"
        "a,2020-01-01,o1,1.50,purchase,\n"
        "b,2020-01-01,o2,9.00,purchase,\n"
        "a,2020-01-01,,,contact,in\n"
        "a,2020-01-01,o1,1.50,purchase,\n"
        "a,2020-01-01,o1,0.25,return,\n"
        "a,2020-01-02,,,contact,in\n"
        "a,2020-01-02,o1,1.00,purchase,\n"
    )
    items = read(source(tmp_path / "a.csv", text, 'orders = "sum"'))
    orders = purchases(items)
    assert [(event.customer_id, event.order_id, event.amount) for event in orders] == [
        ("a", "o1", 300),
        ("b", "o2", 900),
        ("a", "return:o1", -25),
        ("a", "o1", 100),
    ]
    assert [item.outcome.at for item in items if not isinstance(item.outcome, Refusal)] == sorted(
        item.outcome.at for item in items if not isinstance(item.outcome, Refusal)
    )
    assert (orders[0].lines, orders[0].quantity) == (2, 2.0)
    whole = next(item for item in items if item.outcome is orders[0])
    assert whole.raw == b"a,2020-01-01,o1,1.50,purchase,\na,2020-01-01,o1,1.50,purchase,"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n1,2\n", "[columns]"),
        ("Straße,date\n".encode("latin-1"), "encoding"),
        ('customer,date\na,"b'.encode("utf-16"), "UTF-8"),
        (b'"' + b"x" * 200_000 + b'"', "header"),
    ],
)
def test_what_is_no_table_is_said_so(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(SourceError, match="orders") as caught:
        source(tmp_path / "orders.csv", content)
    assert says in str(caught.value)


@given(st.binary(max_size=200))
def test_no_bytes_are_lost_between_records(content: bytes) -> None:
    class Stream:
        def __init__(self) -> None:
            self.rest = content

        def readline(self, limit: int) -> bytes:
            line = self.rest.split(b"\n", 1)[0]
            line = self.rest[: min(len(line) + 1, limit)]
            self.rest = self.rest[len(line) :]
            return line

    lines = list(read_lines(Stream()))  # type: ignore[arg-type]  # all that it uses of a stream
    assert b"".join(content[offset : offset + len(raw) + 1] for offset, raw in lines) == content
    dialect = Dialect()
    records = list(frame_rows(iter(lines), dialect))
    kept = b"\n".join(raw for _, raw in records).split(b"\n")
    assert [raw for raw in kept if raw.strip()] == [raw for _, raw in lines if raw.strip()]
    for offset, raw in records:
        assert content[offset:].startswith(raw)
        assert isinstance(dialect.split(raw), list | Refusal)
