"""What the two ends of a session do differently, as one table.

As an ESME we get what customers send as deliver_sm and submit; as the SMSC that a carrier binds
to, we get its submit_sm and deliver. All else is the same.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from smsgw.carrier.translate import Form, Translator
from smsgw.service.message import Ack, Outcome, Segment
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import Fields, Role, State
from smsgw.smpp.tables import Command, Status


class End(NamedTuple):
    """One end of a session."""

    brings: frozenset[Command]  # what customers send, and receipts, come in these
    refuses: Mapping[int, Status]  # requests that the protocol allows and we don't serve
    verdicts: Mapping[Ack, Status]
    accepted: Callable[[int, int], Fields]  # (session, token) -> the body of a ROK
    command: Command  # a segment goes out in this
    form: Callable[[Translator, Segment, float, bool], Form]  # raises EncodeError
    outcome: Callable[[Translator, Segment, Pdu, float], Outcome]
    named: Callable[[Translator, Segment], str]  # the id it has without a response; or none
    sends: frozenset[State]
    receives: frozenset[State]


def _nothing(session: int, token: int) -> Fields:
    """SMPP 3.4 section 4.6.2: the message_id of a deliver_sm_resp is unused."""
    return {}


def _unnamed(translator: Translator, segment: Segment) -> str:
    """The id of a submit_sm is the SMSC's, and stands in its response."""
    return ""


def _own_id(session: int, token: int) -> Fields:
    """SMPP 3.4 section 4.4.2: an id for the message; session ids are unique over restarts."""
    return {"message_id": f"{session:x}-{token:x}"}


def _deliver_sm(translator: Translator, segment: Segment, at: float, takes_tlvs: bool) -> Form:
    """As Translator.submit; the moment makes no difference."""
    return translator.deliver(segment, takes_tlvs)


ENDS: Final[Mapping[Role, End]] = {
    Role.ESME: End(
        brings=frozenset({Command.DELIVER_SM, Command.DATA_SM}),
        refuses={},
        verdicts={
            Ack.DONE: Status.ROK,
            Ack.RETRY: Status.RX_T_APPN,
            Ack.REFUSE: Status.RX_R_APPN,
        },
        accepted=_nothing,
        command=Command.SUBMIT_SM,
        form=Translator.submit,
        outcome=Translator.outcome,
        named=_unnamed,
        sends=frozenset({State.BOUND_TX, State.BOUND_TRX}),
        receives=frozenset({State.BOUND_RX, State.BOUND_TRX}),
    ),
    Role.SMSC: End(
        brings=frozenset({Command.SUBMIT_SM, Command.DATA_SM}),
        refuses={
            Command.SUBMIT_MULTI: Status.RINVCMDID,
            Command.QUERY_SM: Status.RQUERYFAIL,
            Command.CANCEL_SM: Status.RCANCELFAIL,
            Command.REPLACE_SM: Status.RREPLACEFAIL,
        },
        verdicts={
            Ack.DONE: Status.ROK,
            # Every ESME takes RSYSERR for temporary. RX_T_APPN is a receiver's word; RMSGQFUL
            # and RTHROTTLED blame the message's phone or the ESME's pace.
            Ack.RETRY: Status.RSYSERR,
            Ack.REFUSE: Status.RINVDSTADR,  # it was not to our shortcode
        },
        accepted=_own_id,
        command=Command.DELIVER_SM,
        form=_deliver_sm,
        outcome=Translator.delivered,
        named=Translator.named,
        # States are named by the ESME's view, in both roles.
        sends=frozenset({State.BOUND_RX, State.BOUND_TRX}),
        receives=frozenset({State.BOUND_TX, State.BOUND_TRX}),
    ),
}
