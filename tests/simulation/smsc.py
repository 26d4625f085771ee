"""A carrier's SMSC that misbehaves, and keeps its own record of all that it took and was told.

What is wrong at a moment is a mixture of chance, a little of everything at any time, and of the
episodes that the plan sends (`Trouble`). What it was not acknowledged it sends again, as the
protocol wants it, until it is.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from peer import Peer
from plan import Carrier, Fault, MoPart
from record import Delivery, Taken, Watch, signature
from virtual.loop import VirtualLoop

from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import MessageState, Status, Tlv, status_name
from smsgw.smpp.session import Fields, Tlvs

# How often a submit meets what, outside of episodes.
CHANCES: Final = (
    (Fault.TEMPORARY, 0.02),
    (Fault.FEW_TRIES, 0.01),
    (Fault.PERMANENT, 0.01),
    (Fault.LINK_REFUSAL, 0.002),
)
VENDOR: Final = 0x1401  # the tag of a TLV that the plan has
STATUSES: Final = {
    Fault.THROTTLED: (Status.RTHROTTLED,),
    Fault.QUEUE_FULL: (Status.RMSGQFUL,),
    Fault.TEMPORARY: (Status.RSYSERR, Status.RX_T_APPN),
    Fault.FEW_TRIES: (Status.RSUBMITFAIL, Status.RDELIVERYFAILURE, Status.RUNKNOWNERR),
    Fault.PERMANENT: (Status.RINVDSTADR, Status.RX_P_APPN),
    Fault.LINK_REFUSAL: (Status.RINVBNDSTS,),
    Fault.TLV_REFUSAL: (Status.ROPTPARNOTALLWD,),
}
# What becomes of a response, and of a receipt.
RESPONSES: Final = ((Fault.RESPONSE_LOST, 0.02), (Fault.RESPONSE_LATE, 0.03), (Fault.DROP, 0.005))
RECEIPTS: Final = (
    (Fault.RECEIPT_EARLY, 0.06),
    (Fault.RECEIPT_DOUBLED, 0.05),
    (Fault.RECEIPT_MISSING, 0.03),
    (Fault.RECEIPT_INTERMEDIATE, 0.1),
    (Fault.RECEIPT_OUT_OF_ORDER, 0.05),
    (Fault.RECEIPT_CONTRADICTED, 0.02),
)
NOT_DELIVERED: Final = 0.06
WORDS: Final = {
    MessageState.DELIVERED: "DELIVRD",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.ACCEPTED: "ACCEPTD",
}
FINAL_STATES: Final = (MessageState.DELIVERED, MessageState.UNDELIVERABLE, MessageState.EXPIRED)


class Smsc:
    """One carrier. `troubles` says until when each fault of an episode lasts."""

    def __init__(self, carrier: Carrier, loop: VirtualLoop, watch: Watch) -> None:
        self.carrier = carrier
        self.random = loop.random
        self.loop = loop
        self.watch = watch
        self.taken: list[Taken] = []
        self.deliveries: list[Delivery] = []
        self.peers: list[Peer] = []
        self.connections = 0
        self.lost_in_silence: list[MoPart] = []  # sent into a connection that nothing came out of
        self.troubles: dict[Fault, float] = {}
        self.calm = False  # no more faults
        self._waiting: deque[Delivery] = deque()
        self._last_accepted = -math.inf
        self._by_id: dict[str, Taken] = {}

    # -- what the plan and the loop ask ----------------------------------------------------

    async def accept(self) -> asyncio.Protocol:
        if self.suffers(Fault.AWAY):
            if self.random.random() < 0.3:
                await asyncio.sleep(3600)
            raise ConnectionRefusedError(111, "Connection refused")
        return Peer(self)

    def suffers(self, fault: Fault) -> bool:
        return self.troubles.get(fault, 0.0) > self.loop.time()

    def trouble(self, fault: Fault, seconds: float) -> None:
        """An episode begins."""
        self.log(f"{fault} for {seconds:.0f} s")
        if fault in (Fault.DROP, Fault.AWAY):
            if fault is Fault.DROP or self.peers:
                self.watch.fault(fault)
            for peer in list(self.peers):
                peer.wire.cut()
        elif fault is Fault.SILENCE:
            for peer in list(self.peers):
                self.watch.fault(fault)
                peer.wire.fall_silent()
        self.troubles[fault] = self.loop.time() + seconds

    def settle(self) -> None:
        """Behave from now on."""
        self.calm = True
        self.troubles.clear()

    def deliver(self, part: MoPart) -> None:
        """A customer's message, or a part of it."""
        fields: Fields = {
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "source_addr": part.phone,
            "destination_addr": "170077",
            "esm_class": part.esm_class,
            "data_coding": part.data_coding,
            "short_message": part.octets,
        }
        self._add(Delivery(f"MO {part.name}", fields, (), part=part))

    @property
    def busy(self) -> int:
        """How much is not acknowledged yet."""
        return sum(not each.acknowledged for each in self.deliveries)

    # -- messages to the gateway -----------------------------------------------------------

    def _add(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self.again(delivery)

    def again(self, delivery: Delivery) -> None:
        if not delivery.acknowledged:
            self._waiting.append(delivery)
            self.pump()

    def later(self, seconds: float, call: Callable[..., object], *args: object) -> None:
        self.loop.call_later(seconds, call, *args)

    def pump(self) -> None:
        """Send what waits over the sessions that take it."""
        while self._waiting:
            free = [each for each in self.peers if each.receives]
            if not free:
                return
            delivery = self._waiting.popleft()
            if not delivery.acknowledged:
                self.random.choice(free).deliver(delivery)

    def answered(self, delivery: Delivery, status: int, sent_at: float) -> None:
        """The daemon's word on a delivery, which it said at `sent_at`."""
        self.log(f"{delivery.name} answered {status_name(status)}")
        if status == Status.RX_T_APPN:
            self.later(self.random.uniform(1.0, 10.0), self.again, delivery)
            return
        if status != Status.ROK:
            self.watch.violation(f"{delivery.name} was answered {status_name(status)}")
        delivery.acknowledged = True
        if delivery.part is not None:
            self.watch.acknowledged(delivery.part, sent_at)
        if delivery.taken is not None and delivery.says is not None:
            delivery.taken.known.append(delivery.says)

    # -- messages from the gateway ---------------------------------------------------------

    def take(self, peer: Peer, pdu: Pdu) -> None:
        """Take or refuse a submit_sm, and plan what the gateway hears of it."""
        fault = self._refusal(vendor=pdu.tlv(VENDOR) is not None)
        status = Status.ROK if fault is None else self.random.choice(STATUSES[fault])
        number = len(self.taken) + 1
        given, named = self._ids(number)
        taken = Taken(
            number, signature(self.carrier.id, pdu), peer.end.sent_at, self.watch.process(),
            status, named if fault is None else "", session=peer.number,
        )  # fmt: skip
        self.taken.append(taken)
        if fault is None:
            self._last_accepted = self.loop.time()
            self._by_id[given] = taken
            if not self.random.random() < NOT_DELIVERED or self.calm:
                taken.state = MessageState.DELIVERED
            else:
                taken.state = self.random.choice(FINAL_STATES[1:])
        if self.pick(((Fault.STORAGE_FULL, 0.005),)):
            self.watch.fill_storage(self.random.uniform(0.1, 3.0))
        self.log(f"takes {number} to {taken.signature[1]}: {fault or 'accepted'}")
        said: Fields = {"message_id": given} if fault is None else {}
        fate = self.pick(RESPONSES)
        delay = self.random.uniform(0.005, 0.3)
        if fate is not None:
            self.watch.fault(fate)
            self.log(f"{fate} of {number}")
        if fate is Fault.RESPONSE_LATE:
            delay = self.carrier.response_timeout + self.random.uniform(0.1, 20.0)
        if fate is Fault.DROP:
            self.later(self.random.uniform(0.0, 0.1), peer.wire.cut)
        if fate is not Fault.RESPONSE_LOST:
            self.later(delay, peer.respond, pdu, status, said, taken)
        if fault is None and pdu.number("registered_delivery"):
            self._receipts(taken, named, delay)

    def _refusal(self, *, vendor: bool) -> Fault | None:
        """Why this SMSC doesn't take what comes now, with or without a vendor's TLV."""
        fault = self.pick(CHANCES)
        if vendor and fault is None:
            fault = self.pick(((Fault.TLV_REFUSAL, 0.05),))
        if self.suffers(Fault.THROTTLED):
            if self.loop.time() - self._last_accepted < 0.5:
                fault = Fault.THROTTLED
        elif self.suffers(Fault.QUEUE_FULL) and self.random.random() < 0.7:
            fault = Fault.QUEUE_FULL
        elif self.suffers(Fault.TEMPORARY) and self.random.random() < 0.5:
            fault = Fault.TEMPORARY
        if fault is not None:
            self.watch.fault(fault)
        return fault

    def pick(self, chances: tuple[tuple[Fault, float], ...]) -> Fault | None:
        if self.calm:
            return None
        drawn = self.random.random()
        for fault, chance in chances:
            if drawn < chance:
                return fault
            drawn -= chance
        return None

    def _ids(self, number: int) -> tuple[str, str]:
        """A message's id as the response gives it, and as the gateway shall know it."""
        serial = 0xA000 + number
        form = self.carrier.settings["message_id"]
        if form == "hex_in_response":
            return f"{serial:08X}", str(serial)
        if form == "hex_in_receipt":
            return str(serial), str(serial)
        return f"{self.carrier.id}-{serial:x}", f"{self.carrier.id}-{serial:x}"

    def _receipts(self, taken: Taken, named: str, response_in: float) -> None:
        assert taken.state is not None
        fate = self.pick(RECEIPTS)
        if fate is not None:
            self.watch.fault(fate)
            self.log(f"{fate} of {taken.number}")
        due = response_in + self.random.uniform(0.2, 60.0)
        if fate is Fault.RECEIPT_MISSING:
            return
        if fate is Fault.RECEIPT_EARLY:
            due = response_in * self.random.random() * 0.5
        if fate is Fault.RECEIPT_INTERMEDIATE:
            self.later(due / 2, self._receipt, taken, named, MessageState.ENROUTE)
        self.later(due, self._receipt, taken, named, taken.state)
        if fate is Fault.RECEIPT_DOUBLED:
            again = due + self.random.uniform(0.0, 5.0)
            self.later(again, self._receipt, taken, named, taken.state)
        if fate is Fault.RECEIPT_CONTRADICTED:
            other = next(state for state in FINAL_STATES if state is not taken.state)
            self.later(due + 5.0, self._receipt, taken, named, other)
        if fate is Fault.RECEIPT_OUT_OF_ORDER:
            self.later(due + 0.5, self._receipt, taken, named, MessageState.ENROUTE)

    def _receipt(self, taken: Taken, named: str, says: MessageState) -> None:
        if self.carrier.settings["message_id"] == "hex_in_receipt":
            named = f"{int(named):X}"
        tlvs: Tlvs = ()
        text = f"id:{named} sub:001 dlvrd:001 submit date:2701150800 done date:2701150801"
        text += f" stat:{WORDS[says]} err:000 text:"
        if self.carrier.receipts_by_tlv:
            tlvs = (
                (int(Tlv.RECEIPTED_MESSAGE_ID), named.encode() + b"\0"),
                (int(Tlv.MESSAGE_STATE), bytes([says])),
            )
            text = ""
        fields: Fields = {
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "source_addr": taken.signature[1],
            "destination_addr": "170077",
            "esm_class": 0x04,
            "short_message": text.encode(),
        }
        taken.told.append(says)
        name = f"receipt {WORDS[says]} of {taken.number}"
        self._add(Delivery(name, fields, tlvs, taken=taken, says=says))

    def query(self, peer: Peer, pdu: Pdu) -> None:
        """Say what became of a message, or that nothing can be said."""
        taken = self._by_id.get(pdu.text("message_id"))
        fault = self.pick(((Fault.QUESTION_REFUSED, 0.2),))
        if taken is None or taken.state is None or fault is not None:
            self.watch.fault(Fault.QUESTION_REFUSED)
            self.later(
                self.random.uniform(0.005, 0.3), peer.respond, pdu, Status.RQUERYFAIL, {}, None
            )
            return
        self.log(f"is asked for {taken.number}: {taken.state.name}")
        taken.told.append(taken.state)
        said: Fields = {"message_id": pdu.text("message_id"), "message_state": int(taken.state)}
        self.later(self.random.uniform(0.005, 0.3), peer.respond, pdu, Status.ROK, said, None)

    def log(self, what: str) -> None:
        self.watch.log(self.carrier.id, what)
