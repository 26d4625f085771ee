"""Whom a listener lets in: by network, by number of connections, and not at once after failures.

Pure: addresses and the moment are arguments. What it remembers is bounded by what is let in and
by MOST_REMEMBERED.
"""

from collections import Counter, OrderedDict
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

from smsgw.settings.transport import Listener

IpAddress = IPv4Address | IPv6Address

FIRST_PAUSE: Final = 1.0  # seconds after one failure; twice that after two, and so on
LONGEST_PAUSE: Final = 60.0
FORGOTTEN_AFTER: Final = 600.0  # seconds without another failure
MOST_REMEMBERED: Final = 1000  # addresses that failed; past it the oldest is forgotten


class Refused(StrEnum):
    """Why someone is not let in, or not to bind."""

    NETWORK = "network"  # not one of those in `networks`
    FULL = "full"  # `connections` are there
    CROWDED = "crowded"  # `connections_per_address` are there
    PAUSED = "paused"  # failures came from its address
    DRAINED = "drained"  # the link is out of service
    TLS = "tls"  # no handshake, or no certificate
    UNUSABLE = "unusable"  # what came is no SMPP, or no bind came in time
    CREDENTIALS = "credentials"
    HELD = "held"  # all sessions are bound


class _Failures(NamedTuple):
    times: int
    last: float
    until: float  # the pause ends


class Gate:
    """One listener's."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._inside: Counter[str] = Counter()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def refusal(self, address: IpAddress, now: float) -> Refused | None:
        """Why `address` is not let in; None: it is."""
        if not any(address in network for network in self._listener.networks):
            return Refused.NETWORK
        origin = _origin(address)
        failures = self._failures.get(origin)
        if failures is not None and now < failures.until:
            return Refused.PAUSED
        if self._inside[origin] >= self._listener.connections_per_address:
            return Refused.CROWDED
        if self._inside.total() >= self._listener.connections:
            return Refused.FULL
        return None

    def entered(self, address: IpAddress) -> None:
        self._inside[_origin(address)] += 1

    def left(self, address: IpAddress) -> None:
        origin = _origin(address)
        self._inside[origin] -= 1
        if not self._inside[origin]:
            del self._inside[origin]

    def failed(self, address: IpAddress, now: float) -> float:
        """Note a failure; seconds until the address is let in again."""
        origin = _origin(address)
        before = self._failures.pop(origin, None)
        times = before.times if before and now - before.last < FORGOTTEN_AFTER else 0
        pause = min(FIRST_PAUSE * 2.0 ** min(times, 10), LONGEST_PAUSE)
        self._failures[origin] = _Failures(times + 1, now, now + pause)
        if len(self._failures) > MOST_REMEMBERED:
            self._failures.popitem(last=False)
        return pause

    def succeeded(self, address: IpAddress) -> None:
        self._failures.pop(_origin(address), None)


def read(host: str) -> IpAddress:
    """A peer's address as a socket gives it. IPv4 in IPv6's clothes is IPv4."""
    address = ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _origin(address: IpAddress) -> str:
    """What counts as one peer: of IPv6 a whole /64, which is what one subscriber gets."""
    if address.version == 4:
        return str(address)
    return str(ip_network((address, 64), strict=False))
