"""Coverage-guided fuzzing of the targets, with atheris; `scripts/fuzz` starts it.

Arguments: a folder for the corpus, then libFuzzer's own. The corpus is seeded from the vectors.
"""

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["smsgw.smpp", "smsgw.carrier", "smsgw.service", "smsgw.text"]
):
    import targets

    from smsgw.smpp import compiler

VECTORS = Path(__file__).parent.parent / "vectors"
TEXTS = (
    b"id:7 sub:001 dlvrd:001 submit date:2401011200 done date:2401011201 stat:DELIVRD err:000",
    b"\x05\x00\x03\x2a\x02\x01smetka",
    b"\x06\x08\x04\x01\x2a\x02\x01smetka",
    b"smetka 300012345678",
    "сметка, моля 3000 1234 5678, код A1B2C3".encode("utf-16-be"),
)


def seeds() -> list[bytes]:
    """Each vector and text for each target, and for the sessions at each place."""
    pdus = [
        bytes.fromhex(vector["hex"])
        for path in sorted(VECTORS.glob("*.json"))
        for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]
    ]
    places = range(len(targets.PLACES))
    return [
        *(bytes([0, place, 255]) + pdu for place in places for pdu in pdus),
        *(bytes([1, place, 255]) + _told(pdu) for place in places for pdu in pdus),
        *(bytes([target]) + pdu for target in (2, 6) for pdu in pdus),
        *(bytes([3, esm_class, 0]) + text for esm_class in (0x04, 0x44) for text in TEXTS),
        *(bytes([target]) + text for target in (4, 5) for text in TEXTS),
    ]


def _told(pdu: bytes) -> bytes:
    """A PDU as `targets.framed_sessions` has it."""
    command = targets.COMMAND_IDS.index(int.from_bytes(pdu[4:8]))
    body = pdu[16:271]
    return bytes([command, 0, 1, len(body)]) + body


def main() -> None:
    for function in (*compiler.READERS.values(), *compiler.WRITERS.values()):
        atheris.instrument_func(function)
    corpus = Path(sys.argv[1])
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number:05d}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[2:], str(corpus)], targets.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
