"""Senders' addresses and the numbers they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.addresses import alphanumeric, msisdn

UNKNOWN, INTERNATIONAL, NATIONAL, SHORT, ALPHANUMERIC = 0, 1, 2, 3, 5

SAME = [
    ("359888123456", INTERNATIONAL),
    ("+359888123456", INTERNATIONAL),
    ("00359888123456", INTERNATIONAL),
    ("359888123456", UNKNOWN),
    ("359888123456", NATIONAL),
    ("+359888123456", NATIONAL),
    ("0888123456", NATIONAL),
    ("0888123456", UNKNOWN),
    ("0888123456", INTERNATIONAL),
    ("888123456", NATIONAL),
    ("888123456", UNKNOWN),
]


@pytest.mark.parametrize(("address", "ton"), SAME, ids=str)
def test_one_number_in_many_forms(address: str, ton: int) -> None:
    number = msisdn(address, ton)
    assert number is not None
    assert number.digits == "359888123456"
    assert not alphanumeric(address, ton)


def test_eight_digits_are_a_number_too() -> None:
    for address in ("35943712345", "+35943712345", "043712345"):
        number = msisdn(address, UNKNOWN)
        assert number is not None
        assert number.digits == "35943712345"


@pytest.mark.parametrize(
    ("address", "ton"),
    [
        ("", UNKNOWN),
        ("1700", SHORT),
        ("170077", UNKNOWN),
        ("888123456", INTERNATIONAL),
        ("4915112345678", INTERNATIONAL),
        ("+4915112345678", UNKNOWN),
        ("00888123456", UNKNOWN),
        ("3598881234567", INTERNATIONAL),
        ("3598881234", INTERNATIONAL),
        ("0359888123456", NATIONAL),
        ("+0888123456", NATIONAL),
        ("08881234567", NATIONAL),
    ],
    ids=str,
)
def test_what_is_no_number_of_this_country(address: str, ton: int) -> None:
    assert msisdn(address, ton) is None
    assert not alphanumeric(address, ton)


@pytest.mark.parametrize(
    ("address", "ton"),
    [
        ("Vivacom", ALPHANUMERIC),
        ("Vivacom", UNKNOWN),
        ("359888123456", ALPHANUMERIC),
        ("359 888123456", INTERNATIONAL),
        ("888-123-456", NATIONAL),
        ("359888123456\n", INTERNATIONAL),
        ("²359888123456", INTERNATIONAL),
        ("++359888123456", INTERNATIONAL),
    ],
    ids=repr,
)
def test_names(address: str, ton: int) -> None:
    assert msisdn(address, ton) is None
    assert alphanumeric(address, ton)


@given(st.text(alphabet="+0123456789 aЯ²", max_size=20), st.integers(0, 255))
def test_a_number_is_digits_of_the_right_length(address: str, ton: int) -> None:
    number = msisdn(address, ton)
    if number is not None:
        assert number.digits.isascii()
        assert number.digits.isdigit()
        assert number.digits.startswith("359")
        assert len(number.digits) in (11, 12)
