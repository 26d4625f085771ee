"""The alarms of one session."""

import math

import pytest

from smsgw.smpp.timers import Alarm, Limits, Timers

LIMITS = Limits(enquire_link=30, response_timeout=60, bind_timeout=10, inactivity=100)


def bound(limits: Limits = LIMITS, now: float = 0.0) -> Timers:
    timers = Timers(limits, 0.0)
    timers.bound(now)
    return timers


def test_a_new_session_has_to_be_bound() -> None:
    timers = Timers(LIMITS, 5.0)
    assert timers.deadline == 15.0
    assert timers.due(14.9) is None
    assert timers.due(15.0) is Alarm.NOT_BOUND
    timers.heard(12.0)
    timers.worked(12.0)
    assert timers.deadline == 15.0, "nothing but the bind counts"


@pytest.mark.parametrize(
    ("limits", "deadline", "alarm"),
    [
        (LIMITS, 30.0, Alarm.ENQUIRE),
        (Limits(enquire_link=0, inactivity=100), 100.0, Alarm.INACTIVE),
        (Limits(enquire_link=30, inactivity=0), 30.0, Alarm.ENQUIRE),
        (Limits(enquire_link=100, inactivity=30), 30.0, Alarm.INACTIVE),
        (Limits(enquire_link=0, inactivity=0), math.inf, None),
    ],
    ids=["both", "no enquire_link", "no inactivity", "inactivity first", "none"],
)
def test_a_bound_session_is_watched(limits: Limits, deadline: float, alarm: Alarm | None) -> None:
    timers = bound(limits)
    assert timers.deadline == deadline
    assert timers.due(1000.0) is alarm
    assert timers.due(29.0) is None


def test_hearing_puts_the_question_off() -> None:
    timers = bound()
    timers.heard(20.0)
    assert timers.deadline == 50.0


def test_a_question_waits_for_anything() -> None:
    timers = bound()
    timers.asked(30.0)
    assert timers.due(89.9) is None
    assert timers.due(90.0) is Alarm.SILENT
    timers.heard(69.0)
    assert timers.due(98.9) is None
    assert timers.due(99.0) is Alarm.ENQUIRE


def test_only_messages_are_work() -> None:
    timers = bound()
    for now in range(10, 100, 10):
        timers.heard(float(now))
    assert timers.due(100.0) is Alarm.INACTIVE
    timers.worked(60.0)
    timers.heard(140.0)
    assert timers.due(159.9) is None
    assert timers.due(160.0) is Alarm.INACTIVE


def test_hearing_and_work_set_no_alarm_that_is_off() -> None:
    timers = bound(Limits(enquire_link=0, inactivity=0))
    timers.heard(1.0)
    timers.worked(1.0)
    assert timers.deadline == math.inf


def test_leaving_has_one_alarm() -> None:
    timers = bound()
    timers.unbinding(10.0)
    timers.heard(20.0)
    timers.worked(20.0)
    assert timers.deadline == 70.0
    assert timers.due(70.0) is Alarm.NOT_UNBOUND


def test_the_answer_to_an_unbind_has_one_alarm_that_can_come_sooner() -> None:
    timers = bound(Limits(response_timeout=2))
    timers.unbound(10.0)
    timers.heard(11.0)
    timers.worked(11.0)
    assert timers.deadline == 12.0
    assert timers.due(12.0) is Alarm.UNBOUND
    timers.parted(11.5)
    assert timers.due(11.5) is Alarm.UNBOUND


def test_a_closed_session_has_none() -> None:
    timers = bound()
    timers.closed()
    timers.heard(1.0)
    assert timers.deadline == math.inf
    assert timers.due(1e9) is None


def test_the_default_limits_are_those_of_the_configuration() -> None:
    assert Limits() == Limits(
        window=50,
        enquire_link=30.0,
        response_timeout=60.0,
        bind_timeout=30.0,
        inactivity=0.0,
        pdu_limit=70_000,
    )
