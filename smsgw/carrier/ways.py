"""What a link and the way its sessions come to be (dialling, listening) ask of each other."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.backoff import Trouble
from smsgw.carrier.connection import Connection
from smsgw.carrier.keeper import Asked, not_asked
from smsgw.service.ports import LinkStatus
from smsgw.settings.types import Address
from smsgw.smpp.session import Role


class Failure(NamedTuple):
    """Why there is no session."""

    event: str  # of the log
    trouble: Trouble
    reason: str
    place: int = 0  # of the host, in the order of the settings


class Holder(Protocol):
    """A link, as the way its sessions come to be uses it.

    It notices by itself when a connection of its own is bound and when it ends.
    """

    @property
    def wanted(self) -> asyncio.Event:
        """Set while there should be sessions: not while the link is drained, or stops."""

    @property
    def log(self) -> FilteringBoundLogger: ...

    def connection(
        self, role: Role, log: FilteringBoundLogger, asked: Asked = not_asked
    ) -> Connection:
        """A connection with a new session, on which `log` says what happens.

        `asked` decides on what the peer asks before it is bound.
        """

    def turn(self, status: LinkStatus) -> None:
        """Note what is done to have a session. While the link has one it is BOUND all the same."""

    def failed(self, failure: Failure) -> None:
        """Note why a session ended or did not come to be."""

    def bind_tried(self) -> None:
        """Count a bind that was sent."""

    def bind_refused(self, status: int) -> None:
        """Count a bind that the peer refused."""

    async def leave(self, connection: Connection, within: float) -> None:
        """Let a connection drain for at most `within` seconds, unbind and close it."""


class Way(Protocol):
    """How the sessions of a link come to be."""

    @property
    def addresses(self) -> Sequence[Address]:
        """Where it listens."""

    async def run(self) -> None:
        """Bring sessions to the link while they are wanted, until cancelled.

        No connection is left open then.
        """

    def hurry(self) -> None:
        """Someone wants sessions now: try again without waiting for the time to do so."""
