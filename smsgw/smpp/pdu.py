"""The value that a PDU is, between the codec and everyone else, and the two ways it can be none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from smsgw.smpp.names import command_name


class SmeAddress(NamedTuple):
    """A destination of submit_multi that is one phone (dest_flag 1, 4.5.1.1)."""

    ton: int
    npi: int
    address: str


class DistributionList(NamedTuple):
    """A destination of submit_multi that is a list kept by the SMSC (dest_flag 2, 4.5.1.2)."""

    name: str


class Unsuccessful(NamedTuple):
    """A destination that submit_multi did not reach, and its command_status (4.5.2.1)."""

    ton: int
    npi: int
    address: str
    status: int


Destinations = tuple[SmeAddress | DistributionList, ...]
FieldValue = int | str | bytes | Destinations | tuple[Unsuccessful, ...]
Fields = Mapping[str, FieldValue]
Tlvs = Sequence[tuple[int, bytes]]


@dataclass(slots=True, repr=False)
class Pdu:
    """One PDU: the header, the mandatory fields by SMPP's names, and the TLVs as they came.

    C-octet strings are `str` in Latin-1, which loses no octet, without their NUL; octet strings
    are `bytes`; integers are `int`. A field that is absent reads as 0, "" or b"", and is encoded
    so. Lengths (`sm_length`, `number_of_dests`, `no_unsuccess`) are there after decoding and are
    computed anew on encoding, whatever `fields` says of them. It prints without its fields,
    which hold customers' numbers and the password of a bind.
    """

    command: int
    status: int = 0
    sequence: int = 0
    fields: Fields = field(default_factory=dict)
    tlvs: Tlvs = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Pdu({command_name(self.command)}, status={self.status}, sequence={self.sequence})"

    def tlv(self, tag: int) -> bytes | None:
        """The value of the first TLV with this tag."""
        for known, value in self.tlvs:
            if known == tag:
                return value
        return None

    def text(self, name: str) -> str:
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            raise TypeError(f"{name} is not a C-octet string")
        return value

    def number(self, name: str) -> int:
        value = self.fields.get(name, 0)
        if not isinstance(value, int):
            raise TypeError(f"{name} is not an integer")
        return value

    def octets(self, name: str) -> bytes:
        value = self.fields.get(name, b"")
        if not isinstance(value, bytes):
            raise TypeError(f"{name} is not an octet string")
        return value


class PduError(Exception):
    """These octets are no PDU that can be taken.

    `status` is the command_status to answer a request with; `command` and `sequence` are the
    header's, 0 where there is none. `read` is what could be read before the fault where the
    mandatory part was whole: a response with a broken TLV is an answer all the same.
    """

    def __init__(
        self, status: int, command: int, sequence: int, reason: str, read: Pdu | None = None
    ) -> None:
        super().__init__(f"{command_name(command)}: {reason}")
        self.status = status
        self.command = command
        self.sequence = sequence
        self.reason = reason
        self.read = read


class EncodeError(ValueError):
    """A Pdu that has no place on the wire: `field` names what does not fit, `reason` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason
