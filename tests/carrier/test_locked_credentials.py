"""Credentials that were refused: nobody tries them before their time, for whatever purpose."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from smsgw.carrier.dialling import BACK_SECONDS
from smsgw.service.ports import LinkStatus
from smsgw.smpp.tables import Command, Status

Play = Callable[..., list[Any]]

PAIR = "transmitter+receiver"
RX, TX = Command.BIND_RECEIVER, Command.BIND_TRANSMITTER


def peers(smsc: Any, command: int) -> list[Any]:
    return [
        peer
        for bind, peer in zip(smsc.binds, smsc.peers, strict=True)
        if bind.command == command and peer.closed_at is None
    ]


def test_lost_halves_wait_for_them_together(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.state().sessions == 4)
        bench.smsc.refusals[TX] = Status.RINVPASWD
        for peer in peers(bench.smsc, TX):
            peer.transport.abort()
        await bench.until(lambda: len(bench.smsc.binds) == 6)
        assert bench.smsc.dials == pytest.approx([0, 0, 0, 0, 1, 121], abs=1)
        assert len(peers(bench.smsc, RX)) == 2, "kept meanwhile"
        bench.smsc.refusals.clear()
        await bench.until(lambda: bench.link.state().sessions == 4)

    play(scenario, bind=PAIR, sessions=2)


def test_a_search_locks_the_halves_out_too(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.state().sessions == 4)
        bench.smsc.refusal = Status.RINVPASWD
        first_rx, second_rx = peers(bench.smsc, RX)
        first_tx, second_tx = peers(bench.smsc, TX)
        first_rx.transport.abort()
        first_tx.transport.abort()
        await bench.until(lambda: len(bench.smsc.binds) == 5)
        second_tx.transport.abort()
        await asyncio.sleep(100)
        assert len(bench.smsc.binds) == 5
        assert second_rx.closed_at is None

    play(scenario, bind=PAIR, sessions=2)


def test_who_moves_back_tries_them_once_for_all(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await bench.until(lambda: bench.link.state().sessions == 3)
        await bench.smsc.open(bench.smsc.port)
        bench.smsc.refusal = Status.RINVSYSID
        await asyncio.sleep(3 * BACK_SECONDS + 10)
        assert bench.smsc.dials == pytest.approx([600, 1200, 1800], abs=2)
        assert bench.link.state().sessions == 3
        assert bench.status is LinkStatus.BOUND
        bench.smsc.refusal = None
        await asyncio.sleep(2 * BACK_SECONDS)
        assert len([peer for peer in bench.smsc.peers if peer.closed_at is None]) == 3

    logs = play(scenario, two_hosts=True, sessions=3)
    assert "link.lost" not in [each["event"] for each in logs]
