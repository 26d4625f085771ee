"""Lists of customer numbers: what is taken, and what is said of lines that are wrong."""

from io import BytesIO

import pytest

from smsgw.service.lines import FileError, Problems
from smsgw.service.number_list import read

A, B = "300012345678", "000012345679"


@pytest.mark.parametrize(
    ("octets", "numbers"),
    [
        ("", []),
        ("\n\n", []),
        (f"{A}\n{B}", [A, B]),
        (f"\ufeff{A}\r\n\r\n {B} \r\n{A}\r\n", [A, B, A]),
        (f"3000 1234 5678\n0000-1234-5679\n{A[:4]}.{A[4:8]}.{A[8:]}\n", [A, B, A]),
        (f"customer_number\n{A}\n{B}\n", [A, B]),
        (f'\ufeffname,customer_number,street\r\n"Ana, B.",{A},x\r\n,"{B}",\r\n', [A, B]),
        ("customer_number\n", []),
    ],
)
def test_what_is_taken(octets: str, numbers: list[str]) -> None:
    problems = Problems()
    assert list(read(BytesIO(octets.encode()), problems)) == numbers
    problems.refuse()


@pytest.mark.parametrize(
    ("octets", "wrong"),
    [
        (f"{A}\n12\n{B}\nx\n", [(2, "customer_number: '12' is not 12 digits"),
                                (4, "customer_number: 'x' is not 12 digits")]),
        (f"{A},{B}\n", [(1, "2 fields, and no header that names customer_number")]),
        (f"number\n{A}\n", [(1, "customer_number: 'number' is not 12 digits")]),
        (f"customer_number,name\n{A}\n,x\n", [(2, "1 fields instead of 2"),
                                              (3, "customer_number: empty")]),
        (f"customer_number,customer_number\n{A}\n",
         [(1, "column customer_number twice; commas stand between columns")]),
        (f"customer_number;name\n{A};x\n",
         [(1, "column customer_number missing; commas stand between columns")]),
        (f"{A}\n\u0663\n", [(2, "customer_number: '\u0663' is not 12 digits")]),
        (f"{A}\n\x07\n", [(2, "control character U+0007 at 1")]),
    ],
)  # fmt: skip
def test_what_is_wrong(octets: str, wrong: list[tuple[int, str]]) -> None:
    problems = Problems()
    list(read(BytesIO(octets.encode()), problems))
    with pytest.raises(FileError) as refused:
        problems.refuse()
    assert [tuple(one) for one in refused.value.problems] == wrong
