"""Whom a listener lets in, as a function of addresses and time."""

from typing import Any

import pytest

from smsgw.carrier.gate import MOST_REMEMBERED, Gate, Refused, read
from smsgw.settings.transport import Listener


def gate(**keys: Any) -> Gate:
    return Gate(
        Listener.model_validate(
            {"listen": "127.0.0.1:1", "system_id": "mtel", "password": "hush", **keys}
        )
    )


@pytest.mark.parametrize(
    ("networks", "address", "refused"),
    [
        (["10.0.0.0/8"], "10.1.2.3", None),
        (["10.0.0.0/8"], "11.1.2.3", Refused.NETWORK),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", None),
        (["2001:db8::/32"], "2001:db8::1", None),
        (["2001:db8::/32"], "10.1.2.3", Refused.NETWORK),
        (["fe80::/10"], "fe80::1%eth0", None),
        (["192.0.2.7"], "192.0.2.7", None),
        (["0.0.0.0/0", "::/0"], "8.8.8.8", None),
        (["0.0.0.0/0", "::/0"], "2001:db8::1", None),
        ([], "127.0.0.1", Refused.NETWORK),
    ],
)
def test_networks(networks: list[str], address: str, refused: Refused | None) -> None:
    assert gate(networks=networks).refusal(read(address), 0) is refused


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("10.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("10.0.0.2", False),
    ],
)
def test_an_ipv4_address_is_one_peer(other: str, same: bool) -> None:
    one = gate(connections_per_address=1)
    one.entered(read("10.0.0.1"))
    assert one.refusal(read(other), 0) is (Refused.CROWDED if same else None)


@pytest.mark.parametrize(
    ("other", "same"), [("fd00::1", True), ("fd00::ffff:1", True), ("fd00:0:0:1::1", False)]
)
def test_a_subnet_of_ipv6_is_one_peer(other: str, same: bool) -> None:
    one = gate()
    one.failed(read("fd00::1"), 0)
    assert one.refusal(read(other), 0.5) is (Refused.PAUSED if same else None)


def test_places_come_back() -> None:
    one = gate(connections=2, connections_per_address=1)
    first, second, third = (read(f"10.0.0.{number}") for number in (1, 2, 3))
    one.entered(first)
    one.entered(second)
    assert one.refusal(third, 0) is Refused.FULL
    one.left(first)
    assert one.refusal(third, 0) is None
    assert one.refusal(second, 0) is Refused.CROWDED


def test_pauses_double_and_are_forgotten() -> None:
    one, address = gate(), read("10.0.0.1")
    now, pauses = 0.0, []
    for _ in range(9):
        pauses.append(one.failed(address, now))
        assert one.refusal(address, now + pauses[-1] - 0.01) is Refused.PAUSED
        now += pauses[-1]
        assert one.refusal(address, now) is None
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert one.failed(address, now + 600) == 1
    one.failed(address, now + 600)
    one.succeeded(address)
    assert one.refusal(address, now + 600) is None
    assert one.failed(address, now + 600) == 1


def test_what_is_remembered_is_bounded() -> None:
    one = gate()
    for number in range(MOST_REMEMBERED + 100):
        one.failed(read(f"10.0.{number // 256}.{number % 256}"), 0)
    assert len(one._failures) == MOST_REMEMBERED
    assert one.refusal(read("10.0.0.99"), 0.5) is None
    assert one.refusal(read("10.0.0.100"), 0.5) is Refused.PAUSED
