"""An SMSC to try things against: for the demo, the tests and carriers' engineers.

It binds ESMEs (or dials the gateway, where that is wanted), sends them customers' messages until
they are acknowledged, takes theirs, sends receipts, keeps a record of everything, and goes wrong in
the ways it is asked to. It shares the protocol (`smpp`, `text`) with the gateway and nothing of
what the gateway makes of it.
"""

from smsgw.simulator.faults import Bodies, Faults, Pick, Sequences
from smsgw.simulator.records import Bind, Mo, MoState, Mt, Receipt, Submit
from smsgw.simulator.settings import (
    Connect,
    IdForm,
    LongMessages,
    Outbind,
    SmscSettings,
    TlsFiles,
    Version,
)
from smsgw.simulator.smsc import Smsc
from smsgw.simulator.watch import NotSeenError

__all__ = [
    "Bind",
    "Bodies",
    "Connect",
    "Faults",
    "IdForm",
    "LongMessages",
    "Mo",
    "MoState",
    "Mt",
    "NotSeenError",
    "Outbind",
    "Pick",
    "Receipt",
    "Sequences",
    "Smsc",
    "SmscSettings",
    "Submit",
    "TlsFiles",
    "Version",
]
