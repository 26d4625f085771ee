"""Texts cut as two programs that share nothing with ours cut them."""

import json
from pathlib import Path
from typing import Any

import pytest

from smsgw.text.segmentation import count_parts, segment

FOLDER = Path(__file__).parents[1] / "vectors" / "segmentation"
FILES = ("gammu.json", "npm-segments.json")


def vectors(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / file).read_text("utf-8"))["vectors"]
    return found


VECTORS = [pytest.param(one, id=f"{file} {one['text']}") for file in FILES for one in vectors(file)]


@pytest.mark.parametrize("vector", VECTORS)
def test_cut_as_others_do(vector: dict[str, Any]) -> None:
    text = "".join([characters * times for characters, times in vector["text"]])
    headers = [bytes.fromhex(header) for header in vector.get("headers", [])]
    reference = int.from_bytes(headers[0][3:-2]) if headers and headers[0] else 0
    encoded = segment(text, reference, vector["ref_bits"])

    assert encoded.encoding == vector["encoding"]
    assert list(encoded.units) == vector["units"]
    assert count_parts(text, vector["ref_bits"]) == len(vector["units"])
    for header, part in zip(headers, encoded.parts, strict=bool(headers)):
        assert part.startswith(header)


def test_both_widths_and_both_encodings_are_there() -> None:
    kinds = {
        (one["ref_bits"], one["encoding"], len(one["units"]) > 1)
        for file in FILES
        for one in vectors(file)
    }
    assert kinds == {
        (bits, encoding, long)
        for bits in (8, 16)
        for encoding in ("gsm7", "ucs2")
        for long in (False, True)
    }
