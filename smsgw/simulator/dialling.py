"""Dials the gateway again and again, for an SMSC that doesn't wait to be dialled."""

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import NoReturn

from smsgw.clock import Clock
from smsgw.simulator.connection import Connection
from smsgw.simulator.happenings import Happening, NotConnected
from smsgw.simulator.settings import Connect, Outbind


async def keep_dialling(
    dials: Outbind | Connect,
    context: ssl.SSLContext | None,
    redial: float,
    make: Callable[[], Connection],
    clock: Clock,
    tell: Callable[[Happening], None],
) -> NoReturn:
    """Hold one connection at a time until cancelled, with `redial` seconds between two."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            _, connection = await loop.create_connection(make, dials.host, dials.port, ssl=context)
        except OSError as error:
            # asyncio has words of its own for a refused connection, and they name the address.
            number = error.errno or 0  # below zero where a name didn't resolve
            reason = os.strerror(number) if number > 0 else str(error)
            tell(NotConnected(clock.now(), dials.host, dials.port, reason))
        else:
            await asyncio.shield(connection.closed)
        await asyncio.sleep(redial)
