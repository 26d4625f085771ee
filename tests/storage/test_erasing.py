"""Erasing a person while messages are on their way, killed at any step, and what stays."""

import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Channel,
    MessageKind,
    Msisdn,
    Receipt,
    ReceiptState,
    Script,
)
from smsgw.service.report import Books
from smsgw.storage import (
    audit,
    counts,
    database,
    erasing,
    requests,
    stops,
    subscriptions,
    tidy,
)
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.erasing import Erased
from smsgw.storage.pace import Pace
from smsgw.storage.registration import Refusal, RegistrationRefusedError, Request, register

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER = "300012345678"
KEYED = Keyed(b"k" * 32)
CLERK = Author(KEYED, Origin(Channel.CENTRE, "ana"), T + 10)
BOOKS = Books(KEYED, UTC)


def erase(con: sqlite3.Connection, msisdn: Msisdn = PHONE) -> Erased:
    pace = Pace(lambda: 0.0, lambda _: None)
    return erasing.erase(con, msisdn, BOOKS, CLERK, pace, lambda _: None)


def states(con: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return con.execute("SELECT mt_id, state FROM segment ORDER BY 1").fetchall()


def receipt(message_id: str, at: float = T + 20) -> Receipt:
    return Receipt("mtel", at, message_id, ReceiptState.DELIVERED, "", PHONE)


def digits(con: sqlite3.Connection) -> list[str]:
    """The tables in which the phone stands."""
    tables = con.execute(
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    ).fetchall()
    found = []
    for table, column in tables:
        query = f'SELECT count(*) FROM "{table}" WHERE "{column}" LIKE ?'
        if con.execute(query, (f"%{PHONE.digits[3:]}%",)).fetchone()[0]:
            found.append(f"{table}.{column}")
    return found


def test_what_waits_is_never_sent(gateway: Any) -> None:
    (sent,) = gateway.send(MessageKind.MANUAL)
    with transaction(gateway.con):
        gateway.con.execute("UPDATE segment SET state = 'queued', lost = 1")
    gateway.commit(T + 1)
    assert erase(gateway.con).messages_out == 1
    assert gateway.commit(T + 11, free=10).claimed == []
    row = gateway.con.execute("SELECT state, msisdn, text FROM history_mt").fetchone()
    assert row == ("unconfirmed", None, None), "it was sent once, and that got lost"
    assert digits(gateway.con) == []
    assert sent.destination == PHONE


def test_a_receipt_settles_what_was_on_the_way(gateway: Any) -> None:
    (sent,) = gateway.send(MessageKind.MANUAL)
    gateway.settled(sent, acceptance=Acceptance.ACCEPTED, message_id="A")
    assert erase(gateway.con).on_the_way == 1
    gateway.commit(T + 20, receipts=[receipt("A")])
    assert states(gateway.con) == [(1, "delivered")]
    assert digits(gateway.con) == []


@pytest.mark.parametrize(
    ("acceptance", "state"),
    [
        pytest.param(Acceptance.LOST, "unconfirmed", id="its response is lost"),
        pytest.param(Acceptance.NOT_SENT, "expired", id="it was not sent after all"),
        pytest.param(Acceptance.TEMPORARY, "expired", id="it is to be sent later"),
    ],
)
def test_what_was_being_sent_is_not_sent_again(
    gateway: Any, acceptance: Acceptance, state: str
) -> None:
    (sent,) = gateway.send(MessageKind.ANSWER)
    erase(gateway.con)
    gateway.settled(sent, acceptance=acceptance, now=T + 11)
    for hours in (0, 1, 23):
        assert gateway.commit(T + 100 + hours * 3600, free=10).claimed == []
    assert states(gateway.con) == [(1, state)]
    assert digits(gateway.con) == []


def test_what_is_unknown_ends(gateway: Any) -> None:
    (sent,) = gateway.send(MessageKind.NOTICE)
    gateway.settled(sent, acceptance=Acceptance.LOST)
    assert states(gateway.con) == [(1, "unknown")]
    erase(gateway.con)
    assert gateway.commit(T + 1000, free=10).claimed == [], "notices are sent once more, else"
    assert states(gateway.con)[0][1] in ("unconfirmed", "queued")
    assert gateway.commit(T + 1001, free=10).claimed == []
    assert digits(gateway.con) == []


def test_receipts_that_come_later_are_nobodys(gateway: Any) -> None:
    gateway.send(MessageKind.MANUAL)
    erase(gateway.con)
    gateway.commit(T + 20, receipts=[receipt("unknown id")])
    assert gateway.con.execute("SELECT message_id, msisdn FROM parked_receipt").fetchall() == [
        ("unknown id", None)
    ]
    tidy.tidy(gateway.con, T + 20 + tidy.PARKED_FOR + 1)
    assert digits(gateway.con) == []


def test_a_refusal_for_its_carrier_finds_nobody(gateway: Any) -> None:
    (sent,) = gateway.send(MessageKind.MANUAL)
    erase(gateway.con)
    gateway.settled(sent, acceptance=Acceptance.PERMANENT, now=T + 11)
    assert states(gateway.con) == [(1, "refused")]
    assert gateway.con.execute("SELECT count(*) FROM search").fetchone() == (0,)


def test_a_stop_outlives_it(gateway: Any) -> None:
    with transaction(gateway.con):
        stops.enter(gateway.con, KEYED, PHONE, T)
    gateway.send(MessageKind.MANUAL)
    assert erase(gateway.con).anything
    request = Request(PHONE, NUMBER, None, None, Channel.EASYPAY)
    with pytest.raises(RegistrationRefusedError) as refused, transaction(gateway.con):
        register(gateway.con, False, request, None, {}, CLERK)  # type: ignore[arg-type]
    assert refused.value.reason is Refusal.STOPPED
    assert not erase(gateway.con).anything


def test_others_keep_what_is_theirs(gateway: Any) -> None:
    for phone in (PHONE, OTHER):
        one = Subscription(
            phone, NUMBER, SubscriptionState.ACTIVE, "mtel", Script.LATIN, Channel.SMS, T
        )
        with transaction(gateway.con):
            subscriptions.add(gateway.con, one, notify=True, author=CLERK)
    gateway.send(MessageKind.MANUAL, to=OTHER)
    assert erase(gateway.con).registrations == 1
    assert [one.msisdn for one in subscriptions.of_others(gateway.con, NUMBER, PHONE)] == [OTHER]
    assert [one.msisdn for one in audit.of_number(gateway.con, NUMBER)] == [OTHER]
    assert audit.broken(gateway.con, KEYED) is None
    assert gateway.con.execute("SELECT msisdn FROM mt").fetchall() == [(OTHER.digits,)]
    entry = gateway.con.execute("SELECT change, who, msisdn FROM audit ORDER BY id DESC").fetchone()
    assert entry == ("erased", "ana", None)


@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("Obadete se na 0888 12 34 56", True),
        ("+359-888-123-456", True),
        ("０８８８１２３４５６", True),
        ("888123457", False),
        ("smetka 300012345678", False),
    ],
)
def test_texts_of_others_that_name_the_phone(gateway: Any, text: str, dropped: bool) -> None:
    with transaction(gateway.con):
        for table in ("history_mo", "mo"):
            columns = (
                "parts, repeats" if table == "history_mo" else
                "session, destination, esm_class, data_coding, octets"
            )  # fmt: skip
            values = "1, 0" if table == "history_mo" else "1, '170077', 0, 0, x'00'"
            gateway.con.execute(
                f"INSERT INTO {table} (received_at, carrier, msisdn, text, intent, {columns})"
                f" VALUES (?, 'mtel', ?, ?, 'unknown', {values})",
                (T, OTHER.digits, text),
            )
    assert erase(gateway.con).others == 2 * dropped
    left = gateway.con.execute("SELECT ifnull(text, '') FROM history_mo UNION ALL"
                               " SELECT text FROM mo").fetchall()  # fmt: skip
    assert left == [("" if dropped else text,)] * 2


def test_answers_that_are_kept_for_repeated_requests_go(gateway: Any) -> None:
    con = gateway.con
    with transaction(con):
        con.execute(
            "INSERT INTO api_key (id, name, digest, channel, scopes, made_at, made_by)"
            " VALUES (1, 'p', x'', 'web', '', 0, '')"
        )
    asked = requests.Asked(T, 1, "send", "once", b"f", requests.person(KEYED, PHONE))
    requests.carry_out(con, asked, lambda _: requests.Answer(201, {"msisdn": PHONE.digits}))
    assert digits(con) == ["request.answer"]
    erase(con)
    assert digits(con) == []
    with pytest.raises(requests.RepeatedError, match="no longer kept"):
        requests.carry_out(con, asked, lambda _: requests.Answer(201, {}))


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("step", range(1, 5))
def test_cut_off_it_is_finished_by_doing_it_again(
    gateway: Any, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """What dies between two transactions leaves each of them whole."""
    for kind in (MessageKind.MANUAL, MessageKind.ANSWER):
        (sent,) = gateway.send(kind)
        gateway.settled(sent, acceptance=Acceptance.ACCEPTED, message_id=kind.name)
    gateway.send(MessageKind.MANUAL)
    one = Subscription(
        PHONE, NUMBER, SubscriptionState.ACTIVE, "mtel", Script.LATIN, Channel.SMS, T
    )
    with transaction(gateway.con):
        subscriptions.add(gateway.con, one, notify=True, author=CLERK)
    steps = 0
    begun = database.transaction

    def killed(con: sqlite3.Connection) -> Any:
        nonlocal steps
        steps += 1
        if steps == step:
            raise _KilledError
        return begun(con)

    for module in (erasing, counts):
        monkeypatch.setattr(module, "transaction", killed)
    try:
        erase(gateway.con)
    except _KilledError:
        assert not gateway.con.in_transaction
    erase(gateway.con)
    assert digits(gateway.con) == []
    assert audit.broken(gateway.con, KEYED) is None
    assert steps >= 5, "it takes some transactions"


def test_a_database_of_before_is_written_anew(tmp_path: Path) -> None:
    with closing(open_gateway(tmp_path)) as con:
        con.execute("PRAGMA secure_delete = OFF").fetchone()
        con.execute("CREATE TABLE scrap AS SELECT '359888123456' AS x")
        con.execute("DROP TABLE scrap")
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert b"359888123456" in (tmp_path / "gateway.db").read_bytes()
        con.execute("DROP TABLE erased_registration")
        con.execute("DROP TABLE erased_person")
        for index in ("history_mo_text", "history_mt_text", "evidence_kept"):
            con.execute(f"DROP INDEX {index}")
        con.execute("PRAGMA user_version = 9")
    with closing(open_gateway(tmp_path)) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert b"359888123456" not in (tmp_path / "gateway.db").read_bytes()
