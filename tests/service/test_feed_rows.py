"""The billing feed's lines: every way to write them right, and a word on every wrong one."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.feed import COLUMNS, FeedRow, read
from smsgw.service.keyed import Keyed
from smsgw.service.lines import LONGEST, FileError, Problems

HEADER = ",".join(COLUMNS)
CODED = f"{HEADER},code"
IS = f"the header is {CODED}"
KEYED = Keyed(b"key")
BILL = "300012345678,0000123456,2026-11-20,2026-12-10,2026-12-20,45.20,EUR,open"
ROW = FeedRow(
    300012345678,
    "0000123456",
    "2026-11-20",
    "2026-12-10",
    "2026-12-20",
    4520,
    "EUR",
    "open",
    None,
    2,
)


def rows_of(content: bytes) -> list[FeedRow]:
    """The rows; raises FileError if any line is wrong."""
    problems = Problems()
    rows = list(read(BytesIO(content), problems, KEYED))
    problems.refuse()
    return rows


def one_row(line: str) -> FeedRow:
    (row,) = rows_of(f"{HEADER}\n{line}\n".encode())
    return row


def problems_of(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(FileError) as caught:
        rows_of(content)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


def test_a_bill() -> None:
    assert one_row(BILL) == ROW


def test_a_customer_with_nothing_open() -> None:
    row = one_row("300012345679,,,,,,,")
    assert row == FeedRow(300012345679, None, None, None, None, 0, "", "", None, 2)


@pytest.mark.parametrize(
    ("written", "cents"),
    [
        ("45.20", 4520),
        ("45.2", 4520),
        ("45", 4500),
        ("0.05", 5),
        ("-0.50", -50),
        ("-12", -1200),
        ("0", 0),
        ("999999999999.99", 99999999999999),
    ],
)
def test_amounts_become_cents(written: str, cents: int) -> None:
    assert one_row(BILL.replace("45.20", written)).amount == cents


@given(st.integers(-(10**11), 10**11))
def test_an_amount_is_the_cents_it_was_written_from(cents: int) -> None:
    sign, (whole, hundredths) = "-" * (cents < 0), divmod(abs(cents), 100)
    written = f"{sign}{whole}.{hundredths:02}"
    assert one_row(BILL.replace("45.20", written)).amount == cents


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"\ufeff{HEADER}\n{BILL}\n", id="byte order mark"),
        pytest.param(f"{HEADER}\r\n{BILL}\r\n", id="CRLF"),
        pytest.param(f"{HEADER}\n{BILL}\n\n\r\n", id="blank lines at the end"),
        pytest.param(
            f"{HEADER}\n" + ",".join(f'"{field}"' for field in BILL.split(",")) + "\n", id="quotes"
        ),
        pytest.param(f"{HEADER}\n{BILL.replace(',', ' , ')}\n", id="blanks around fields"),
        pytest.param(
            ",".join(reversed(COLUMNS)) + "\n" + ",".join(reversed(BILL.split(","))) + "\n",
            id="columns in another order",
        ),
    ],
)
def test_other_ways_to_write_the_same(content: str) -> None:
    assert rows_of(content.encode()) == [ROW]


def test_dates_may_be_left_out() -> None:
    row = one_row("300012345678,1,,,,45.20,EUR,paid")
    assert (row.issued_on, row.due_on, row.cut_off_on) == (None, None, None)


def test_a_bill_number_may_have_any_signs() -> None:
    assert one_row(BILL.replace("0000123456", '"Ф-1, 2/3"')).bill_number == "Ф-1, 2/3"


def coded_row(code: str, bill: str = BILL) -> FeedRow:
    (row,) = rows_of(f"{CODED}\n{bill},{code}\n".encode())
    return row


@pytest.mark.parametrize("written", ["XK42B7", "xk42b7", "Xk42b7", '"XK42B7"', " xk42b7 "])
def test_a_code_is_kept_as_a_digest(written: str) -> None:
    assert coded_row(written) == ROW._replace(code=KEYED.code("300012345678", "XK42B7"))


def test_a_code_of_another_customer_has_another_digest() -> None:
    other = coded_row("XK42B7", BILL.replace("300012345678", "000012345678"))
    assert other.code == KEYED.code("000012345678", "XK42B7") != coded_row("XK42B7").code


@pytest.mark.parametrize("line", [f"{BILL},", "300012345679,,,,,,,,"])
def test_a_line_may_have_no_code(line: str) -> None:
    (row,) = rows_of(f"{CODED}\n{line}\n".encode())
    assert row.code is None


def test_the_column_of_codes_may_stand_anywhere() -> None:
    (row,) = rows_of(f"code,{HEADER}\n123456,{BILL}\n".encode())
    assert row.code == KEYED.code("300012345678", "123456")


SECRET = "is not six Latin letters or digits with a digit among them"


@pytest.mark.parametrize("code", ["XK42B", "XK42B77", "XKABBA", "ХК42В7", "XK 2B7", "٣٣٣٣٣٣"])
def test_what_is_said_of_a_wrong_code_does_not_repeat_it(code: str) -> None:
    content = f"{CODED}\n{BILL},XK42B7\n{BILL},{code}\n".encode()
    assert problems_of(content) == [(3, f"code: {SECRET}")]


def test_a_code_needs_a_bill() -> None:
    ((line, reason),) = problems_of(f"{CODED}\n300012345679,,,,,,,,XK42B7\n".encode())
    assert line == 2
    assert reason.startswith("bill_number: empty; amount: empty; ")


def test_a_first_line_that_is_no_header_is_not_repeated() -> None:
    assert problems_of(f"{BILL},XK42B7\n".encode()) == [(1, f"this is no header; {IS}")]


DATE = "is not a date as in 2026-12-10"
AMOUNT = "is not an amount as in 45.20"
STATUS = "is none of open, paid, cancelled"


@pytest.mark.parametrize(
    ("right", "written", "reason"),
    [
        ("300012345678", "30001234567", "customer_number: '30001234567' is not 12 digits"),
        ("300012345678", "", "customer_number: empty"),
        ("300012345678", "3.00012E+11", "customer_number: '3.00012E+11' is not 12 digits"),
        ("300012345678", "٣" * 12, f"customer_number: '{'٣' * 12}' is not 12 digits"),
        ("0000123456", "", "bill_number: empty"),
        ("0000123456", "9" * 41, f"bill_number: '{'9' * 40}…' is longer than 40 characters"),
        ("2026-12-10", "10.12.2026", f"due_on: '10.12.2026' {DATE}"),
        ("2026-12-10", "2026-02-30", "due_on: '2026-02-30' is not in the calendar"),
        ("2026-12-20", "0000-00-00", "cut_off_on: '0000-00-00' is not in the calendar"),
        ("45.20", '"45,20"', f"amount: '45,20' {AMOUNT}"),
        ("45.20", "45.201", f"amount: '45.201' {AMOUNT}"),
        ("45.20", "4e3", f"amount: '4e3' {AMOUNT}"),
        ("45.20", "", "amount: empty"),
        ("45.20", "45,20", "9 fields instead of 8"),
        ("EUR", "€", "currency: '€' is not three capital letters as in EUR"),
        ("EUR", "E\x00R", "control character U+0000 at 65"),
        ("open", "due", f"status: 'due' {STATUS}"),
        ("open", "", "status: empty"),
        (",open", "", "7 fields instead of 8"),
        ("45.20,EUR,open", "x,EUR,y", f"amount: 'x' {AMOUNT}; status: 'y' {STATUS}"),
        (BILL, f'"{BILL}', "quotes: unexpected end of data"),
        (BILL, "\x00" * 200, "control character U+0000 at 1"),
        (BILL, "3" * 2 * LONGEST, f"longer than {LONGEST} octets"),
    ],
)
def test_a_wrong_line(right: str, written: str, reason: str) -> None:
    wrong = BILL.replace(right, written)
    assert problems_of(f"{HEADER}\n{BILL}\n{wrong}\n{BILL}\n".encode()) == [(3, reason)]


def test_a_line_that_is_not_utf_8() -> None:
    content = f"{HEADER}\n{BILL}\n".encode() + BILL.replace("0000123456", "Ф1").encode("cp1251")
    assert problems_of(content + b"\n") == [(3, "octet 14 is not UTF-8; save the file as UTF-8")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "the file is empty", id="empty"),
        pytest.param(HEADER.encode("utf-16"), "no line end: the file is cut off", id="UTF-16, cut"),
        pytest.param(
            f"{HEADER}\n{BILL}\n".encode("utf-16"),
            "the file is UTF-16; save it as UTF-8",
            id="UTF-16",
        ),
        pytest.param(
            f"{HEADER};{BILL}\n".replace(",", ";").encode(),
            "the columns stand apart by semicolons; write commas",
            id="semicolons",
        ),
        pytest.param(
            f"{BILL}\n".encode(),
            f"this is no header; {IS}",
            id="no header",
        ),
        pytest.param(
            HEADER.replace("due_on,", "").encode() + b"\n",
            f"no column due_on; {IS}",
            id="a column missing",
        ),
        pytest.param(
            HEADER.encode() + b",name\n",
            f"unknown column 'name'; {IS}",
            id="a column too many",
        ),
        pytest.param(
            HEADER.encode() + b",status\n",
            f"column status twice; {IS}",
            id="a column twice",
        ),
        pytest.param(HEADER.encode()[:40], "no line end: the file is cut off", id="cut off"),
    ],
)
def test_a_wrong_header(content: bytes, reason: str) -> None:
    assert problems_of(content) == [(1, reason)]


WHOLE = f"{HEADER}\n{BILL}\n300012345679,,,,,,,\n{BILL}\n".encode()


@pytest.mark.parametrize("length", range(1, len(WHOLE)))
def test_a_file_cut_off_inside_a_line_is_refused(length: int) -> None:
    cut = WHOLE[:length]
    if not cut.endswith(b"\n"):
        assert (cut.count(b"\n") + 1, "no line end: the file is cut off") in problems_of(cut)


def test_the_first_twenty_wrong_lines_are_told_and_all_are_counted() -> None:
    with pytest.raises(FileError) as caught:
        rows_of(f"{HEADER}\n".encode() + b"x\n" * 25)
    assert [problem.line for problem in caught.value.problems] == list(range(2, 22))
    assert caught.value.count == 25


@given(st.binary(max_size=300))
def test_no_content_raises_anything_else(content: bytes) -> None:
    problems = Problems()
    for row in read(BytesIO(HEADER.encode() + b"\n" + content), problems, KEYED):
        assert 0 <= row.customer < 10**12
