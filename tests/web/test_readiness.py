"""The readiness rule, row by row."""

from dataclasses import replace

import pytest

from smsgw.web.health import (
    Component,
    FeedHealth,
    LinkHealth,
    Reason,
    State,
    Status,
    StorageHealth,
    readiness,
)

HOUR = 3600.0
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
BOUND = LinkHealth("mtel", enabled=True, bound=True, state="bound", since=NOW - HOUR)
UNBOUND = LinkHealth("telenor", enabled=True, bound=False, state="connecting", since=NOW - 60)
DISABLED = replace(UNBOUND, enabled=False, state="disabled")
DRAINED = replace(UNBOUND, drained=True, state="drained")
WELL = State(
    now=NOW,
    storage=StorageHealth(writes=True),
    links=(BOUND,),
    feed=FeedHealth(as_of=NOW - HOUR, max_age=36 * HOUR),
)

STORAGE_FULL = Reason(Component.STORAGE, "database or disk is full")
TELENOR_CONNECTING = Reason(
    Component.LINKS, "not bound: connecting since 2027-01-15T07:59:00Z", carrier="telenor"
)
NEVER_FED = Reason(Component.BILLING, "no billing feed was ever taken")


def stale(age: str, bound: str) -> Reason:
    return Reason(
        Component.BILLING, f"the last billing feed is {age} old; billing.max_age is {bound}"
    )


@pytest.mark.parametrize(
    ("state", "status", "components", "reasons"),
    [
        pytest.param(WELL, "ok", "ok ok ok", (), id="all-well"),
        pytest.param(
            replace(WELL, storage=StorageHealth(False, "database or disk is full")),
            "down", "down ok ok", (STORAGE_FULL,), id="storage-does-not-write",
        ),
        pytest.param(
            replace(WELL, storage=StorageHealth(False)),
            "down", "down ok ok", (Reason(Component.STORAGE, "storage can't be written"),),
            id="storage-does-not-write-and-does-not-say-why",
        ),
        pytest.param(
            replace(WELL, links=(BOUND, UNBOUND)),
            "degraded", "ok degraded ok", (TELENOR_CONNECTING,), id="one-carrier-of-two",
        ),
        pytest.param(
            replace(WELL, links=(UNBOUND,)),
            "down", "ok down ok", (TELENOR_CONNECTING,), id="no-carrier",
        ),
        pytest.param(
            replace(WELL, links=(UNBOUND, DISABLED)),
            "down", "ok down ok", (TELENOR_CONNECTING,), id="no-carrier-of-those-in-service",
        ),
        pytest.param(
            replace(WELL, links=(BOUND, DISABLED)), "ok", "ok ok ok", (), id="disabled-is-left-out"
        ),
        pytest.param(
            replace(WELL, links=(BOUND, DRAINED)), "ok", "ok ok ok", (), id="drained-is-left-out"
        ),
        pytest.param(
            replace(WELL, links=(DISABLED, DRAINED)), "ok", "ok ok ok", (), id="none-in-service"
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(None, 36 * HOUR)),
            "degraded", "ok ok degraded", (NEVER_FED,), id="no-feed-yet",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(None, 36 * HOUR, hint="a.csv was refused: why")),
            "degraded", "ok ok degraded",
            (Reason(Component.BILLING, "no billing feed was ever taken; a.csv was refused: why"),),
            id="no-feed-yet-and-why",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 36 * HOUR, 36 * HOUR, hint="a.csv was refused")),
            "degraded", "ok ok degraded", (stale("36.0 h", "36.0 h; a.csv was refused"),),
            id="feed-too-old-and-why",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - HOUR, 36 * HOUR, hint="a.csv was refused")),
            "ok", "ok ok ok", (), id="a-refused-feed-after-one-that-is-young",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 36 * HOUR + 1, 36 * HOUR)),
            "ok", "ok ok ok", (), id="feed-just-younger",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 36 * HOUR, 36 * HOUR)),
            "degraded", "ok ok degraded", (stale("36.0 h", "36.0 h"),), id="feed-just-as-old",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 150 * 60, 90 * 60)),
            "degraded", "ok ok degraded", (stale("2.5 h", "90.0 min"),), id="feed-older-in-minutes",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 9, 5)),
            "degraded", "ok ok degraded", (stale("9 s", "5 s"),), id="feed-older-in-seconds",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW - 9 * HOUR, 0)), "ok", "ok ok ok", (),
            id="feed-of-any-age",
        ),
        pytest.param(
            replace(WELL, feed=FeedHealth(NOW + HOUR, 36 * HOUR)),
            "ok", "ok ok ok", (), id="feed-ahead-of-the-clock",
        ),
        pytest.param(
            State(
                NOW, StorageHealth(False, "database or disk is full"), (UNBOUND, BOUND),
                FeedHealth(None, 1),
            ),
            "down", "down degraded degraded", (STORAGE_FULL, TELENOR_CONNECTING, NEVER_FED),
            id="everything-at-once-the-worst-wins",
        ),
    ],
)  # fmt: skip
def test_readiness(state: State, status: str, components: str, reasons: tuple[Reason, ...]) -> None:
    verdict = readiness(state)
    assert verdict.status == status
    assert " ".join(verdict.components.values()) == components
    assert list(verdict.components) == list(Component)
    assert verdict.reasons == reasons


def test_only_ok_has_no_reasons() -> None:
    assert [readiness(replace(WELL, links=links)).status for links in ((), (UNBOUND,))] == [
        Status.OK,
        Status.DOWN,
    ]
