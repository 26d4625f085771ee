"""What the notices of a run come to in parts of messages, and how fast these go: as far as that can
be told before anybody knows what each of them says. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from smsgw.service.message import Script
from smsgw.service.notices import Due, NoticeKind, NoticeRules, text

# What a notice is taken to say where only its length matters.
_DAY: Final = "31.12.2026"
_USUAL: Final = Due(
    ("",), {"number": "300012345678", "amount": "123,45 EUR", "due": _DAY, "cut_off": _DAY}
)

LATELY: Final = 60.0  # seconds over which it is seen how fast notices go
ENOUGH: Final = 10.0  # of these, that tell something


class Lately(NamedTuple):
    """Notices whose turn came in the last minute, and when the first of them had it."""

    notices: int
    since: float


class Sending(NamedTuple):
    """A run, as far as its forecast depends on it; by carrier and script."""

    kind: NoticeKind
    text: str  # of an announcement
    left: Mapping[tuple[str, Script], int]  # notices whose turn has not come
    lately: Mapping[tuple[str, Script], Lately]


def length(run: Sending, carrier: str, script: Script, rules: NoticeRules) -> int:
    """How many parts one of the run's notices takes over a carrier, as a rule; none over one that
    is not enabled."""
    if carrier not in rules.encodings:
        return 0
    announced = run.kind is NoticeKind.ANNOUNCEMENT
    says = run.text if announced else text(run.kind, _USUAL, script, rules)
    return rules.encodings[carrier].count_parts(says)


def parts_left(run: Sending, rules: NoticeRules) -> Counter[str]:
    """About how many parts are left to be sent, by carrier."""
    found = Counter[str]()
    for (carrier, script), count in run.left.items():
        found[carrier] += count * length(run, carrier, script, rules)
    return +found


def rates(
    runs: Iterable[Sending], agreed: Mapping[str, float], rules: NoticeRules, now: float
) -> dict[str, float]:
    """Parts a second of the carriers that there is an agreed rate of (0: no limit): as notices were
    seen to go out over them, else that."""
    sent = Counter[str]()
    began: defaultdict[str, float] = defaultdict(lambda: now)
    for run in runs:
        for (carrier, script), seen in run.lately.items():
            sent[carrier] += seen.notices * length(run, carrier, script, rules)
            began[carrier] = min(began[carrier], seen.since)
    return {
        carrier: sent[carrier] / (now - began[carrier])
        if sent[carrier] and now - began[carrier] >= ENOUGH
        else rate
        for carrier, rate in agreed.items()
    }
