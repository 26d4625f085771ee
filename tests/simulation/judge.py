"""What must hold, whatever went wrong: judged on the database and on the carriers' own records."""

import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from plan import Customer, MoPart, Plan
from record import Signature, Taken
from smsc import Smsc

from smsgw.service.message import FINAL, TRANSITIONS, MessageKind, MtState
from smsgw.service.retry import SENT_ONCE_MORE
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.smpp.names import MessageState, Status

MOST: Final = 50  # violations that are written down
MARGIN: Final = 0.001  # seconds: of two things that close together either may be first

Key = tuple[int, int]

SEGMENTS: Final = """
SELECT segment.mt_id, part, segment.carrier, msisdn, data_coding, octets, segment.kind, state,
       not_before, message_id, error, attempts, lost, layout, reference, total
FROM segment JOIN mt ON mt.id = segment.mt_id
"""

SAID: Final = {
    MessageState.DELIVERED: MtState.DELIVERED,
    MessageState.UNDELIVERABLE: MtState.UNDELIVERED,
    MessageState.EXPIRED: MtState.UNDELIVERED,
}


class Row(NamedTuple):
    """A segment as the database has it."""

    mt: int
    part: int
    carrier: str
    msisdn: str
    data_coding: int
    octets: bytes
    kind: int
    state: str
    not_before: float | None
    message_id: str | None
    error: str | None
    attempts: int
    lost: int
    layout: str
    reference: int
    total: int

    @property
    def key(self) -> Key:
        return self.mt, self.part

    @property
    def signature(self) -> Signature:
        place = (self.reference & 0xFFFF, self.total, self.part) if self.layout == "sar" else None
        return self.carrier, self.msisdn, self.data_coding, self.octets, place

    def __str__(self) -> str:
        return f"{MessageKind(self.kind).name} {self.mt}/{self.part} {self.state}"


class Turn(NamedTuple):
    """A segment came into a state."""

    state: str
    began: float  # its transaction was put together
    at: float  # and committed


class Judge:
    """Collects what went against the rules in `violations`; what went out twice in `doubled`."""

    def __init__(self, plan: Plan, settings: Settings, log: Callable[[str, str], None]) -> None:
        self.violations: list[str] = []
        self.doubled: Counter[str] = Counter()  # segments that a carrier took twice, by kind
        self.taken_twice = 0  # MOs whose acknowledgement vanished on a connection that fell silent
        self.mistaken = 0  # segments settled by the receipt of another one to the same phone
        self.finals: Counter[str] = Counter()  # segments, by their state at the end
        # Rows that were moved to the history, by table, as they were last.
        self.gone: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._plan = plan
        self._resent = SENT_ONCE_MORE | frozenset(derive.losses(settings).resend)
        self._log = log
        self._turns: defaultdict[Key, list[Turn]] = defaultdict(list)
        self._last_commit: dict[int | None, float] = {}  # of each daemon, when it was put together
        self._stored: dict[tuple[str, str, bytes], float] = {}
        self._by_id: dict[tuple[str, str], Taken] = {}
        self._settled_by: dict[tuple[str, str | None], Row] = {}
        self._silences: Counter[MoPart] = Counter()  # in which an acknowledgement vanished

    def violation(self, what: str) -> None:
        self._log("VIOLATION", what)
        if what not in self.violations and len(self.violations) < MOST:
            self.violations.append(what)

    # -- at once ---------------------------------------------------------------------------

    def turned(self, mt: int, part: int, state: str, began: float, at: float) -> None:
        turns = self._turns[mt, part]
        before = MtState(turns[-1].state) if turns else MtState.QUEUED
        after = MtState(state)
        if after is not before and turns and after not in TRANSITIONS[before]:
            self.violation(f"{mt}/{part} went from {before} to {after}")
        turns.append(Turn(state, began, at))
        self._log("store", f"{mt}/{part} {state}")

    def committed(self, daemon: int, began: float) -> None:
        self._last_commit[daemon] = began

    def stored(self, carrier: str, msisdn: str, octets: bytes, at: float) -> None:
        self._stored.setdefault((carrier, msisdn, octets), at)

    def acknowledged(self, part: MoPart, at: float) -> None:
        stored = self._stored.get((part.carrier, part.phone, part.octets), math.inf)
        if stored > at:
            self.violation(f"MO {part.name} was acknowledged before it was on disk")

    # -- after the hour and what it takes to settle it --------------------------------------

    def settled(self, con: sqlite3.Connection, smscs: Sequence[Smsc]) -> None:
        """Nothing may be on its way any more that could have gone."""
        self._bring_back(con)
        for smsc in smscs:
            if smsc.busy:
                self.violation(f"{smsc.busy} deliveries of {smsc.carrier.id} aren't acknowledged")
        self._silences = Counter(part for smsc in smscs for part in smsc.lost_in_silence)
        for row in self._rows(con):
            held = row.state == MtState.UNKNOWN and row.not_before is None
            if not (held or row.state == MtState.ACCEPTED or row.state in FINAL):
                self.violation(f"{row} was still on its way")
        self._judge_customers(con)
        self._judge_others(con)

    def _bring_back(self, con: sqlite3.Connection) -> None:
        """Let this connection see what was moved to the history in the tables where it was."""
        for table in ("mo", "mt", "segment"):
            con.execute(f"CREATE TEMP TABLE gone_{table} AS SELECT * FROM main.{table} WHERE 0")
            if rows := self.gone[table]:
                values = ", ".join("?" * len(rows[0]))
                con.executemany(f"INSERT INTO gone_{table} VALUES ({values})", rows)
            con.execute(
                f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table}"
                f" UNION ALL SELECT * FROM gone_{table}"
            )
        for table, whole in (("mt", ""), ("mo", " AND intent IS NOT NULL")):
            (lost,) = con.execute(
                f"SELECT count(*) FROM gone_{table}"
                f" WHERE id NOT IN (SELECT id FROM history_{table}){whole}"
            ).fetchone()
            if lost:
                self.violation(f"{lost} rows have left {table} and are not in the history")

    def _judge_customers(self, con: sqlite3.Connection) -> None:
        stored: defaultdict[tuple[str, str, bytes], list[int]] = defaultdict(list)
        for mo, carrier, msisdn, octets in con.execute(
            "SELECT id, carrier, msisdn, octets FROM mo"
        ):
            stored[carrier, msisdn, octets].append(mo)
        answers: defaultdict[int, list[str]] = defaultdict(list)
        for mo, text in con.execute("SELECT mo_id, text FROM mt WHERE mo_id IS NOT NULL"):
            answers[mo].append(text)
        for customer in self._plan.customers:
            self._judge_customer(customer, stored, answers)

    def _judge_customer(
        self,
        customer: Customer,
        stored: Mapping[tuple[str, str, bytes], list[int]],
        answers: Mapping[int, list[str]],
    ) -> None:
        mos: list[int] = []
        for part in dict.fromkeys(part for _, part in customer.parts):
            rows = stored.get((part.carrier, part.phone, part.octets), [])
            alone = len(customer.parts) == 1
            if not rows or (alone and len(rows) > 1 + self._silences[part]):
                self.violation(f"MO {part.name} is stored {len(rows)} times")
            mos += rows
        name = customer.parts[0][1].name
        texts = [text for mo in mos for text in answers.get(mo, ())]
        silences = sum(self._silences[part] for _, part in customer.parts)
        if 1 < len(texts) <= 1 + silences:
            self.taken_twice += 1
        elif len(texts) != 1:
            self.violation(f"MO {name} has {len(texts)} answers")
        elif customer.whole and customer.number not in texts[0]:
            self.violation(f"MO {name} was answered {texts[0]}")

    def _judge_others(self, con: sqlite3.Connection) -> None:
        queued = Counter(text for (text,) in con.execute("SELECT text FROM mt WHERE mo_id IS NULL"))
        sent = Counter(one.text for _, batch in self._plan.others for one in batch)
        if queued != sent:
            self.violation(f"queued by commands: {queued - sent} too many, {sent - queued} missing")

    # -- at the end ------------------------------------------------------------------------

    def ended(self, con: sqlite3.Connection, smscs: Sequence[Smsc]) -> None:
        """Every segment is final or held, and as the carriers' records say."""
        self._bring_back(con)
        rows = self._rows(con)
        sent: defaultdict[Signature, list[Taken]] = defaultdict(list)
        for smsc in smscs:
            for one in smsc.taken:
                sent[one.signature].append(one)
                self._by_id[smsc.carrier.id, one.message_id] = one
        alike: defaultdict[Signature, list[Row]] = defaultdict(list)
        for row in rows:
            self.finals[row.state] += 1
            self._judge_end(row)
            alike[row.signature].append(row)
        for signature in sent.keys() - alike.keys():
            self.violation(f"{signature[0]} was sent {sent[signature][0]}, which is in no table")
        for signature, same in alike.items():
            sends = sorted(sent[signature], key=lambda one: one.sent_at)
            if len(same) == 1:
                self._judge_sends(same[0], sends)
                self._judge_state(same[0], sends)
            else:
                self._judge_alike(same, sends)

    def _judge_end(self, row: Row) -> None:
        held = row.state == MtState.UNKNOWN and row.not_before is None
        if not (held or row.state in FINAL):
            self.violation(f"{row} is neither final nor held")

    def _judge_sends(self, row: Row, sends: Sequence[Taken]) -> None:
        turns = self._turns[row.key]
        claims = [turn for turn in turns if turn.state == MtState.CLAIMED]
        recorded = min(
            (turn.at for turn in turns if turn.state == MtState.ACCEPTED), default=math.inf
        )
        for count, one in enumerate(sends, start=1):
            if sum(claim.at <= one.sent_at for claim in claims) < count:
                self.violation(f"{row} was sent as {one.number} without a claim on disk")
            if one.sent_at > recorded:
                self.violation(f"{row} was sent as {one.number} after its acceptance was recorded")
        for first, second in pairwise(sends):
            if first.heard_by == second.by:
                began = (claim.began for claim in claims if claim.at <= second.sent_at)
                commit = max(began, default=-math.inf)
            else:
                commit = self._last_commit.get(first.heard_by, -math.inf)
            told = first.heard_at < commit - MARGIN
            if first.status == Status.ROK and told:
                self.violation(
                    f"{row} was sent as {second.number} although {first.number} was answered"
                )
        unsure = [one for one in sends if one.status == Status.ROK or one.heard_at == math.inf]
        most = 2 if MessageKind(row.kind) in self._resent else 1
        if len(unsure) > most:
            numbers = [one.number for one in unsure]
            self.violation(f"{row} went out {len(unsure)} times: {numbers}")
        accepted = [one for one in sends if one.status == Status.ROK]
        if len(accepted) > 1:
            self.doubled[MessageKind(row.kind).name.lower()] += 1

    def _judge_alike(self, rows: Sequence[Row], sends: Sequence[Taken]) -> None:
        """Answers of one wording to one phone, that carriers can't tell from each other."""
        unsure = [one for one in sends if one.status == Status.ROK or one.heard_at == math.inf]
        kinds = {row.kind for row in rows}
        if kinds != {MessageKind.ANSWER} or len(unsure) > 2 * len(rows):
            self.violation(f"{len(rows)} times {rows[0]}: went out {len(unsure)} times")

    def _judge_state(self, row: Row, sends: Sequence[Taken]) -> None:
        """The carriers' records and the database agree."""
        state = MtState(row.state)
        if state in (MtState.DELIVERED, MtState.UNDELIVERED):
            self._judge_witness(row, state, sends)
        elif any(one.message_id == row.message_id and _finals(one.known) for one in sends):
            self.violation(f"{row}, but its receipt was acknowledged")
        if state is MtState.REFUSED and all(one.status == Status.ROK for one in sends):
            self.violation(f"{row}, but no submit was refused")
        accepted = any(turn.state == MtState.ACCEPTED for turn in self._turns[row.key])
        if state is MtState.EXPIRED and accepted:
            self.violation(f"{row} although it was accepted")

    def _judge_witness(self, row: Row, state: MtState, sends: Sequence[Taken]) -> None:
        """A state that a receipt told belongs to the receipt's submit.

        Where responses were lost, receipts are told apart by handset and time alone: of two that
        wait for theirs at once each may get the other's.
        """
        witness = self._by_id.get((row.carrier, row.message_id or ""))
        if witness is None:
            self.violation(f"{row} by the receipt of {row.message_id}, which nobody gave")
        elif state not in _finals(witness.told):
            self.violation(f"{row}, but {witness.number} is {_finals(witness.told)}")
        elif witness not in sends:
            self.mistaken += 1
            if witness.signature[:2] != row.signature[:2]:
                self.violation(f"{row} by a receipt for another phone's {witness.number}")
        if (previous := self._settled_by.setdefault((row.carrier, row.message_id), row)) is not row:
            self.violation(f"{row} and {previous} by the same receipt")

    @staticmethod
    def _rows(con: sqlite3.Connection) -> list[Row]:
        return [Row(*row) for row in con.execute(SEGMENTS)]


def _finals(states: Sequence[MessageState]) -> list[MtState]:
    return [SAID[state] for state in states if state in SAID]
