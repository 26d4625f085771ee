"""Whether the gateway is ready, decided purely from what the rooms say of themselves."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from smsgw.clock import utc
from smsgw.service.ports import LinkState, LinkStatus


@dataclass(frozen=True, slots=True)
class StorageHealth:
    """Whether the last transaction could be written; `reason` says why it could not."""

    writes: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """One carrier's link. `bound`: at least one session, or pair, sends and receives."""

    carrier: str
    enabled: bool
    bound: bool
    state: str  # for people: "connecting", "refused: ESME_RINVPASWD"
    since: float  # when it took that state, seconds since 1970
    drained: bool = False  # taken out for maintenance, by an operator


def link_health(carrier: str, state: LinkState | None) -> LinkHealth:
    """The health of a carrier's link; None: it has none, as it is not enabled."""
    if state is None:
        return LinkHealth(carrier, enabled=False, bound=False, state="disabled", since=0.0)
    described = f"{state.status}: {state.last_error}" if state.last_error else str(state.status)
    return LinkHealth(
        carrier,
        enabled=True,
        bound=state.status is LinkStatus.BOUND,
        state=described,
        since=state.since,
        drained=state.status is LinkStatus.DRAINED,
    )


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """When the last billing feed taken was true (None: there never was one), and its bound."""

    as_of: float | None
    max_age: float  # seconds; 0: none
    fault: str = ""  # why a feed that was taken isn't read
    hint: str = ""  # what stands in the way of a newer one


@dataclass(frozen=True, slots=True)
class State:
    """The gateway at one moment, as far as readiness goes."""

    now: float  # seconds since 1970
    storage: StorageHealth
    links: tuple[LinkHealth, ...]
    feed: FeedHealth


class Health(Protocol):
    """What the pages ask of the daemon."""

    def state(self) -> State:
        """The state now. Called on the event loop at every request: it may not wait."""


class Status(StrEnum):
    """How well something works, best first; DEGRADED: for some customers, or with old data."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Component(StrEnum):
    STORAGE = "storage"
    LINKS = "links"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way; `carrier` where it concerns one."""

    component: Component
    reason: str
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The body of `/readyz`. The worst component gives the status; only "ok" is ready."""

    status: Status
    components: dict[Component, Status]
    reasons: tuple[Reason, ...]


def readiness(state: State) -> Readiness:
    """Ready is: storage writes, every carrier in service is bound, the last feed is young enough.

    A carrier is in service that is enabled and not drained. Without any carrier bound, or without
    storage, no customer is answered: down. With some carriers bound some are; with a feed that is
    old or was never there messages are answered all the same: degraded.
    """
    serving = [link for link in state.links if link.enabled and not link.drained]
    unbound = [link for link in serving if not link.bound]
    stale = _staleness(state.feed, state.now)

    links = Status.OK
    if unbound:
        links = Status.DOWN if len(unbound) == len(serving) else Status.DEGRADED
    components = {
        Component.STORAGE: Status.OK if state.storage.writes else Status.DOWN,
        Component.LINKS: links,
        Component.BILLING: Status.DEGRADED if stale else Status.OK,
    }
    reasons: list[Reason] = []
    if not state.storage.writes:
        why = state.storage.reason or "storage can't be written"
        reasons.append(Reason(Component.STORAGE, why))
    reasons.extend(
        Reason(
            Component.LINKS,
            f"not bound: {link.state} since {_moment(link.since)}",
            carrier=link.carrier,
        )
        for link in unbound
    )
    if stale:
        reasons.append(Reason(Component.BILLING, stale))
    worst = max(components.values(), key=list(Status).index)
    return Readiness(worst, components, tuple(reasons))


def _staleness(feed: FeedHealth, now: float) -> str:
    """What is wrong with the bills, and why no newer ones came; empty if they are fresh."""
    if feed.fault:
        return f"the last billing feed can't be read: {feed.fault}"
    hint = f"; {feed.hint}" if feed.hint else ""
    if feed.as_of is None:
        return f"no billing feed was ever taken{hint}"
    age = now - feed.as_of
    if not feed.max_age or age < feed.max_age:
        return ""
    bound = f"billing.max_age is {_span(feed.max_age)}"
    return f"the last billing feed is {_span(age)} old; {bound}{hint}"


def _span(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _moment(at: float) -> str:
    return utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")
