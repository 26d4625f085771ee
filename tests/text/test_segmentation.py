"""Cutting texts into parts: capacities at their edges, headers, and pairs that stay whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text import gsm
from smsgw.text.alphabets import DefaultAlphabet
from smsgw.text.segmentation import count_parts, headed, pieces, segment

LENGTHS = {
    "nothing is one empty part": ("", 8, (0,)),
    "160 septets": ("x" * 160, 8, (160,)),
    "161 septets": ("x" * 161, 8, (153, 8)),
    "two full parts": ("x" * 306, 8, (153, 153)),
    "one septet more": ("x" * 307, 8, (153, 153, 1)),
    "161 septets, 16-bit reference": ("x" * 161, 16, (152, 9)),
    "two full parts, 16-bit reference": ("x" * 304, 16, (152, 152)),
    "80 euros are 160 septets": ("€" * 80, 8, (160,)),
    "81 euros, none of them cut": ("€" * 81, 8, (152, 10)),
    "a pair ends with the part": ("x" * 151 + "€" * 9, 8, (153, 16)),
    "a pair goes over whole": ("x" * 152 + "€" * 9, 8, (152, 18)),
    "two escapes side by side": ("x" * 152 + "[[" + "x" * 20, 8, (152, 24)),
    "70 units": ("ж" * 70, 8, (70,)),
    "71 units": ("ж" * 71, 8, (67, 4)),
    "two full parts of units": ("ж" * 134, 8, (67, 67)),
    "71 units, 16-bit reference": ("ж" * 71, 16, (66, 5)),
    "35 pairs": ("😀" * 35, 8, (70,)),
    "36 pairs, none of them cut": ("😀" * 36, 8, (66, 6)),
    "36 pairs, 16-bit reference": ("😀" * 36, 16, (66, 6)),
    "a surrogate pair goes over whole": ("ж" * 66 + "😀" * 3, 8, (66, 6)),
    "one Cyrillic letter makes all of it UCS-2": ("x" * 70 + "ж", 8, (67, 4)),
}


@pytest.mark.parametrize(("text", "ref_bits", "units"), LENGTHS.values(), ids=LENGTHS)
def test_lengths(text: str, ref_bits: int, units: tuple[int, ...]) -> None:
    encoded = segment(text, 7, ref_bits)
    assert encoded.units == units
    assert count_parts(text, ref_bits) == len(encoded.parts) == len(units)


ENCODINGS = {
    "Latin": ("Vashata smetka", "gsm7", 0),
    "extension table": ("45,20 € [EUR]", "gsm7", 0),
    "Cyrillic": ("Вашата сметка", "ucs2", 8),
    "low quotes": ("„smetka“", "ucs2", 8),
    "numero sign": ("№ 1", "ucs2", 8),
    "dash": ("9–20", "ucs2", 8),
    "no-break space": ("1\xa0234,56", "ucs2", 8),
    "backtick": ("`", "ucs2", 8),
}


@pytest.mark.parametrize(("text", "encoding", "coding"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings(text: str, encoding: str, coding: int) -> None:
    encoded = segment(text, 1)
    assert (encoded.encoding, encoded.data_coding) == (encoding, coding)


def test_a_single_part_has_no_header() -> None:
    assert segment("45 €", 7).parts == (bytes.fromhex("3435 20 1b65"),)


def test_header_of_an_8_bit_reference() -> None:
    first, second = segment("x" * 153 + "abcdefgh", 0x1FE).parts
    assert first == bytes.fromhex("05 00 03 fe 02 01") + b"x" * 153
    assert second == bytes.fromhex("05 00 03 fe 02 02") + b"abcdefgh"


def test_header_of_a_16_bit_reference() -> None:
    first, second = segment("ж" * 66 + "abcde", 0x1ABCD, 16).parts
    assert first == bytes.fromhex("06 08 04 ab cd 02 01") + bytes.fromhex("0436") * 66
    assert second == bytes.fromhex("06 08 04 ab cd 02 02") + "abcde".encode("utf-16-be")


DEFAULTS: dict[str, tuple[DefaultAlphabet, str, str, bytes]] = {
    "Latin-1 has its own codes": ("latin1", "@é", "gsm7", b"@\xe9"),
    "ASCII has its own codes": ("ascii", "@[", "gsm7", b"@["),
    "Latin-1 lacks the euro": ("latin1", "€", "ucs2", b"\x20\xac"),
    "ASCII lacks e acute": ("ascii", "é", "ucs2", b"\x00\xe9"),
    "ASCII lacks Greek": ("ascii", "Δ", "ucs2", b"\x03\x94"),
}


@pytest.mark.parametrize(
    ("alphabet", "text", "encoding", "octets"), DEFAULTS.values(), ids=DEFAULTS
)
def test_other_default_alphabets(
    alphabet: DefaultAlphabet, text: str, encoding: str, octets: bytes
) -> None:
    encoded = segment(text, 1, default_alphabet=alphabet)
    assert encoded.encoding == encoding
    assert encoded.data_coding == (8 if encoding == "ucs2" else 0)
    assert encoded.parts == (octets,)


@pytest.mark.parametrize("alphabet", ["latin1", "ascii"])
def test_other_default_alphabets_count_characters(alphabet: DefaultAlphabet) -> None:
    assert segment("[" * 160, 1, default_alphabet=alphabet).units == (160,)
    assert segment("[" * 161, 1, default_alphabet=alphabet).units == (153, 8)
    assert count_parts("[" * 161, default_alphabet=alphabet) == 2


def test_an_octet_like_an_escape_is_none_in_latin1() -> None:
    text = "x" * 152 + "\x1b" + "x" * 20
    assert segment(text, 1, default_alphabet="latin1").units == (153, 20)


@pytest.mark.parametrize(
    ("text", "ref_bits"),
    [("x" * 153 * 255, 8), ("x" * 152 * 255, 16), ("ж" * 67 * 255, 8), ("ж" * 66 * 255, 16)],
)
def test_255_parts_and_no_more(text: str, ref_bits: int) -> None:
    encoded = segment(text, 1, ref_bits)
    assert len(encoded.parts) == 255
    assert encoded.parts[-1][ref_bits // 8 + 3] == 255  # total
    with pytest.raises(ValueError, match="256 parts"):
        segment(text + text[0], 1, ref_bits)
    assert count_parts(text + text[0], ref_bits) == 256


@pytest.mark.parametrize("text", ["\ud83d", "x\ude00", "ж\ud83d😀"])
def test_half_a_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        segment(text, 1)


TEXTS = st.one_of(
    st.text(max_size=500),
    st.text("abc€[]@ ", min_size=150, max_size=700),
    st.text("жщ😀a€", min_size=60, max_size=300),
)


def _decode_strictly(octets: bytes) -> str:
    return octets.decode("utf-16-be")


@given(TEXTS, st.integers(0, 1 << 20), st.sampled_from((8, 16)))
def test_parts_join_to_the_text(text: str, reference: int, ref_bits: int) -> None:
    encoded = segment(text, reference, ref_bits)
    total = len(encoded.parts)
    header = (6 if ref_bits == 8 else 7) if total > 1 else 0
    bodies = [part[header:] for part in encoded.parts]
    decode = gsm.decode if encoded.encoding == "gsm7" else _decode_strictly

    assert "".join(map(decode, bodies)) == text
    assert count_parts(text, ref_bits) == total
    for number, part in enumerate(encoded.parts, 1):
        assert len(part) <= (140 if encoded.data_coding == 8 else 160)
        if total > 1:
            assert part[0] == header - 1
            assert part[3:header] == (reference % (1 << ref_bits)).to_bytes(
                ref_bits // 8, "big"
            ) + bytes((total, number))


@given(TEXTS, st.sampled_from((8, 16)))
def test_parts_are_full_and_hold_whole_characters(text: str, ref_bits: int) -> None:
    encoded = segment(text, 1, ref_bits)
    gsm7 = encoded.encoding == "gsm7"
    if len(encoded.parts) == 1:
        assert encoded.units[0] <= (160 if gsm7 else 70)
        return
    capacity = {8: 153, 16: 152}[ref_bits] if gsm7 else {8: 67, 16: 66}[ref_bits]
    for part, units in zip(encoded.parts[:-1], encoded.units[:-1], strict=True):
        assert units in (capacity - 1, capacity)
        assert part[-1] != gsm.ESCAPE if gsm7 else not 0xD8 <= part[-2] <= 0xDB
    assert 0 < encoded.units[-1] <= capacity


@given(TEXTS, st.integers(0, 1 << 20), st.sampled_from((8, 16)))
def test_pieces_are_the_parts_without_their_headers(
    text: str, reference: int, ref_bits: int
) -> None:
    cut = pieces(text, ref_bits)
    encoded = segment(text, reference, ref_bits)

    assert headed(cut, reference, ref_bits) == encoded
    assert cut.units == encoded.units
    header = ref_bits // 8 + 5 if len(cut.parts) > 1 else 0
    assert cut.parts == tuple(part[header:] for part in encoded.parts)


def test_pieces_are_at_most_255() -> None:
    assert len(pieces("x" * 153 * 255).parts) == 255
    with pytest.raises(ValueError, match="256 parts"):
        pieces("x" * (153 * 255 + 1))
