"""Where a registration's carrier comes from, and what a message over another one changes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Encoding, Mo, Msisdn, Segment
from smsgw.service.ports import Work
from smsgw.service.replies import Company, Replies
from smsgw.service.today import Day
from smsgw.storage import audit, exchange, subscriptions
from smsgw.storage.audit import CUSTOMER, Author, Change, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.policy import Policy
from smsgw.storage.registration import Request, register

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
FIRST, SECOND = "300012345678", "300012345686"
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)
POLICY = Policy(RULES, {"mtel": Encoding(), "telenor": Encoding()}, Keyed(b"k" * 32))
CLERK = Author(POLICY.keyed, Origin(Channel.CENTRE, "ana"), T)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        yield con


def said(con: sqlite3.Connection, text: str, carrier: str) -> list[Segment]:
    """What goes out after the phone wrote over a carrier."""
    mo = Mo(carrier, 1, T, PHONE, "170077", 0, 0, text.encode(), text)
    free = dict.fromkeys(POLICY.encodings, 10)
    work = Work(T, (), (), (), (), (mo,), (), free)
    return list(exchange.commit(con, work, False, POLICY, Day()).claimed)


def by_clerk(con: sqlite3.Connection, number: str, named: str | None, usual: str | None) -> None:
    request = Request(PHONE, number, named, None, Channel.CENTRE, usual)
    with transaction(con):
        register(con, False, request, RULES, POLICY.encodings, CLERK)


def carriers(con: sqlite3.Connection) -> list[str | None]:
    return [one.carrier for one in subscriptions.of_phone(con, PHONE)]


@pytest.mark.parametrize("carrier", ["mtel", "telenor"])
def test_by_the_link_of_the_message(con: sqlite3.Connection, carrier: str) -> None:
    (answer,) = said(con, FIRST, carrier)
    assert (answer.carrier, carriers(con)) == (carrier, [carrier])


@pytest.mark.parametrize(
    ("named", "usual", "expected"),
    [
        pytest.param("telenor", "mtel", "telenor", id="by the channel"),
        pytest.param("telenor", None, "telenor", id="by the channel alone"),
        pytest.param(None, "mtel", "mtel", id="by the number range"),
        pytest.param(None, None, None, id="by nothing"),
    ],
)
def test_without_a_message(
    con: sqlite3.Connection, named: str | None, usual: str | None, expected: str | None
) -> None:
    by_clerk(con, FIRST, named, usual)
    assert carriers(con) == [expected]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param(None, "telenor", id="where it wrote from last"),
        pytest.param("mtel", "mtel", id="named"),
    ],
)
def test_a_further_number_of_a_phone_that_wrote(
    con: sqlite3.Connection, named: str | None, expected: str
) -> None:
    said(con, FIRST, "telenor")
    by_clerk(con, SECOND, named, usual="mtel")
    assert carriers(con) == ["telenor", expected]


def test_a_carrier_in_doubt_says_nothing_of_a_further_number(con: sqlite3.Connection) -> None:
    said(con, FIRST, "telenor")
    con.execute("UPDATE subscription SET suspect_at = 7")
    by_clerk(con, SECOND, None, usual="mtel")
    assert carriers(con) == ["telenor", "mtel"]


@pytest.mark.parametrize("before", [None, "mtel", "gone"])
@pytest.mark.parametrize("text", ["smetka", "help", "no idea", SECOND])
def test_any_message_takes_the_phones_registrations_along(
    con: sqlite3.Connection, before: str | None, text: str
) -> None:
    by_clerk(con, FIRST, before, None)
    (answer,) = said(con, text, "telenor")
    assert answer.carrier == "telenor"
    assert set(carriers(con)) == {"telenor"}
    moved = [one for one in audit.of_phone(con, PHONE) if one.change is Change.MOVED]
    assert [(one.customer_number, one.value, one.origin) for one in moved] == [
        (FIRST, "telenor", CUSTOMER)
    ]


def test_a_message_over_the_same_carrier_moves_nothing(con: sqlite3.Connection) -> None:
    said(con, FIRST, "mtel")
    said(con, "smetka", "mtel")
    assert [one.change for one in audit.of_phone(con, PHONE)] == [Change.REQUESTED]


def test_other_phones_of_the_customer_stay(con: sqlite3.Connection) -> None:
    other = Msisdn("359888123457")
    request = Request(other, FIRST, "mtel", None, Channel.CENTRE)
    with transaction(con):
        register(con, False, request, RULES, POLICY.encodings, CLERK)
    by_clerk(con, FIRST, "mtel", None)
    said(con, "smetka", "telenor")
    assert [one.carrier for one in subscriptions.of_phone(con, other)] == ["mtel"]
    assert carriers(con) == ["telenor"]
