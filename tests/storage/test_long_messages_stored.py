"""Long messages in the store: references, layouts and validity, also after a restart."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from zlib import crc32

import pytest

from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Encoding,
    Layout,
    LongMessages,
    MessageKind,
    Msisdn,
    Mt,
    MtState,
    Outcome,
    Segment,
)
from smsgw.service.replies import Replies
from smsgw.service.retry import VALIDITY, settle
from smsgw.storage import claims, settlements
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import BUCKETS, enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.settlements import recover
from smsgw.storage.tidy import tidy

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
LONG = "Zadalzhenie: 45,20 EUR. " * 10  # two parts
RULES = Rules(Replies(), 0, 0, True, 0.0, 4, UTC)
FORMS: tuple[LongMessages, ...] = ("udh", "udh16", "sar", "payload")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as gateway:
        yield gateway


def encodings(form: LongMessages) -> dict[str, Encoding]:
    return {"mtel": Encoding("gsm7", form)}


def mt(text: str = LONG, to: Msisdn = PHONE, valid_until: float | None = None) -> Mt:
    return Mt("mtel", MessageKind.ANSWER, to, text, T, valid_until=valid_until)


def claim(
    con: sqlite3.Connection, form: LongMessages, new: Sequence[Mt] = (), now: float = T
) -> Sequence[Segment]:
    policy = Policy(RULES, encodings(form), Keyed(b"k" * 32))
    with transaction(con):
        return claims.claim(con, new, {"mtel": 1000}, policy, now).segments


@pytest.mark.parametrize("text", [LONG, "kratko", LONG + "ж"], ids=["long", "short", "ucs2"])
@pytest.mark.parametrize("form", FORMS)
def test_what_was_queued_is_claimed_as_it_was_cut(
    con: sqlite3.Connection, form: LongMessages, text: str
) -> None:
    sent_at_once = claim(con, form, [mt(text, valid_until=T + 99)])
    assert recover(con, T) == {MtState.QUEUED: len(sent_at_once)}
    with transaction(con):
        enqueue(con, [mt(text, valid_until=T + 99)], encodings(form), T)
    # Meanwhile the carrier wants something else: what is cut stays as it is.
    again = claim(con, "udh16" if form == "udh" else "udh")

    count = len(sent_at_once)
    assert [one._replace(attempts=0, lost=0) for one in again[:count]] == list(sent_at_once)
    for first, second in zip(sent_at_once, again[count:], strict=True):
        assert (second.layout, second.total) == (first.layout, first.total)
        assert second.key.part == first.key.part
        assert (second.reference != first.reference) is (first.layout in (Layout.UDH, Layout.SAR))
    assert {one.valid_until for one in again} == {T + 99}
    assert con.execute("SELECT count(*), min(total), max(total) FROM segment").fetchone() == (
        2 * count,
        count,
        count,
    )


@pytest.mark.parametrize(
    ("form", "layout", "segments"),
    [
        ("udh", Layout.UDH, 2),
        ("udh16", Layout.UDH, 2),
        ("sar", Layout.SAR, 2),
        ("payload", Layout.PAYLOAD, 1),
    ],
)
def test_the_layout_is_the_carrier_s(
    con: sqlite3.Connection, form: LongMessages, layout: Layout, segments: int
) -> None:
    claimed = claim(con, form, [mt()])
    assert [(one.layout, one.total) for one in claimed] == [(layout, segments)] * segments


@pytest.mark.parametrize("form", ["udh", "udh16", "sar"])
def test_twenty_long_messages_to_one_handset_have_twenty_references(
    con: sqlite3.Connection, tmp_path: Path, form: LongMessages
) -> None:
    before = claim(con, form, [mt(), mt("kratko")] * 10)
    with closing(open_gateway(tmp_path)) as restarted:
        after = claim(restarted, form, [mt()] * 10)
    references = [one.reference for one in (*before, *after) if one.key.part == 1 < one.total]
    assert len(set(references)) == 20
    assert con.execute("SELECT count(*) FROM reference").fetchone() == (1,)


def test_references_are_counted_by_destination(con: sqlite3.Connection) -> None:
    other = Msisdn("359888123457")
    claimed = claim(con, "udh16", [mt(), mt(to=other), mt(), mt(to=other), mt()])
    assert [one.reference for one in claimed if one.key.part == 1] == [1, 1, 2, 2, 3]


def test_references_take_so_many_rows_and_no_more(con: sqlite3.Connection) -> None:
    phones = [Msisdn(f"3598881{number:05}") for number in range(3 * BUCKETS)]
    with transaction(con):
        enqueue(con, [mt(to=phone) for phone in phones], encodings("udh"), T)
    buckets, last = con.execute("SELECT count(*), sum(last) FROM reference").fetchone()
    assert buckets <= BUCKETS
    assert last == len(phones)


@pytest.mark.parametrize(
    ("form", "last", "following"),
    [
        ("udh", 254, [255, 0, 1]),
        ("udh", 65_534, [255, 0, 1]),
        ("udh16", 65_534, [65_535, 0, 1]),
        ("sar", 65_534, [65_535, 0, 1]),
    ],
)
def test_references_begin_anew(
    con: sqlite3.Connection, form: LongMessages, last: int, following: list[int]
) -> None:
    bucket = crc32(PHONE.digits.encode()) % BUCKETS
    con.execute("INSERT INTO reference VALUES (?, ?)", (bucket, last))
    claimed = claim(con, form, [mt()] * 3)
    assert [one.reference for one in claimed if one.key.part == 1] == following


# -- how long a message is valid ---------------------------------------------------------------

DAY = VALIDITY[MessageKind.ANSWER]


@pytest.mark.parametrize("given", [None, T + 60], ids=["as its kind has it", "as given"])
def test_what_is_no_longer_valid_is_expired(con: sqlite3.Connection, given: float | None) -> None:
    until = T + DAY if given is None else given
    with transaction(con):
        enqueue(con, [mt(valid_until=given)], {}, T)
    assert [one.valid_until for one in claim(con, "udh", now=until)] == [until] * 2
    recover(con, until)

    assert not claim(con, "udh", now=until + 0.1)
    states = con.execute("SELECT DISTINCT state FROM segment").fetchall()
    assert states == [("unconfirmed",)]  # it may have been sent before the crash


@pytest.mark.parametrize("given", [None, T + 60, T + 2 * DAY], ids=["kind", "shorter", "longer"])
def test_what_waits_for_a_carrier_that_is_gone_expires_in_its_time(
    con: sqlite3.Connection, given: float | None
) -> None:
    until = T + DAY if given is None else given
    with transaction(con):
        enqueue(con, [mt("kratko", valid_until=given)], {}, T)
    for now, state in ((until, "queued"), (until + 1, "expired")):
        tidy(con, now)
        assert con.execute("SELECT state FROM segment").fetchall() == [(state,)]


# -- without the vendor's TLVs -------------------------------------------------------------------


def test_what_is_refused_for_its_tlvs_goes_once_more_without_them(con: sqlite3.Connection) -> None:
    with transaction(con):
        enqueue(con, [mt("kratko")], {}, T)

    def refused(segment: Segment) -> None:
        settlement = settle(Outcome(segment, Acceptance.TLVS, T, error="0x000000c1"))
        with transaction(con):
            settlements.settle(con, [settlement], [], [], {}, T)

    (first,) = claim(con, "udh")
    refused(first)
    (second,) = claim(con, "udh")
    refused(second)

    assert (first.bare, second.bare) == (False, True)
    assert not claim(con, "udh")
    assert con.execute("SELECT state, attempts, error FROM segment").fetchall() == [
        ("refused", 2, "0x000000c1")
    ]
