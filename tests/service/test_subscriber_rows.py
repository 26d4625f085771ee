"""The subscribers file's lines."""

from io import BytesIO

import pytest

from smsgw.service.lines import FileError, Problems
from smsgw.service.message import Channel, Msisdn, Script
from smsgw.service.subscribers import SubscriberRow, read

HEADER = "msisdn,customer_number,carrier,script,channel,code"
SHORT = "msisdn,customer_number"
CARRIERS = ["mtel", "telenor"]


def rows_of(content: str) -> list[SubscriberRow]:
    problems = Problems()
    rows = list(read(BytesIO(content.encode()), CARRIERS, problems))
    problems.refuse()
    return rows


def row(
    carrier: str | None = None, script: Script | None = None, channel: Channel | None = None
) -> SubscriberRow:
    return SubscriberRow(Msisdn("359888123456"), "300012345678", carrier, script, channel)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            f"{HEADER}\n359888123456,300012345678,mtel,latin,centre,\n",
            row("mtel", Script.LATIN, Channel.CENTRE),
            id="all columns",
        ),
        pytest.param(
            f"{HEADER}\n359888123456,300012345678,,,,\n", row(), id="all optional ones empty"
        ),
        pytest.param(
            f"{HEADER}\n359888123456,300012345678,,cyrillic,,7K2P9Q\n",
            row(script=Script.CYRILLIC),
            id="a code",
        ),
        pytest.param(f"{SHORT}\n359888123456,300012345678\n", row(), id="two columns"),
        pytest.param(
            "carrier,customer_number,msisdn\ntelenor,300012345678,359888123456\n",
            row("telenor"),
            id="another order",
        ),
        pytest.param(f"{SHORT}\n+359 888 123 456,300012345678\n", row(), id="+359 with blanks"),
        pytest.param(f'{SHORT}\n"0888123456",300012345678\n', row(), id="national"),
        pytest.param(f"{SHORT}\n00359888123456,300012345678\n", row(), id="00359"),
        pytest.param(f"{SHORT}\n359888123456,300012345678", row(), id="no last line end"),
        pytest.param(
            f"\ufeff{SHORT}\r\n359888123456,300012345678\r\n\r\n", row(), id="from a spreadsheet"
        ),
    ],
)
def test_a_right_line(content: str, expected: SubscriberRow) -> None:
    assert rows_of(content) == [expected]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("abc,300012345678,,,,", "msisdn: 'abc' is not a Bulgarian mobile number"),
        (
            "+40721123456,300012345678,,,,",
            "msisdn: '+40721123456' is not a Bulgarian mobile number",
        ),
        ("35988812345,300012345678,,,,", "msisdn: '35988812345' is not a Bulgarian mobile number"),
        (
            "359000000000,300012345678,,,,",
            "msisdn: '359000000000' is not a Bulgarian mobile number",
        ),
        ("029876543,300012345678,,,,", "msisdn: '029876543' is not a Bulgarian mobile number"),
        (",300012345678,,,,", "msisdn: empty"),
        ("359888123456,3.00012E+11,,,,", "customer_number: '3.00012E+11' is not 12 digits"),
        ("359888123456,,,,,", "customer_number: empty"),
        ("359888123456,300012345678,a1,,,", "carrier: 'a1' is none of mtel, telenor"),
        ("359888123456,300012345678,,greek,,", "script: 'greek' is none of latin, cyrillic"),
        (
            "359888123456,300012345678,,,fax,",
            "channel: 'fax' is none of sms, web, centre, easypay, api, import",
        ),
        ("359888123456,300012345678", "2 fields instead of 6"),
        (
            "1,2,a1,,,",
            "msisdn: '1' is not a Bulgarian mobile number; customer_number: '2' is not 12 digits;"
            " carrier: 'a1' is none of mtel, telenor",
        ),
    ],
)
def test_a_wrong_line(line: str, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        rows_of(f"{HEADER}\n359888123456,300012345678,,,,\n{line}\n")
    assert caught.value.problems == [(3, reason)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("msisdn\n", f"no column customer_number; the header is {HEADER}", id="one"),
        pytest.param(
            "msisdn,customer_number,name\n",
            f"unknown column 'name'; the header is {HEADER}",
            id="unknown",
        ),
    ],
)
def test_a_wrong_header(content: str, reason: str) -> None:
    with pytest.raises(FileError) as caught:
        rows_of(content)
    assert caught.value.problems == [(1, reason)]
