"""Sending by hand: which carrier, how many parts, and what is refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.message import Encoding, Msisdn
from smsgw.storage.database import open_gateway
from smsgw.storage.sending import Request, SendRefusedError, Sent, send

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
ENCODINGS = {"mtel": Encoding(), "telenor": Encoding(default_alphabet="ascii")}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as gateway:
        yield gateway


def sent(
    con: sqlite3.Connection,
    text: str = "x",
    carrier: str | None = None,
    usual: str | None = "mtel",
    max_parts: int = 4,
) -> Sent:
    return send(con, Request(PHONE, text, carrier, usual), ENCODINGS, max_parts, T)


def subscribe(con: sqlite3.Connection, carrier: str | None, number: str = "300000000001") -> None:
    con.execute(
        "INSERT INTO subscription (msisdn, customer_number, state, carrier, script, channel,"
        " notify, requested_at) VALUES (?, ?, 'active', ?, 'latin', 'sms', 0, ?)",
        (PHONE.digits, number, carrier, T),
    )


def test_it_is_queued(con: sqlite3.Connection) -> None:
    assert sent(con, "здравей") == Sent(1, "mtel", 1, "ucs2")
    assert con.execute("SELECT kind, carrier, msisdn, text, created_at FROM mt").fetchall() == [
        (3, "mtel", PHONE.digits, "здравей", T)
    ]
    assert con.execute("SELECT carrier, state, part FROM segment").fetchall() == [
        ("mtel", "queued", 1)
    ]
    assert sent(con, "x" * 161) == Sent(2, "mtel", 2, "gsm7")


@pytest.mark.parametrize(
    ("named", "subscribed", "usual", "expected"),
    [
        ("telenor", "mtel", "mtel", "telenor"),
        (None, "telenor", "mtel", "telenor"),
        (None, None, "mtel", "mtel"),
    ],
)
def test_the_carrier(
    con: sqlite3.Connection, named: str | None, subscribed: str | None, usual: str, expected: str
) -> None:
    subscribe(con, None)
    if subscribed:
        subscribe(con, subscribed, "300000000002")
    assert sent(con, carrier=named, usual=usual).carrier == expected


@pytest.mark.parametrize(
    ("text", "carrier", "usual", "reason"),
    [
        ("x", None, None, "nothing says which carrier 359888123456 is with: name one"),
        ("x", "vivacom", "mtel", "carrier vivacom is not enabled: name another"),
        ("x", None, "vivacom", "359888123456 is with vivacom, which is not enabled: name another"),
        ("x\ud83d", None, "mtel", "octets that are no characters: is it written in UTF-8"),
        ("x" * 613, None, "mtel", "takes 5 parts, and replies.max_parts is 4: shorten it"),
        ("x" * 40_000, None, "mtel", "takes 262 parts, and a message has 255 at most"),
        ("§" * 71 * 4, "telenor", None, "takes 5 parts"),
    ],
)
def test_what_is_not_sent(
    con: sqlite3.Connection, text: str, carrier: str | None, usual: str | None, reason: str
) -> None:
    with pytest.raises(SendRefusedError, match=reason):
        sent(con, text, carrier, usual)
    assert con.execute("SELECT count(*) FROM mt").fetchone() == (0,)


def test_what_goes_as_one_payload_is_paid_by_the_part(con: sqlite3.Connection) -> None:
    request = Request(PHONE, "x" * 161, "mtel")
    encodings = {"mtel": Encoding(long_messages="payload")}
    assert send(con, request, encodings, 4, T) == Sent(1, "mtel", 2, "gsm7")
    assert con.execute("SELECT count(*) FROM segment").fetchone() == (1,)
    with pytest.raises(SendRefusedError, match="takes 5 parts"):
        send(con, request._replace(text="x" * 613), encodings, 4, T)


def test_without_a_bound(con: sqlite3.Connection) -> None:
    assert sent(con, "x" * 2000, max_parts=0).parts == 14
