"""One carrier's section of the configuration."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from smsgw.service.message import LongMessages, MessageKind
from smsgw.settings.section import Section
from smsgw.settings.statuses import Statuses, StatusNumber
from smsgw.settings.transport import Listener, Tls, TlsChoice
from smsgw.settings.types import (
    Address,
    Duration,
    Flag,
    Host,
    Kind,
    Name,
    Npi,
    NumberRange,
    Password,
    Port,
    PositiveDuration,
    Price,
    Rate,
    ReceiptError,
    Remote,
    ServiceType,
    SourceAddress,
    SystemId,
    SystemType,
    Tlvs,
    Ton,
    Whole,
)
from smsgw.smpp.tables import Status


class Source(Section):
    """The address our messages come from."""

    address: SourceAddress | None = None
    """null: the shortcode."""
    ton: Ton = 3
    npi: Npi = 0


class Destination(Section):
    """How customers' numbers are given to the carrier."""

    ton: Ton = 1
    npi: Npi = 1


class KindSettings(Section):
    """What differs for one kind of message; what is left out is as for the others."""

    service_type: ServiceType | None = None
    source: Source = Source()
    tlvs: Tlvs = {}


class NotOurs(Section):
    """By what a carrier says that a number is not its own: it was ported, say."""

    statuses: tuple[StatusNumber, ...] = (Status.RINVDSTADR,)
    """command_statuses of a refusal, by name or number."""
    errors: tuple[ReceiptError, ...] = ("001",)
    """Errors of a delivery receipt; of numbers, leading zeros say nothing."""


class Marking(NamedTuple):
    """How a carrier wants one kind of message marked."""

    service_type: str
    source: Source
    tlvs: Mapping[int, bytes]


# What stands for a key that is left out, where that is allowed.
ABSENT: Final[Mapping[str, object]] = {
    "host": "",
    "port": 0,
    "system_id": "",
    "password": SecretStr(""),
}
# What is required, by how a session comes to be: by our dialling, by outbind, by accept.
REQUIRED: Final[Mapping[str, list[str]]] = {
    "dialling": ["host", "port", "system_id", "password"],
    "outbind": ["system_id", "password"],
    "accept": [],
}


def _needed() -> Any:
    """A key that REQUIRED may ask for."""
    return Field(None, validate_default=True, json_schema_extra=_without_default)


def _without_default(schema: JsonDict) -> None:
    schema.pop("default", None)


class CarrierSettings(Section):
    """One carrier's link. `id` is its key in the file."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [*REQUIRED["dialling"]]},
                {"required": ["hosts", "system_id", "password"]},
                {"required": ["outbind", *REQUIRED["outbind"]]},
                {"required": ["accept", *REQUIRED["accept"]]},
            ]
        }
    )

    id: SkipJsonSchema[str] = ""
    enabled: Flag = True
    """false: known, but not dialled."""
    name: Name = Field("", json_schema_extra={"default": None})
    """For people; null: the id."""
    outbind: Listener | None = None
    """The carrier dials us, sends outbind, and we bind."""
    accept: Listener | None = None
    """The carrier binds to us: its submit_sm are MOs, ours go to it as deliver_sm."""
    hosts: tuple[Remote, ...] | None = None
    """In place of `host`: several, tried in turn, each with or without a port of its own."""
    host: Host = _needed()
    """The carrier's SMSC; none with hosts, outbind and accept."""
    port: Port = _needed()
    """May be left out where each of `hosts` has its own."""
    tls: TlsChoice = Field(None, json_schema_extra={"default": False})
    """Encrypt the connection: true, or the files for it."""
    system_id: SystemId = _needed()
    """The name we bind with; with accept, the one we answer a bind with."""
    password: Password = _needed()
    """{env: NAME}, {file: PATH}, or a text in quotes. None with accept."""
    system_type: SystemType = ""
    bind: Literal["transceiver", "transmitter+receiver"] = "transceiver"
    """One session for both ways, or a pair."""
    sessions: Whole = 1
    """Binds held at once."""
    window: Whole = 50
    """submit_sm unanswered at once, per session."""
    inbound_window: Whole = 1000
    """Received messages unanswered at which a session's socket is no longer read."""
    throughput: Rate = 0.0
    """submit_sm a second over all sessions; 0: no limit."""
    enquire_link: PositiveDuration = Duration("30s")
    """Silence after which the peer is asked whether it is there."""
    response_timeout: PositiveDuration = Duration("60s")
    """How long an answer to a request is waited for."""
    inactivity: Duration = Duration("0s")
    """Without a message either way for so long, unbind and bind anew; 0: never."""
    source: Source = Source()
    destination: Destination = Destination()
    service_type: ServiceType = ""
    tlvs: Tlvs = {}
    """Vendor TLVs of every message: octets in hex by tag, "0x1401": "01"."""
    kinds: dict[Kind, KindSettings] = {}
    """Overrides by kind of message."""
    price: Price = Decimal(0)
    """Of one part, in cents of EUR."""
    default_alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"
    """What data_coding 0 means to this carrier."""
    long_messages: LongMessages = "udh"
    """How what doesn't fit one short message goes: in parts with a user data header and a reference
    of 8 bits or of 16 (udh, udh16), in parts with SAR TLVs, or whole in message_payload."""
    validity: Literal["relative", "absolute", "none"] = "relative"
    """How a submit_sm says until when the message is worth delivering: as a time from now on, as a
    moment, or not at all."""
    receipts: Flag = True
    """Ask for delivery receipts."""
    message_id: Literal["as_is", "hex_in_response", "hex_in_receipt"] = "as_is"
    """Where the carrier writes its message ids in hex, if in one place only."""
    number_ranges: tuple[NumberRange, ...] = ()
    """First digits of this carrier's numbers, with country code."""
    query_after: Duration = Duration("1h")
    """Without a final receipt for so long, ask the carrier by query_sm; 0: never."""
    statuses: Statuses = {}
    """Overrides of what a command_status means, by name or number: temporary, queue_full,
    few_tries, throttled, link, permanent or tlvs."""
    not_ours: NotOurs = NotOurs()

    @field_validator("hosts")
    @classmethod
    def _some_hosts(cls, value: tuple[Address, ...] | None) -> tuple[Address, ...] | None:
        if value == ():
            raise ValueError("must not be empty")
        return value

    @field_validator("id", mode="before")
    @classmethod
    def _id_is_the_key(cls, value: object, info: ValidationInfo) -> object:
        if info.context is not None:
            raise PydanticCustomError("id_in_file", "unknown key; a carrier's id is its own key")
        return value

    @field_validator("accept")
    @classmethod
    def _one_way(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("outbind") is not None:
            raise ValueError("the carrier either binds to us or sends outbind")
        return value

    @field_validator(*ABSENT, mode="wrap")
    @classmethod
    def _required(
        cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        """None where nothing is needed; there are no other words on it if the way is not known."""
        hosts = info.data.get("hosts", ())  # () where they are there, and wrong
        if value is not None:
            if info.field_name == "host" and hosts:
                raise ValueError("stands beside hosts: name one of the two")
            return handler(value)
        if info.field_name == "host" and hosts is not None:
            return ABSENT["host"]
        if info.field_name == "port" and hosts and all(each.port for each in hosts):
            return ABSENT["port"]
        ways = [way for way in ("outbind", "accept") if info.data.get(way, True) is not None]
        if info.field_name in REQUIRED[ways[0] if ways else "dialling"]:
            raise PydanticKnownError("missing")
        return ABSENT[str(info.field_name)]

    @field_validator("tls")
    @classmethod
    def _listener_shows_a_certificate(cls, value: Tls | None, info: ValidationInfo) -> Tls | None:
        listens = info.data.get("outbind") or info.data.get("accept")
        if value is not None and listens and value.cert_file is None:
            raise ValueError("who listens needs a certificate: cert_file")
        return value

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the carrier is dialled, in the order of trying."""
        hosts = self.hosts or (Address(self.host, 0),)
        return tuple(Address(each.host, each.port or self.port) for each in hosts)

    @property
    def listener(self) -> Listener | None:
        """Where the carrier dials us, if it does."""
        return self.accept or self.outbind

    def marking(self, kind: MessageKind) -> Marking:
        """How a message of `kind` is marked: the carrier's own way, and over it the kind's."""
        override = self.kinds.get(kind, KindSettings())
        given = {name: getattr(override.source, name) for name in override.source.model_fields_set}
        return Marking(
            self.service_type if override.service_type is None else override.service_type,
            self.source.model_copy(update=given),
            {**self.tlvs, **override.tlvs},
        )
