"""The configuration as frozen values, with every key's default: what the rest of the program reads.

The classes follow the file's sections, and each key's docstring becomes its description in the
JSON Schema. A key whose type admits nothing but its default belongs to a later version;
`later.py` says what that default means. A bound of 0 means no bound.
"""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError

from smsgw.service.message import MessageKind
from smsgw.settings.section import Section
from smsgw.settings.transport import Listener, Tls, TlsChoice
from smsgw.settings.types import (
    Address,
    CarrierId,
    Count,
    Day,
    Duration,
    FilePath,
    Flag,
    Host,
    Hours,
    Kind,
    Listen,
    Name,
    Npi,
    NumberRange,
    OpeningHours,
    Parts,
    Password,
    Percent,
    Port,
    PositiveDuration,
    Price,
    Rate,
    Remote,
    Secret,
    ServiceType,
    Shortcode,
    SourceAddress,
    SystemId,
    SystemType,
    Timezone,
    Tlvs,
    Ton,
    Whole,
)


class Company(Section):
    """Who the customers' texts speak for; each is a placeholder of every text."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    web: str | None = None


class Storage(Section):
    url: None = None
    """Where the messages are kept: null is SQLite in data_dir."""


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
    long_messages: Literal["udh"] = "udh"
    receipts: Flag = True
    """Ask for delivery receipts."""
    message_id: Literal["as_is", "hex_in_response", "hex_in_receipt"] = "as_is"
    """Where the carrier writes its message ids in hex, if in one place only."""
    number_ranges: tuple[NumberRange, ...] = ()
    """First digits of this carrier's numbers, with country code."""
    statuses: Annotated[dict[str, Any], Field(max_length=0)] = {}
    """Overrides of what a command_status means."""

    @field_validator("hosts")
    @classmethod
    def _some_hosts(cls, value: tuple[Address, ...] | None) -> tuple[Address, ...] | None:
        if value == ():
            raise ValueError("must not be empty")
        return value

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the carrier is dialled, in the order of trying."""
        hosts = self.hosts or (Address(self.host, 0),)
        return tuple(Address(each.host, each.port or self.port) for each in hosts)

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


class Billing(Section):
    feed_dir: None = None
    """A folder from which feeds are taken."""
    max_age: Duration = Duration("36h")
    """Older than this, an answer names the date of its data; 0: never."""
    max_shrink: Percent = Percent("10%")
    """A snapshot that would lose more of the customers is refused unless forced."""


class Subscriptions(Section):
    """Registrations and their bounds."""

    sms: Flag = True
    """Customers may register by message."""
    numbers_per_phone: Count = 10
    phones_per_number: Count = 5
    unknown_numbers_per_day: Count = 5
    hints_per_day: Count = 3
    answers_per_day: Count = 20
    activation_limit: Duration = Duration("24h")
    """A pending registration is rejected after this."""
    require_code: Literal[False] = False
    """Registering by message takes the invoice's code."""
    find_carrier: Literal[False] = False
    """Try the other carriers when one says that a number is not its own."""


class Duplicates(Section):
    window: Duration = Duration("10m")
    """How long a stored message can absorb its redeliveries."""

    limit: Whole = 200_000
    """How many messages are remembered for that; past it the oldest are forgotten."""


class Unknown(Section):
    """A response was lost: what becomes of the message."""

    wait: Duration = Duration("15m")
    """For a receipt that settles it."""
    notice: Literal["hold", "resend"] = "hold"
    """Notices and announcements."""
    other: Literal["hold", "resend"] = "hold"
    """Answers are always sent once more, without waiting."""


class Holidays(Section):
    """Corrections of the calendar of public holidays."""

    add: tuple[Day, ...] = ()
    remove: tuple[Day, ...] = ()


class Overdue(Section):
    days_after_due: Count = 1
    automatic: Literal[False] = False
    """The daily run starts by itself."""


class Disconnection(Section):
    days_before: Count = 2
    automatic: Literal[False] = False
    """The daily run starts by itself."""


class Notices(Section):
    hours: OpeningHours = Hours(time(9), time(20))
    """Messages nobody waits for go out inside these."""
    days: Literal["working", "all"] = "working"
    holidays: Holidays = Holidays()
    min_validity: Duration = Duration("2h")
    """Nothing is submitted in this last part of the hours."""
    max_per_run: Count = 30000
    """A run of more is held until it is confirmed."""
    overdue: Overdue = Overdue()
    disconnection: Disconnection = Disconnection()


class Replies(Section):
    max_parts: Parts = 4
    """Of one answer; 0: as many as it takes."""
    texts: dict[str, dict[str, str]] = {}
    """Texts in place of our own, by name and script (latin, cyrillic)."""


class Http(Section):
    listen: Listen = Address("127.0.0.1", 8080)
    """Health, metrics and the API."""
    public: None = None
    """The customers' page."""


class Log(Section):
    format: Literal["auto", "console", "json"] = "auto"
    """auto: console on a terminal, JSON otherwise."""
    level: Literal["debug", "info", "warning", "error"] = "info"


class Retention(Section):
    """How long personal data is kept."""

    texts: PositiveDuration = Duration("90d")
    messages: PositiveDuration = Duration("730d")
    evidence: PositiveDuration = Duration("730d")


class Settings(Section):
    """The configuration of one gateway."""

    shortcode: Shortcode
    """The number customers write to."""
    data_dir: FilePath
    """The folder of the databases."""
    timezone: Timezone = ZoneInfo("Europe/Sofia")
    company: Company = Company()
    storage: Storage = Storage()
    secret: Secret | None = None
    """The key of all keyed hashes; null: made once as data_dir/secret.key."""
    carriers: Annotated[dict[CarrierId, CarrierSettings], Field(min_length=1)]
    billing: Billing = Billing()
    subscriptions: Subscriptions = Subscriptions()
    duplicates: Duplicates = Duplicates()
    unknown: Unknown = Unknown()
    notices: Notices = Notices()
    replies: Replies = Replies()
    http: Http = Http()
    log: Log = Log()
    retention: Retention = Retention()

    @field_validator("carriers")
    @classmethod
    def _named(cls, carriers: dict[str, CarrierSettings]) -> dict[str, CarrierSettings]:
        listening: dict[Address, str] = {}
        for key, carrier in carriers.items():
            if carrier.listener is None or not carrier.enabled:
                continue
            address = carrier.listener.listen
            if address.port and listening.setdefault(address, key) != key:
                raise _shared(carrier, key, listening[address])
        return {
            key: carrier.model_copy(update={"id": key, "name": carrier.name or key})
            for key, carrier in carriers.items()
        }


def _shared(carrier: CarrierSettings, key: str, other: str) -> ValidationError:
    """Two carriers can't be told apart before they have said who they are."""
    way = "accept" if carrier.accept is not None else "outbind"
    said = PydanticCustomError("shared", f"{other} dials this address already")
    error = InitErrorDetails(type=said, loc=(key, way, "listen"), input=None)
    return ValidationError.from_exception_data("carriers", [error], hide_input=True)
