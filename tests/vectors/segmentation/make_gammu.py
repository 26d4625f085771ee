"""Makes gammu.json: texts as Gammu cuts them, with references of 8 and of 16 bits.

    apt-get install python3-gammu && /usr/bin/python3 make_gammu.py > gammu.json

Each part goes through Gammu's own PDU, which says how many septets or octets its user data has.
Gammu is told the alphabet (it would write what it takes for alike instead of choosing UCS-2), and
makes 20 parts at most.
"""

import json
from collections.abc import Iterator
from typing import Any

import gammu

WIDTHS = {8: "ConcatenatedTextLong", 16: "ConcatenatedTextLong16bit"}
SINGLE = {7: 160, 16: 70}
FULL = {(7, 8): 153, (7, 16): 152, (16, 8): 67, (16, 16): 66}

Runs = list[tuple[str, int]]  # characters, and how many times


def texts(bits: int, ref_bits: int) -> Iterator[Runs]:
    """Around every limit of one alphabet, and with pairs at the cut."""
    letter, pair = ("x", "€") if bits == 7 else ("ж", "😀")
    full = FULL[bits, ref_bits]
    if bits == 7:
        yield []
    for size in (SINGLE[bits], full, 2 * full, 3 * full):
        for count in range(size - 2, size + 3):
            yield [(letter, count)]
    for count in range(full - 4, full + 3):
        yield [(letter, count), (pair, 1), (letter, 20)]
        yield [(letter, count), (pair, 9)]
        yield [(letter, count + full), (pair, 5)]
    for count in range(SINGLE[bits] // 2 - 2, SINGLE[bits] // 2 + 3):
        yield [(pair, count)]
    yield [(letter + pair, 250 if bits == 7 else 100)]
    yield [(letter, full * 20)]


def cut(runs: Runs, bits: int, ref_bits: int) -> dict[str, Any]:
    text = "".join(characters * times for characters, times in runs)
    entry = {"ID": WIDTHS[ref_bits], "Buffer": text}
    parts = gammu.EncodeSMS({"Class": -1, "Unicode": bits == 16, "Entries": [entry]})
    headers = [part["UDH"]["Text"] for part in parts]
    return {
        "text": runs,
        "ref_bits": ref_bits,
        "encoding": "gsm7" if bits == 7 else "ucs2",
        "units": [units(part, bits) for part in parts],
        "headers": [header.hex() for header in headers],
    }


def units(part: dict[str, Any], bits: int) -> int:
    """Septets or UTF-16 units of a part behind its header, by the TP-UDL of its SMS-SUBMIT."""
    address = {"SMSC": {"Number": ""}, "Number": "1"}
    octets = gammu.EncodePDU({**part, **address}, "Submit")
    length = octets[UDL]
    header = len(part["UDH"]["Text"])
    return length - -(-header * 8 // 7) if bits == 7 else (length - header) // 2


# SMSC (2 octets), first octet, TP-MR, TP-DA (3), TP-PID, TP-DCS, TP-VP, and then TP-UDL.
UDL = 10


def main() -> None:
    vectors = [
        cut(runs, bits, ref_bits)
        for bits in (7, 16)
        for ref_bits in (8, 16)
        for runs in texts(bits, ref_bits)
    ]
    package, library, _ = gammu.Version()
    made_by = f"python-gammu {library} (Gammu {package}), by make_gammu.py"
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    print(f'{{"made_by": "{made_by}", "vectors": [\n{lines}\n]}}')


main()
