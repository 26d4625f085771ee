"""What a command_status means to whoever gets it in a response: what to do next, as tables."""

from enum import Enum
from typing import Final

from smsgw.smpp.names import Status


class Reaction(Enum):
    """What to do after an answer to a submit."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"  # back off, then try again
    QUEUE_FULL = "queue full"  # as TEMPORARY; one recipient's queue, or everybody's
    FEW_TRIES = "few tries"  # try again, but not often: vendors mean different things by it
    THROTTLED = "throttled"  # pause the bind, not the message
    LINK = "link"  # the bind or its settings are at fault: keep the message, mend the link
    PERMANENT = "permanent"
    TLVS = "tlvs"  # as PERMANENT, but for the TLVs: once more without those that can be left out


# Each status that SMPP 3.4 (5.1.3) and 5.0 (4.7.6) name.
SUBMIT: Final[dict[int, Reaction]] = {
    Status.ROK: Reaction.ACCEPTED,
    Status.RINVMSGLEN: Reaction.PERMANENT,
    Status.RINVCMDLEN: Reaction.PERMANENT,
    Status.RINVCMDID: Reaction.PERMANENT,
    Status.RINVBNDSTS: Reaction.LINK,
    Status.RALYBND: Reaction.LINK,
    Status.RINVPRTFLG: Reaction.PERMANENT,
    Status.RINVREGDLVFLG: Reaction.PERMANENT,
    Status.RSYSERR: Reaction.TEMPORARY,
    Status.RINVSRCADR: Reaction.PERMANENT,
    Status.RINVDSTADR: Reaction.PERMANENT,
    Status.RINVMSGID: Reaction.PERMANENT,
    Status.RBINDFAIL: Reaction.LINK,
    Status.RINVPASWD: Reaction.LINK,
    Status.RINVSYSID: Reaction.LINK,
    Status.RCANCELFAIL: Reaction.PERMANENT,
    Status.RREPLACEFAIL: Reaction.PERMANENT,
    Status.RMSGQFUL: Reaction.QUEUE_FULL,
    Status.RINVSERTYP: Reaction.PERMANENT,
    Status.RINVNUMDESTS: Reaction.PERMANENT,
    Status.RINVDLNAME: Reaction.PERMANENT,
    Status.RINVDESTFLAG: Reaction.PERMANENT,
    Status.RINVSUBREP: Reaction.PERMANENT,
    Status.RINVESMCLASS: Reaction.PERMANENT,
    Status.RCNTSUBDL: Reaction.PERMANENT,
    Status.RSUBMITFAIL: Reaction.FEW_TRIES,
    Status.RINVSRCTON: Reaction.PERMANENT,
    Status.RINVSRCNPI: Reaction.PERMANENT,
    Status.RINVDSTTON: Reaction.PERMANENT,
    Status.RINVDSTNPI: Reaction.PERMANENT,
    Status.RINVSYSTYP: Reaction.LINK,
    Status.RINVREPFLAG: Reaction.PERMANENT,
    Status.RINVNUMMSGS: Reaction.PERMANENT,
    Status.RTHROTTLED: Reaction.THROTTLED,
    Status.RINVSCHED: Reaction.PERMANENT,
    Status.RINVEXPIRY: Reaction.PERMANENT,
    Status.RINVDFTMSGID: Reaction.PERMANENT,
    Status.RX_T_APPN: Reaction.TEMPORARY,
    Status.RX_P_APPN: Reaction.PERMANENT,
    Status.RX_R_APPN: Reaction.PERMANENT,
    Status.RQUERYFAIL: Reaction.PERMANENT,
    Status.RINVOPTPARSTREAM: Reaction.TLVS,
    Status.ROPTPARNOTALLWD: Reaction.TLVS,
    Status.RINVPARLEN: Reaction.TLVS,
    Status.RMISSINGOPTPARAM: Reaction.TLVS,
    Status.RINVOPTPARAMVAL: Reaction.TLVS,
    Status.RDELIVERYFAILURE: Reaction.FEW_TRIES,
    Status.RUNKNOWNERR: Reaction.FEW_TRIES,
    Status.RSERTYPUNAUTH: Reaction.PERMANENT,
    Status.RPROHIBITED: Reaction.PERMANENT,
    Status.RSERTYPUNAVAIL: Reaction.PERMANENT,
    Status.RSERTYPDENIED: Reaction.PERMANENT,
    Status.RINVDCS: Reaction.PERMANENT,
    Status.RINVSRCADDRSUBUNIT: Reaction.PERMANENT,
    Status.RINVDSTADDRSUBUNIT: Reaction.PERMANENT,
    Status.RINVBCASTFREQINT: Reaction.PERMANENT,
    Status.RINVBCASTALIAS_NAME: Reaction.PERMANENT,
    Status.RINVBCASTAREAFMT: Reaction.PERMANENT,
    Status.RINVNUMBCAST_AREAS: Reaction.PERMANENT,
    Status.RINVBCASTCNTTYPE: Reaction.PERMANENT,
    Status.RINVBCASTMSGCLASS: Reaction.PERMANENT,
    Status.RBCASTFAIL: Reaction.PERMANENT,
    Status.RBCASTQUERYFAIL: Reaction.PERMANENT,
    Status.RBCASTCANCELFAIL: Reaction.PERMANENT,
    Status.RINVBCAST_REP: Reaction.PERMANENT,
    Status.RINVBCASTSRVGRP: Reaction.PERMANENT,
    Status.RINVBCASTCHANIND: Reaction.PERMANENT,
}


# Refusals that mean the settings of the link, or a mistake of the sender's program: they come again
# with the next message. So do those whose reaction is LINK.
SETTINGS: Final = frozenset(
    {
        Status.RINVMSGLEN,
        Status.RINVCMDLEN,
        Status.RINVCMDID,
        Status.RINVSERTYP,
        Status.RINVSRCTON,
        Status.RINVSRCNPI,
        Status.RINVDSTTON,
        Status.RINVDSTNPI,
    }
)


def submit_reaction(status: int) -> Reaction:
    """What to do after this status, of a submit_sm_resp or of a generic_nack in its place.

    The vendors' own statuses (0x400 to 0x4FF) and reserved ones mean whatever the vendor says;
    a carrier's settings know better.
    """
    return SUBMIT.get(status, Reaction.FEW_TRIES)


class BindReaction(Enum):
    """What to do after a refused bind."""

    CREDENTIALS = "credentials"  # wrong, until the carrier or the settings mend them: slowly
    ALREADY_BOUND = "already bound"  # the SMSC still holds the old session
    BACK_OFF = "back off"
    VERSION = "version"  # the SMSC knows no transceiver: bind a transmitter and a receiver


# RBINDFAIL may mean anything, wrong credentials included, and so is backed off from.
BIND: Final[dict[int, BindReaction]] = {
    Status.RINVCMDID: BindReaction.VERSION,
    Status.RALYBND: BindReaction.ALREADY_BOUND,
    Status.RSYSERR: BindReaction.BACK_OFF,
    Status.RBINDFAIL: BindReaction.BACK_OFF,
    Status.RINVPASWD: BindReaction.CREDENTIALS,
    Status.RINVSYSID: BindReaction.CREDENTIALS,
    Status.RMSGQFUL: BindReaction.BACK_OFF,
    Status.RINVSYSTYP: BindReaction.CREDENTIALS,
    Status.RTHROTTLED: BindReaction.BACK_OFF,
    Status.RX_T_APPN: BindReaction.BACK_OFF,
}


def bind_reaction(status: int) -> BindReaction:
    """What to do after this status, of a bind response or of a generic_nack in its place."""
    return BIND.get(status, BindReaction.BACK_OFF)
