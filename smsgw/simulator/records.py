"""What the simulator remembers, in plain lists, for tests and people to look at.

A record that has a life (a customer's message, a receipt) is one object that changes as it goes
on; the others are written once. Times are seconds since 1970.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from smsgw.smpp import times
from smsgw.smpp.names import Status


class MoState(StrEnum):
    """How far a customer's message has come."""

    WAITING = "waiting"  # for a bind, a place in the window or its next try
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"  # every part, with ESME_ROK
    REFUSED = "refused"  # a part for good
    GIVEN_UP = "given_up"  # after too many refusals for now

    @property
    def final(self) -> bool:
        return self not in (MoState.WAITING, MoState.SENT)


@dataclass(slots=True, eq=False)
class Mo:
    """A message from a customer to the shortcode."""

    number: int  # counted from 1
    source: str
    destination: str
    text: str  # of octets that were given as such: in hex
    parts: int  # that are sent
    state: MoState = MoState.WAITING
    acknowledged: int = 0  # parts
    statuses: tuple[int, ...] = ()  # every answer to it, in order
    attempts: int = 0  # deliver_sm sent, of all parts
    sent_at: float | None = None  # first
    settled_at: float | None = None  # when `state` became final

    @property
    def status(self) -> int | None:
        """The latest answer; None: there was none yet."""
        return self.statuses[-1] if self.statuses else None


class Submit(NamedTuple):
    """One submit_sm, data_sm or deliver_sm of the gateway's, also one that was refused."""

    at: float
    session: int
    status: int  # what it was answered, or would have been, had the response not been lost
    message_id: str  # as the response gives it, a deliver_sm's as it was named; empty if refused
    source: str
    destination: str
    esm_class: int
    data_coding: int
    registered_delivery: int
    octets: bytes
    tlvs: tuple[tuple[int, bytes], ...]
    service_type: str = ""
    validity_period: str = ""

    @property
    def taken(self) -> bool:
        return self.status == Status.ROK

    @property
    def valid_until(self) -> float | None:
        """What its validity_period comes to, in seconds since 1970; None: it says nothing."""
        match times.parse(self.validity_period):
            case datetime() as moment:
                return moment.timestamp()
            case timedelta() as period:
                return self.at + period.total_seconds()
            case None:
                return None


class Mt(NamedTuple):
    """A whole message to a customer, put together from its parts."""

    at: float  # of the last part
    session: int
    source: str
    destination: str
    text: str  # of binary octets: in hex
    parts: int
    data_coding: int
    message_ids: tuple[str, ...]  # of its parts, in their order


@dataclass(slots=True, eq=False)
class Receipt:
    """A delivery receipt that was due."""

    message_id: str  # as the receipt writes it
    destination: str  # the handset
    stat: str
    sent_at: float | None = None  # first
    status: int | None = None  # the latest answer
    settled: bool = False  # it will not be sent again


class Bind(NamedTuple):
    """A bind that an ESME asked for."""

    at: float
    session: int
    command: str
    system_id: str
    peer: str
    status: int
