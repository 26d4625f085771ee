"""Phone numbers in texts are hidden, and nothing else."""

import pytest

from smsgw.service.masking import masked

HIDDEN = "35988****456"

PHONES = [
    "0888123456",
    "0888 123 456",
    "0888-12-34-56",
    "0888/123456",
    "0888.123.456",
    "+359888123456",
    "+359 888 123 456",
    "+359 (0) 888 123 456",
    "00359888123456",
    "359888123456",
    "359 88 8123456",
]


@pytest.mark.parametrize("phone", PHONES)
def test_a_mobile_number(phone: str) -> None:
    assert masked(f"tel {phone}, dnes") == f"tel {HIDDEN}, dnes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0888123456 0899123456", "35988****456 35989****456"),
        ("0888123456,0899123456", "35988****456,35989****456"),
        ("тел.0988123456", "тел.35998****456"),
        ("043012345 0996123456", "35943****345 35999****456"),
        ("smetka 300012345678 ot 0888123456", "smetka 300012345678 ot 35988****456"),
        ("(0888) 123 456", "(35988****456"),
        ("+44 7911 123456", "44791****456"),
        ("0049 151 23456789", "49151****789"),
    ],
)
def test_in_a_text(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "300012345678",
        "3000 1234 5678",
        "0700 10 010",
        "45,20 EUR do 20.12.2026",
        "Abonat 300088812345: 1 034,80",
        "02 123 4567",
        "BG80BNBG96611020345678",
        "12345678901234567890",
        "10888123456",
        "",
    ],
)
def test_what_is_no_phone_stays(text: str) -> None:
    assert masked(text) == text
