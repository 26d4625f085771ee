from typing import get_args

import pytest

from smsgw.simulator.happenings import (
    NAMES,
    BindRefused,
    Connected,
    Happening,
    MoAnswered,
    MoSent,
    MtReceived,
    Oddity,
)
from smsgw.simulator.transcript import LINES, line, record

SENT = MoSent(0.0, 3, 7, 1, 1, 1, "359888123456", "170077", "smetka")
TAKEN = MtReceived(0.0, 3, "170077", "359888123456", "едно\nдве", 1, ("4",))


def test_every_happening_has_a_name_and_a_line() -> None:
    assert set(NAMES) == set(LINES) == set(get_args(Happening))
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("happening", "told"),
    [
        (Connected(0.0, 3, "127.0.0.1:9"), "session 3: connected from 127.0.0.1:9"),
        (SENT, "MO 7  359888123456 -> 170077  smetka"),
        (SENT._replace(attempt=2), "MO 7  359888123456 -> 170077  smetka  (try 2)"),
        (
            SENT._replace(part=2, parts=3),
            "MO 7, part 2 of 3  359888123456 -> 170077  smetka",
        ),
        (
            MoAnswered(0.0, 7, 1, 1, "359888123456", "smetka", 0, "ESME_ROK", "acknowledged"),
            "MO 7  359888123456  answered with ESME_ROK, acknowledged",
        ),
        (TAKEN, "MT  170077 -> 359888123456  едно две"),
        (TAKEN._replace(parts=2), "MT  170077 -> 359888123456  едно две  (2 parts)"),
        (
            BindRefused(0.0, 1, "bind_transceiver", "a\x1b[2Jb", 15, "ESME_RINVSYSID"),
            "session 1: bind_transceiver by a [2Jb refused with ESME_RINVSYSID",
        ),
        (Oddity(0.0, 1, "{reason}", "00ff"), "session 1: {reason}  00ff"),
    ],
    ids=[
        "connected",
        "sent",
        "sent again",
        "part",
        "answered",
        "received",
        "received in parts",
        "no control characters",
        "no template",
    ],
)
def test_people_read_a_line(happening: Happening, told: str) -> None:
    assert line(happening)[12:] == f"  {told}"  # after the time, to the millisecond


def test_programs_read_the_fields() -> None:
    assert record(TAKEN) == {
        "event": "mt",
        "at": 0.0,
        "session": 3,
        "source": "170077",
        "destination": "359888123456",
        "text": "едно\nдве",
        "parts": 1,
        "message_ids": ("4",),
    }
