"""What comes from the gateway: binds to be let in, messages to be taken and receipted."""

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

from smsgw.clock import Clock, utc
from smsgw.simulator import wire
from smsgw.simulator.connection import Connection
from smsgw.simulator.deliveries import ReceiptDelivery
from smsgw.simulator.fates import Fate, Fates
from smsgw.simulator.faults import Faults, Mischief
from smsgw.simulator.happenings import (
    BindRefused,
    BindTaken,
    Happening,
    MtReceived,
    QueryAnswered,
    ResponseLost,
    SubmitFrozen,
    SubmitRefused,
)
from smsgw.simulator.outgoing import Outgoing
from smsgw.simulator.records import Bind, Mt, Receipt, Submit
from smsgw.simulator.settings import SmscSettings, Version
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, Status, Tlv, command_name, status_name

# What this SMSC can't do, and how it says so.
CANNOT: Final[dict[int, Status]] = {
    Command.CANCEL_SM: Status.RCANCELFAIL,
    Command.REPLACE_SM: Status.RREPLACEFAIL,
    Command.SUBMIT_MULTI: Status.RSUBMITFAIL,
}


TAKEN: Final = (Command.SUBMIT_SM, Command.DATA_SM, Command.DELIVER_SM)


class Intake:
    """Serves the requests of all connections, with the faults asked for, and records them."""

    def __init__(
        self,
        settings: SmscSettings,
        faults: Faults,
        clock: Clock,
        outgoing: Outgoing,
        tell: Callable[[Happening], None],
    ) -> None:
        self.binds: list[Bind] = []
        self.submits: list[Submit] = []
        self.mts: list[Mt] = []
        self.receipts: list[Receipt] = []
        self._settings = settings
        self._clock = clock
        self._outgoing = outgoing
        self._tell = tell
        self._random = Random(settings.seed)
        self._reassembly = wire.Reassembly(settings.default_alphabet)
        self._fates = Fates()
        self._next_id = settings.first_id
        self._waiting = 0  # messages for their delivery
        self.ask_for(faults)

    def ask_for(self, faults: Faults) -> None:
        """These faults from now on; what they count begins anew."""
        self.mischief = Mischief(faults, self._random)

    def bind(self, connection: Connection, pdu: Pdu) -> None:
        """Let an ESME in or not."""
        system_id = pdu.text("system_id")
        status = self._bind_status(pdu.command, system_id, pdu.text("password"))
        at, number = self._clock.now(), connection.number
        command = command_name(pdu.command)
        self.binds.append(Bind(at, number, command, system_id, connection.peer, status))
        if status == Status.ROK:
            connection.accept_bind(pdu, self._settings.name)
            self.bound(connection, pdu.command, system_id)
        else:
            connection.refuse_bind(pdu, status)
            self.not_bound(connection, pdu.command, system_id, status)

    def bound(self, connection: Connection, command: int, system_id: str) -> None:
        """A session is bound, whoever asked for it."""
        at, number = self._clock.now(), connection.number
        self._tell(BindTaken(at, number, command_name(command), system_id))
        faults = self.mischief.faults
        if faults.unbind_after:
            loop = asyncio.get_running_loop()
            loop.call_later(faults.unbind_after, _unbind_if_bound, connection)
        if faults.stop_reading:
            connection.stop_reading()

    def not_bound(self, connection: Connection, command: int, system_id: str, status: int) -> None:
        """A bind was refused, whoever asked for it."""
        at, number, name = self._clock.now(), connection.number, command_name(command)
        self._tell(BindRefused(at, number, name, system_id, status, status_name(status)))

    def _bind_status(self, command: int, system_id: str, password: str) -> int:
        if self._settings.version is Version.V3_3 and command == Command.BIND_TRANSCEIVER:
            return Status.RINVCMDID  # as a generic_nack: it knows no such command
        if self._settings.system_id not in (None, system_id):
            return Status.RINVSYSID
        if self._settings.password not in (None, password):
            return Status.RINVPASWD
        return self.mischief.bind_status()

    def serve(self, connection: Connection, pdu: Pdu) -> None:
        """Answer another request."""
        if pdu.command in TAKEN:
            self._take(connection, pdu)
        elif pdu.command == Command.QUERY_SM:
            self._tell_fate(connection, pdu)
        else:
            connection.respond(pdu, CANNOT.get(pdu.command, Status.RINVCMDID))

    def _tell_fate(self, connection: Connection, pdu: Pdu) -> None:
        at, number = self._clock.now(), connection.number
        message_id, stat = pdu.text("message_id"), self._fates.stat(pdu, at)
        if self.mischief.faults.no_queries:
            unknown = Pdu(0, sequence=pdu.sequence)  # to which a generic_nack is the response
            connection.respond(unknown, Status.RINVCMDID)
            stat = None
        elif stat is None:
            connection.respond(pdu, Status.RQUERYFAIL)
        else:
            connection.respond(pdu, Status.ROK, self._fates.reply(pdu, stat))
        self._tell(QueryAnswered(at, number, message_id, stat))

    def _take(self, connection: Connection, pdu: Pdu) -> None:
        faults = self.mischief.faults
        connection.submits += 1
        if self.mischief.freezes(connection.submits):
            at, phone = self._clock.now(), pdu.text("destination_addr")
            self._tell(SubmitFrozen(at, connection.number, phone))
            return
        status = self.mischief.submit_status(self._clock.monotonic(), self._waiting)
        message_id, receipt_id = self._ids(pdu)
        message_id = "" if status else message_id
        submit = wire.submitted(pdu, self._clock.now(), connection.number, status, message_id)
        self.submits.append(submit)
        if status:
            self._tell(_refused(submit))
            self._later(faults.delay, partial(connection.respond, pdu, status))
            return
        due = submit.at + faults.delay + self._settings.receipt_delay
        fate = Fate(submit.source, due, faults.receipt_stat, faults.receipt_err)
        self._fates.add(message_id, fate)
        receipt = self._receipt(submit, receipt_id, due)
        self._next_id += 1
        self._waiting += 1
        self._later(faults.delay + self._settings.receipt_delay, self._delivered)
        self._deliver(submit)
        if self.mischief.loses_response():
            self._tell(ResponseLost(submit.at, submit.session, submit.destination, message_id))
            respond = _say_nothing
        else:
            said = {} if pdu.command == Command.DELIVER_SM else {"message_id": message_id}
            respond = partial(connection.respond, pdu, status, said)
        if receipt is not None and faults.early_receipts and self._outgoing.reachable:
            receipt.first_sent = respond
            self._outgoing.add(receipt)
            return
        self._later(faults.delay, respond)
        if receipt is not None:
            delay = faults.delay + self._settings.receipt_delay
            self._later(delay, partial(self._outgoing.send, receipt))

    def _ids(self, pdu: Pdu) -> tuple[str, str]:
        """The message's id, as the response has it and as the receipt does.

        The response to a deliver_sm has none (SMPP 3.4, 4.6.2): what the gateway named it counts.
        """
        named = pdu.tlv(Tlv.RECEIPTED_MESSAGE_ID)
        if pdu.command == Command.DELIVER_SM and named is not None:
            name = named.rstrip(b"\0").decode("latin-1")
            return name, name
        ids = self._settings.ids
        return ids.in_response(self._next_id), ids.in_receipt(self._next_id)

    def _delivered(self) -> None:
        self._waiting -= 1

    def _deliver(self, submit: Submit) -> None:
        """Give it to the customer: a part waits for the others."""
        mt = self._reassembly.add(submit)
        if mt is not None:
            self.mts.append(mt)
            self._tell(_received(mt))

    def _receipt(self, submit: Submit, message_id: str, due: float) -> ReceiptDelivery | None:
        """The receipt of a submit_sm that was taken, if it asks for one (SMPP 3.4, 5.2.17)."""
        faults = self.mischief.faults
        asked = submit.registered_delivery & 0x03
        wanted = asked == 1 or (asked == 2 and faults.receipt_stat != "DELIVRD")
        if faults.no_receipts or not wanted or self.mischief.loses_receipt():
            return None
        receipt = Receipt(message_id, submit.destination, faults.receipt_stat)
        self.receipts.append(receipt)
        deliver_sm = wire.receipt(
            submit, message_id, faults.receipt_stat, faults.receipt_err, utc(due)
        )
        return ReceiptDelivery(deliver_sm, receipt)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, call)
        else:
            call()


def _unbind_if_bound(connection: Connection) -> None:
    if connection.bound:
        connection.unbind()


def _say_nothing() -> None:
    """The response that is lost."""


def _refused(submit: Submit) -> SubmitRefused:
    return SubmitRefused(
        submit.at,
        submit.session,
        submit.source,
        submit.destination,
        submit.status,
        status_name(submit.status),
    )


def _received(mt: Mt) -> MtReceived:
    return MtReceived(
        mt.at, mt.session, mt.source, mt.destination, mt.text, mt.parts, mt.message_ids
    )
