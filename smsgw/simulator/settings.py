"""What a simulated SMSC is: its address, whom it lets in, how it writes, its pace."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from smsgw.smpp.session import Limits
from smsgw.text.alphabets import DefaultAlphabet

CARRIERS_LIMITS: Final = Limits(window=10)


class IdForm(StrEnum):
    """How message ids are written in the submit_sm_resp and in the receipt."""

    DECIMAL = "decimal"
    HEX = "hex"
    HEX_IN_RESPONSE = "hex_in_response"
    HEX_IN_RECEIPT = "hex_in_receipt"

    def in_response(self, number: int) -> str:
        return f"{number:x}" if self in (IdForm.HEX, IdForm.HEX_IN_RESPONSE) else str(number)

    def in_receipt(self, number: int) -> str:
        return f"{number:x}" if self in (IdForm.HEX, IdForm.HEX_IN_RECEIPT) else str(number)


class LongMessages(StrEnum):
    """How a customer's message goes that doesn't fit in one SMS."""

    UDH = "udh"  # in parts with a user data header, each a deliver_sm
    UDH16 = "udh16"  # the same with a reference of 16 bits
    SAR = "sar"  # in parts with SAR TLVs, each a deliver_sm
    PAYLOAD = "payload"  # in one deliver_sm, in the TLV message_payload


class Version(StrEnum):
    """Which SMPP it speaks. One of 3.3 knows no transceivers and no TLVs, and doesn't say so."""

    V3_3 = "3.3"
    V3_4 = "3.4"


@dataclass(frozen=True, slots=True)
class Outbind:
    """It dials the gateway, sends outbind with these, and is bound over the same connection."""

    host: str
    port: int
    system_id: str = "smsc"
    password: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """It dials the gateway and binds as an ESME: its messages go as submit_sm."""

    host: str
    port: int
    system_id: str = "smsc"
    password: str = ""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. `cert` may hold the key too; with `ca` the peer's certificate is verified."""

    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class SmscSettings:
    """A simulated SMSC. Times are in seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one."""
    dials: Outbind | Connect | None = None
    """None: it listens on `host` and `port`."""
    redial: float = 1.0
    """Between the end of a connection that it dialled and the next."""
    tls: TlsFiles | None = None
    """None: plain TCP."""
    version: Version = Version.V3_4
    name: str = "smsc"
    """The system_id in its bind responses."""
    system_id: str | None = None
    """Who may bind; None: anyone."""
    password: str | None = None
    """None: any."""
    shortcode: str = "170077"
    """Where customers' messages go unless they say otherwise."""
    rate: float = 0.0
    """Customers' messages a second; 0: as fast as the window lets them go."""
    retry_interval: float = 1.0
    """Between the tries of one deliver_sm."""
    tries: int = 100
    """Refusals for now after which a deliver_sm is given up; lost ones don't count."""
    receipt_delay: float = 0.05
    """Between taking a submit_sm and its receipt."""
    ids: IdForm = IdForm.DECIMAL
    first_id: int = 1
    default_alphabet: DefaultAlphabet = "gsm7"
    """What data_coding 0 means here."""
    long_messages: LongMessages = LongMessages.UDH
    parts: tuple[int, ...] = ()
    """Of a text in parts, those that are sent, in this order, counted from 1; empty: all."""
    limits: Limits = CARRIERS_LIMITS
    seed: int = 0
    """Of the faults that strike by chance."""
