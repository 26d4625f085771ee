"""The rule on redeliveries, line by line."""

from smsgw.service.duplicates import EQUAL, Key, Recent, Remembered, key
from smsgw.service.message import Mo, Msisdn
from smsgw.text.userdata import Joining, Part

WINDOW, TIMEOUT = 600.0, 60.0


def recent(limit: int = 1000) -> Recent:
    return Recent(WINDOW, {"mtel": TIMEOUT}, limit)


def mo(at: float, session: int = 1, text: str = "smetka", source: str = "359888123456") -> Mo:
    return Mo("mtel", session, at, Msisdn(source), "170077", 0, 0, text.encode("ascii"), text)


def test_the_same_text_twice_on_a_healthy_session_is_two_messages() -> None:
    seen = recent()
    seen.remember(mo(0))

    assert seen.absorb(mo(1)) is None


def test_a_session_that_ended_soon_after_puts_its_mos_in_doubt() -> None:
    seen = recent()
    stored = seen.remember(mo(0))
    seen.session_ended(1, TIMEOUT)

    assert seen.absorb(mo(100, session=2)) is stored


def test_a_session_that_ended_long_after_does_not() -> None:
    seen = recent()
    seen.remember(mo(0))
    seen.session_ended(1, TIMEOUT + 0.1)

    assert seen.absorb(mo(100, session=2)) is None


def test_an_mo_read_from_a_session_that_had_ended_meanwhile_is_in_doubt() -> None:
    seen = recent()
    seen.session_ended(1, 0.5)
    stored = seen.remember(mo(0))

    assert seen.absorb(mo(1, session=2)) is stored


def test_a_late_acknowledgement_puts_it_in_doubt_on_a_living_session_too() -> None:
    seen = recent()
    stored = seen.remember(mo(0))
    stored.late = True

    assert seen.absorb(mo(12)) is stored


def test_one_redelivery_acknowledged_on_a_lasting_session_is_the_last() -> None:
    seen = recent()
    seen.remember(mo(0))
    seen.session_ended(1, 1)

    assert seen.absorb(mo(2, session=2)) is not None
    assert seen.absorb(mo(3, session=2)) is None


def test_a_redelivery_whose_session_ends_too_is_followed_by_another() -> None:
    seen = recent()
    stored = seen.remember(mo(0))
    seen.session_ended(1, 1)
    seen.absorb(mo(2, session=2))
    seen.session_ended(2, 3)

    assert seen.absorb(mo(4, session=3)) is stored


def test_two_equal_mos_absorb_one_redelivery_each() -> None:
    seen = recent()
    first, second = seen.remember(mo(0)), seen.remember(mo(1))
    seen.session_ended(1, 2)

    assert seen.absorb(mo(3, session=2)) is first
    assert seen.absorb(mo(3, session=2)) is second
    assert seen.absorb(mo(3, session=2)) is None


def test_what_differs_in_anything_is_new() -> None:
    seen = recent()
    one = mo(0)
    seen.remember(one)
    seen.session_ended(1, 1)

    for other in (
        one._replace(carrier="vivacom"),
        one._replace(source=Msisdn("359888123457")),
        one._replace(destination="1700"),
        one._replace(esm_class=0x40),
        one._replace(data_coding=8),
        one._replace(octets=b"SMETKA"),
    ):
        assert seen.absorb(other._replace(session=2, received_at=2.0)) is None


def test_the_window_closes() -> None:
    seen = recent()
    seen.remember(mo(0))
    seen.session_ended(1, 1)

    assert seen.absorb(mo(WINDOW + 1, session=2)) is None


def test_what_could_not_be_stored_absorbs_nothing() -> None:
    seen = recent()
    seen.forget(seen.remember(mo(0)))
    seen.session_ended(1, 1)

    assert seen.absorb(mo(2, session=2)) is None


def remembered(mo_id: int, one: Mo, late: bool = False) -> Remembered:
    return Remembered(mo_id, key(one), one.received_at, one.session, one.received_at, late)


def test_after_a_restart_a_session_without_an_end_died_with_its_process() -> None:
    seen = recent()
    seen.restore([remembered(7, mo(0)), remembered(8, mo(0, session=2, text="help"))], {2: 300.0})

    absorbed = seen.absorb(mo(400, session=3))
    assert absorbed is not None
    assert absorbed.mo == 7
    assert seen.absorb(mo(400, session=3, text="help")) is None  # 2 lived on for 300 s


def test_after_a_restart_a_late_acknowledgement_is_still_late() -> None:
    seen = recent()
    seen.restore([remembered(7, mo(0), late=True)], {1: 599.0})

    assert seen.absorb(mo(599.5, session=2)) is not None


def test_memory_is_given_back_when_nothing_can_come_into_doubt() -> None:
    seen = recent()
    for second in range(100):
        seen.remember(mo(float(second), text=f"text {second}"))
    seen.sweep(TIMEOUT + 50)

    assert len(seen) == 50
    seen.sweep(TIMEOUT + 1000)
    assert len(seen) == 0
    assert not seen._by_key


def test_what_is_in_doubt_is_kept_until_the_window_closes() -> None:
    seen = recent()
    stored = seen.remember(mo(0))
    seen.session_ended(1, 1)
    seen.sweep(WINDOW - 1)

    assert seen.absorb(mo(WINDOW - 1, session=2)) is stored
    seen.sweep(WINDOW + TIMEOUT + 100)
    assert len(seen) == 0


def test_a_delivery_again_does_not_hold_up_the_sweep_of_others() -> None:
    seen = recent()
    seen.remember(mo(0))
    seen.session_ended(1, 1)
    seen.remember(mo(2, session=2, text="other"))
    seen.absorb(mo(500, session=2))
    seen.sweep(501)

    assert set(seen._by_key) == {key(mo(0))}


def test_the_number_remembered_is_bounded() -> None:
    seen = recent(limit=10)
    for second in range(50):
        seen.remember(mo(0.0, text=f"text {second}"))
        seen.sweep(0.0)

    assert len(seen) == 10
    assert Key("mtel", "359888123456", "170077", 0, 0, b"text 0") not in seen._by_key


def test_of_very_many_equal_mos_the_last_are_remembered() -> None:
    seen = recent()
    stored = [seen.remember(mo(float(second) / 100)) for second in range(EQUAL + 5)]
    seen.session_ended(1, 10)

    assert seen.absorb(mo(11, session=2)) is stored[5]
    seen.sweep(1000)
    assert not seen._by_key


def test_parts_of_equal_octets_are_told_apart() -> None:
    first = mo(0)._replace(part=Part(5, 2, 1, Joining.SAR))
    second = mo(2, session=2)._replace(part=Part(5, 2, 2, Joining.SAR))
    seen = recent()
    stored = seen.remember(first)
    seen.session_ended(1, 1)

    assert seen.absorb(second) is None
    assert seen.absorb(mo(2, session=2)) is None
    assert seen.absorb(first._replace(received_at=2, session=2)) is stored


def test_of_a_long_message_no_more_is_kept_than_of_a_short_one() -> None:
    seen = recent()
    stored = seen.remember(mo(0, text="a" * 60_000))
    seen.remember(mo(0, text="a" * 59_999))
    seen.session_ended(1, 1)

    assert len(stored.key.octets) < 100
    assert seen.absorb(mo(2, session=2, text="a" * 60_000)) is stored
    assert seen.absorb(mo(2, session=2, text="b" * 60_000)) is None


def test_a_long_message_is_known_again_after_a_restart() -> None:
    message = mo(0, text="a" * 60_000)
    seen = recent()
    seen.restore([Remembered(7, key(message), 0, 1, 0, False)], {})

    absorbed = seen.absorb(mo(2, session=2, text="a" * 60_000))
    assert absorbed is not None
    assert absorbed.mo == 7
