"""Any order of outcomes, receipts, crashes and time: states move by the table alone, nothing that
was accepted goes out again, nothing goes out blindly more often than its kind allows, and a
receipt settles only what the carrier had."""

from collections import Counter
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smsgw.service.conversation import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    TRANSITIONS,
    Acceptance,
    Encoding,
    MessageKind,
    Msisdn,
    Mt,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Segment,
    SegmentKey,
)
from smsgw.service.ports import Settlement, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import Losses, settle
from smsgw.service.today import Day
from smsgw.storage import exchange
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.settlements import recover
from smsgw.storage.tidy import tidy

T = 1_800_000_000.0
LOSSES = Losses(60.0, frozenset({MessageKind.NOTICE}))
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)
POLICY = Policy(RULES, {"mtel": Encoding()}, Keyed(b"k" * 32), LOSSES)
PHONES = [Msisdn(f"35988800000{number}") for number in range(4)]
BLINDLY = {MessageKind.ANSWER: 2, MessageKind.NOTICE: 2, MessageKind.CONFIRMATION: 1}
REFUSED = [Acceptance.PERMANENT, Acceptance.TEMPORARY, Acceptance.THROTTLED]
Message = tuple[MessageKind, Msisdn, str]
MESSAGES = st.tuples(
    st.sampled_from(list(BLINDLY)), st.sampled_from(PHONES), st.sampled_from(["x", "x" * 200])
)
STATES = st.sampled_from([*ReceiptState, *[ReceiptState.DELIVERED] * 6])


class Taken(NamedTuple):
    """A submit that the SMSC took, whatever the gateway knows of it."""

    key: SegmentKey
    message_id: str
    phone: Msisdn


class Outcomes(RuleBasedStateMachine):
    """A gateway's store, and an SMSC that tells it what it likes of what it did."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.con = open_gateway(Path(self.folder.name))
        self.con.execute("PRAGMA synchronous = OFF")
        self.con.execute("CREATE TEMP TABLE moved (mt_id, part, before, after)")
        self.con.execute(
            "CREATE TEMP TRIGGER moves AFTER UPDATE OF state ON main.segment"
            " WHEN old.state <> new.state BEGIN INSERT INTO moved"
            " VALUES (old.mt_id, old.part, old.state, new.state); END"
        )
        self.now = T
        self.in_flight: list[Segment] = []
        self.given_up: list[tuple[Segment, str]] = []  # and the id that a late response has
        self.taken: list[Taken] = []
        self.settlements: list[Settlement] = []
        self.receipts: list[Receipt] = []
        self.blindly: Counter[SegmentKey] = Counter()  # submits accepted or not answered
        self.kinds: dict[SegmentKey, MessageKind] = {}

    def teardown(self) -> None:
        self.con.close()
        self.folder.cleanup()

    # What happens at the gateway.

    @initialize(messages=st.lists(MESSAGES, min_size=1, max_size=6))
    def there_are_some(self, messages: list[Message]) -> None:
        self.messages_go_out(messages)

    @rule(messages=st.lists(MESSAGES, min_size=1, max_size=3))
    def messages_go_out(self, messages: list[Message]) -> None:
        with transaction(self.con):
            mts = [Mt("mtel", kind, phone, text, self.now) for kind, phone, text in messages]
            enqueue(self.con, mts, {}, self.now)
        self.commit(free=9)

    @rule(seconds=st.sampled_from([0, 1, 1, 5, 5, 60, 600]), free=st.sampled_from([9, 9, 1, 0]))
    def time_goes_by(self, seconds: int, free: int) -> None:
        self.now += seconds
        self.commit(free)

    def commit(self, free: int) -> None:
        places = {"mtel": free} if free else {}
        work = Work(self.now, (), (), self.settlements, self.receipts, (), (), places, bulk=places)
        self.settlements, self.receipts = [], []
        for one in exchange.commit(self.con, work, False, POLICY, Day()).claimed:
            self.in_flight.append(one)
            self.kinds[one.key] = one.kind
            self.blindly[one.key] += 1

    @rule(taken=st.booleans(), dice=st.integers(0, 3))
    def the_daemon_dies_and_starts_again(self, taken: bool, dice: int) -> None:
        if dice:
            return
        for one in self.in_flight:
            self.smsc_takes(one, taken)
        self.in_flight, self.given_up = [], []
        self.receipts = []  # not acknowledged
        lost = [settled for settled in self.settlements if not settled.late]
        for settled in lost:
            if settled.state not in (MtState.ACCEPTED, MtState.UNKNOWN) and not settled.unnamed:
                self.blindly[settled.key] += 1  # its refusal was forgotten
        self.settlements = []
        self.now += 1
        recover(self.con, self.now, LOSSES)

    @rule(seconds=st.sampled_from([0, 0, 3600, 86_400]))
    def an_hour_is_over(self, seconds: int) -> None:
        self.now += seconds
        tidy(self.con, self.now)

    # What the carrier says.

    def smsc_takes(self, one: Segment, taken: bool = True) -> str:
        name = f"I{len(self.taken)}"
        if taken:
            self.taken.append(Taken(one.key, name, one.destination))
        return name if taken else ""

    def settled(self, one: Segment, acceptance: Acceptance, name: str, late: bool = False) -> None:
        outcome = Outcome(one, acceptance, self.now, name, late=late)
        self.settlements.append(settle(outcome, LOSSES))

    @precondition(lambda self: self.in_flight)
    @rule(said=st.lists(st.sampled_from([*"aaaaalllllLLn", *REFUSED]), min_size=1, max_size=9))
    def it_answers_or_not(self, said: list[str | Acceptance]) -> None:
        """a: accepted, n: without an id; l: its response is lost, L: and it wasn't accepted."""
        for one, word in zip(self.in_flight, said, strict=False):
            if isinstance(word, Acceptance):
                self.blindly[one.key] -= 1
                self.settled(one, word, "")
                continue
            name = self.smsc_takes(one, taken=word != "L")
            if word in "lL":
                self.given_up.append((one, name))
                self.settled(one, Acceptance.LOST, "")
            else:
                self.settled(one, Acceptance.ACCEPTED, name if word == "a" else "")
        del self.in_flight[: len(said)]

    @precondition(lambda self: self.given_up)
    @rule(data=st.data(), refusal=st.sampled_from(REFUSED))
    def its_response_comes_late(self, data: st.DataObject, refusal: Acceptance) -> None:
        one, name = self.given_up.pop(data.draw(st.integers(0, len(self.given_up) - 1)))
        if not name:
            self.blindly[one.key] -= 1
        self.settled(one, Acceptance.ACCEPTED if name else refusal, name, late=True)

    @precondition(lambda self: self.taken)
    @rule(sent=st.lists(st.tuples(st.integers(0, 50), STATES), min_size=1, max_size=6))
    def it_sends_receipts(self, sent: list[tuple[int, ReceiptState]]) -> None:
        for number, state in sent:
            its = self.taken[-1 - number % len(self.taken)]
            self.receipts.append(Receipt("mtel", self.now, its.message_id, state, "", its.phone))

    # What always holds.

    @invariant()
    def states_move_by_the_table(self) -> None:
        for before, after in self.con.execute("SELECT DISTINCT before, after FROM moved"):
            assert MtState(after) in TRANSITIONS[MtState(before)], (before, after)
        self.con.execute("DELETE FROM moved")

    @invariant()
    def nothing_goes_out_too_often(self) -> None:
        for key, count in self.blindly.items():
            assert count <= BLINDLY[self.kinds[key]], key

    @invariant()
    def what_has_a_receipt_was_taken(self) -> None:
        taken = {its.key for its in self.taken}
        for mt_id, part in self.con.execute(
            "SELECT mt_id, part FROM segment WHERE state IN ('delivered', 'undelivered')"
        ):
            assert SegmentKey(mt_id, part) in taken

    @invariant()
    def what_waits_has_its_time(self) -> None:
        for state, not_before in self.con.execute("SELECT state, not_before FROM segment"):
            assert not_before is None or state in ("waiting", "unknown")
            assert state != "waiting" or not_before is not None


Outcomes.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
test_outcomes = Outcomes.TestCase
