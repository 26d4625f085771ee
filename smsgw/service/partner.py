"""Partners: programs outside that ask over HTTP, each with a key of its own."""

from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service.message import Channel


class Scope(StrEnum):
    """What a key may be used for."""

    REGISTRATIONS = "registrations"  # make, see and end those of its own channel; a centre's: all
    BILLING = "billing"  # feeds, payments, bills
    MESSAGES = "messages"  # send, and see what became of it
    NOTICES = "notices"  # plan and make runs, watch and stop them
    REPORTS = "reports"
    LOOKUPS = "lookups"  # what happened to a phone or a customer number, and their bills
    PERSONS = "persons"  # a person's data: export and erase; phone numbers in full


# By which door a partner's registrations come. By message and by file they come otherwise.
DOORS: Final = (Channel.WEB, Channel.CENTRE, Channel.EASYPAY, Channel.API)

# What a new key may be used for where nothing else is said.
USUAL: Final[dict[Channel, frozenset[Scope]]] = {
    Channel.WEB: frozenset({Scope.REGISTRATIONS}),
    Channel.CENTRE: frozenset({Scope.REGISTRATIONS, Scope.LOOKUPS}),
    Channel.EASYPAY: frozenset({Scope.REGISTRATIONS}),
    Channel.API: frozenset(),
}


class Partner(NamedTuple):
    """Who a key stands for. Times are seconds since 1970."""

    id: int
    name: str
    channel: Channel
    scopes: frozenset[Scope]
    rate: float | None  # requests a second, 0: no bound; None: as the configuration has it
    made_at: float
    made_by: str
    revoked_at: float | None
    revoked_by: str | None

    @property
    def sees_all(self) -> bool:
        """Whether registrations of other channels are its business, too."""
        return self.channel is Channel.CENTRE
