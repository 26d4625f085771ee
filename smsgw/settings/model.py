"""The configuration as frozen values, with every key's default: what the rest of the program reads.

The classes follow the file's sections, and each key's docstring becomes its description in the
JSON Schema. A key whose type admits nothing but its default belongs to a later version;
`later.py` says what that default means. A bound of 0 means no bound.
"""

from datetime import time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from smsgw.service.hours import Hours
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.public_holidays import closed_for_a_year
from smsgw.settings.section import Section
from smsgw.settings.types import (
    Address,
    CarrierId,
    Count,
    Day,
    Days,
    Duration,
    FilePath,
    Flag,
    Kept,
    Listen,
    Network,
    OpeningHours,
    Parts,
    Percent,
    PositiveDuration,
    Rate,
    Secret,
    Shortcode,
    Timezone,
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


class Billing(Section):
    feed_dir: FilePath | None = None
    """A folder from which feeds, files named .csv, are taken; null: only by command."""
    import_limit: PositiveDuration = Duration("30m")
    """The import of a file from feed_dir is ended, and tried again later, if it takes longer."""
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
    require_code: Flag = False
    """Registering by message takes the invoice's code."""
    find_carrier: Flag = False
    """Try the other carriers when one says that a number is not its own."""


class Duplicates(Section):
    window: Duration = Duration("10m")
    """How long a stored message can absorb its redeliveries."""

    limit: Whole = 200_000
    """How many messages are remembered for that; past it the oldest are forgotten."""


class Reassembly(Section):
    """Long messages from customers: how long their parts are kept waiting for the others. Past a
    bound, the message that has waited longest is taken for what came of it."""

    wait: PositiveDuration = Duration("10m")
    """From the first part that came."""
    messages: Whole = 1_000
    """That wait for parts."""
    octets: Whole = 1_000_000
    """Of all the parts that wait."""


class Unknown(Section):
    """A response was lost: what becomes of the message."""

    wait: Duration = Duration("15m")
    """For a receipt that settles it."""
    notice: Literal["hold", "resend"] = "hold"
    """Then, of notices and announcements."""
    other: Literal["hold", "resend"] = "hold"
    """Then, of the rest. Answers are always sent once more, without waiting."""


class Holidays(Section):
    """Corrections of the calendar of public holidays."""

    add: tuple[Day, ...] = ()
    remove: tuple[Day, ...] = ()

    @model_validator(mode="after")
    def _some_day_is_open(self) -> Self:
        if closed := closed_for_a_year(self.add, self.remove):
            raise ValueError(f"add closes every day of the year up to {closed}")
        return self


class Overdue(Section):
    days_after_due: Days = 1
    """Days after its due date on which a bill is noticed of; 0 is the same as 1."""
    automatic: Flag = False
    """The daily run starts by itself."""


class Disconnection(Section):
    days_before: Days = 2
    """Days before supply is cut on which that is noticed of; 0 is the same as 1."""
    automatic: Flag = False
    """The daily run starts by itself."""


class Notices(Section):
    hours: OpeningHours = Hours(time(9), time(20))
    """Messages nobody waits for go out inside these."""
    days: Literal["working", "all"] = "working"
    """On which notices and announcements go out."""
    holidays: Holidays = Holidays()
    min_validity: Duration = Field(Duration("2h"), validate_default=True)
    """Notices and announcements are not submitted in this last part of the hours."""
    max_per_run: Count = 30000
    """A run of more is held until it is confirmed."""
    overdue: Overdue = Overdue()
    disconnection: Disconnection = Disconnection()

    @field_validator("min_validity")
    @classmethod
    def _leaves_some_of_the_hours(cls, value: Duration, info: ValidationInfo) -> Duration:
        hours = info.data.get("hours")
        if isinstance(hours, Hours) and value >= hours.length:
            raise ValueError(f"is {value}, and of the hours {hours} nothing is left")
        return value


class Replies(Section):
    max_parts: Parts = 4
    """Of one answer; 0: as many as it takes."""
    texts: dict[str, dict[str, str]] = {}
    """Texts in place of our own, by name and script (latin, cyrillic)."""


class Codes(Section):
    """How many codes the customers' page sends in a day, at the most."""

    phone: Count = 3
    """To one phone."""
    address: Count = 30
    """Asked for from one address of the network."""
    in_all: Count = 1000


class Http(Section):
    listen: Listen = Address("127.0.0.1", 8080)
    """Health, metrics and the API."""
    public: Listen | None = None
    """The customers' page, and nothing else; null: there is none."""
    proxies: tuple[Network, ...] = ()
    """Networks of our own proxies, whose word on who asks is taken (X-Forwarded-For)."""
    rate: Rate = 10.0
    """Requests a second that a partner's key may make, unless it was given a rate of its own."""
    rate_in_all: Rate = 50.0
    """Requests a second to the API, over all keys."""
    codes: Codes = Codes()


class Log(Section):
    format: Literal["auto", "console", "json"] = "auto"
    """auto: console on a terminal, JSON otherwise."""
    level: Literal["debug", "info", "warning", "error"] = "info"


class Retention(Section):
    """How long personal data is kept."""

    texts: PositiveDuration = Duration("90d")
    """What was written, either way."""
    messages: Kept = Duration("730d")
    """To and from whom; registrations that have ended."""
    evidence: Kept = Duration("730d")
    """What notices said, and to whom."""


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
    reassembly: Reassembly = Reassembly()
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
