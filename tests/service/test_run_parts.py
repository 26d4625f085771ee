"""What the notices of a run come to in parts, and how fast they go."""

import pytest

from smsgw.service.message import Encoding, Script
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.replies import Company, Replies
from smsgw.service.run_parts import Lately, Sending, parts_left, rates

RULES = NoticeRules(
    replies=Replies({}, Company("CEZ", "0700 10 010", None, None)),
    encodings={"mtel": Encoding(), "telenor": Encoding()},
)
NOW = 1_800_000_000.0
LATIN, CYRILLIC = Script.LATIN, Script.CYRILLIC


@pytest.mark.parametrize("kind", [NoticeKind.OVERDUE, NoticeKind.DISCONNECTION])
def test_the_parts_that_are_left(kind: NoticeKind) -> None:
    left = {("mtel", LATIN): 3, ("mtel", CYRILLIC): 5, ("telenor", LATIN): 2, ("gone", LATIN): 9}
    found = parts_left(Sending(kind, "", left, {}), RULES)
    assert found == {"mtel": 3 + 2 * 5, "telenor": 2}


def test_of_an_announcement_the_text_tells() -> None:
    text = "x" * 400
    left = {("mtel", LATIN): 3, ("mtel", CYRILLIC): 1, ("telenor", LATIN): 0}
    assert parts_left(Sending(NoticeKind.ANNOUNCEMENT, text, left, {}), RULES) == {"mtel": 12}


@pytest.mark.parametrize(
    ("lately", "rate"),
    [
        pytest.param([], 100.0, id="nothing was sent: as agreed"),
        pytest.param([{("mtel", LATIN): Lately(30, NOW - 60)}], 0.5, id="as it was seen"),
        pytest.param([{("mtel", CYRILLIC): Lately(30, NOW - 60)}], 1.0, id="of two parts each"),
        pytest.param([{("mtel", LATIN): Lately(30, NOW - 10)}], 3.0, id="for long enough"),
        pytest.param([{("mtel", LATIN): Lately(30, NOW - 9)}], 100.0, id="not for long enough"),
        pytest.param(
            [{("mtel", LATIN): Lately(5, NOW - 5)}, {("mtel", LATIN): Lately(25, NOW - 60)}], 0.5,
            id="two runs",
        ),
        pytest.param([{("telenor", LATIN): Lately(30, NOW - 60)}], 100.0, id="over another one"),
    ],
)  # fmt: skip
def test_how_fast_they_go(lately: list[dict[tuple[str, Script], Lately]], rate: float) -> None:
    runs = [Sending(NoticeKind.OVERDUE, "", {}, each) for each in lately]
    assert rates(runs, {"mtel": 100.0}, RULES, NOW) == {"mtel": pytest.approx(rate)}
