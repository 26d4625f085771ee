"""Numbers as people type them."""

import pytest

from smsgw.service.numbers import ForeignNumberError, customer_number, msisdn


@pytest.mark.parametrize(
    "typed",
    [
        "359888123456",
        "+359888123456",
        "00359888123456",
        "0888123456",
        "888123456",
        "0888 123 456",
        "(0888) 123-456",
        "+359 88 812 3456",
    ],
)
def test_a_phone_number(typed: str) -> None:
    assert msisdn(typed).digits == "359888123456"


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "VIVACOM", "0888-123-45", "35988812345", "359000000000", "300012345678", "1" * 20],
)
def test_no_phone_number(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a phone number") as caught:
        msisdn(typed)
    assert not isinstance(caught.value, ForeignNumberError)


@pytest.mark.parametrize("typed", ["029876543", "+359 2 987 6543", "070010010"])
def test_a_phone_number_that_gets_no_messages(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a mobile number"):
        msisdn(typed)


@pytest.mark.parametrize("typed", ["43712345", "+35943012345"])
def test_a_mobile_number_of_eight_digits(typed: str) -> None:
    assert msisdn(typed).digits == f"359{typed[-8:]}"


@pytest.mark.parametrize("typed", ["+40721123456", "0040721123456", "40721123456"])
def test_a_phone_number_of_another_country(typed: str) -> None:
    with pytest.raises(ForeignNumberError):
        msisdn(typed)


@pytest.mark.parametrize(
    "typed", ["300012345678", "3000 1234 5678", "3000-1234-5678", " 300.012.345.678 "]
)
def test_a_customer_number(typed: str) -> None:
    assert customer_number(typed) == "300012345678"


@pytest.mark.parametrize("typed", ["", "30001234567", "3000123456789", "30001234567x", "٣" * 12])
def test_no_customer_number(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a customer number"):
        customer_number(typed)
