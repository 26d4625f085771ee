"""The kinds of value a configuration holds, and how each is written: durations, addresses, ids.

Every type turns the text of the file into the value the program works with, and tells the JSON
Schema how that text looks. A `ValueError` raised here says what to write instead. Numbers that
come from code rather than from a file (defaults, tests) are taken as they are.
"""

import ipaddress
import re
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    SecretStr,
    Strict,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, core_schema

from smsgw.service.hours import Hours
from smsgw.service.message import MessageKind
from smsgw.settings.secret import resolve
from smsgw.settings.tlvs import encodable
from smsgw.text.segmentation import MAX_PARTS

PASSWORD_OCTETS: Final = 64  # SMPP says 8 (section 5.2.2); some carriers take more
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class Duration(float):
    """Seconds. Written as a whole number with a unit: `30s`, `10m`, `36h`, `90d`; or as `0`."""

    def __new__(cls, value: str | float) -> Self:
        if isinstance(value, str):
            if not re.fullmatch(r"[0-9]{1,9}[dhms]", value):
                raise ValueError("write a duration with its unit: 30s, 10m, 36h or 90d")
            value = int(value[:-1]) * UNITS[value[-1]]
        return super().__new__(cls, value)

    def __str__(self) -> str:
        unit = next((unit for unit, size in UNITS.items() if self and self % size == 0), "s")
        return f"{float(self) / UNITS[unit]:g}{unit}"

    @classmethod
    def read(cls, value: object) -> Self:
        return cls(value if isinstance(value, float) or value == 0 else str(value))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "pattern": "^[0-9]+[dhms]$"}, {"const": 0}]}


LEAST_KEPT: Final = Duration("8d")  # longer than any message is on its way


class Percent(float):
    """A share of one. Written as a percentage: `10%` is 0.1."""

    def __new__(cls, value: str | float) -> Self:
        if isinstance(value, str):
            if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?%", value) or float(value[:-1]) > 100:
                raise ValueError("write a percentage from 0% to 100%: 10%")
            value = float(value[:-1]) / 100
        return super().__new__(cls, value)

    def __str__(self) -> str:
        return f"{float(self) * 100:g}%"

    @classmethod
    def read(cls, value: object) -> Self:
        return cls(value if isinstance(value, float) else str(value))

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}


class Address(NamedTuple):
    """Where to listen. Written `host:port`, an IPv6 address in brackets; port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _host(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
        if len(value) > 253 or not re.fullmatch(rf"{label}(\.{label})*\.?", value):
            raise ValueError("write a host name or an IP address, without a port") from None
    return value


def _address(value: object) -> Address:
    if isinstance(value, Address):
        return value
    host, _, port = str(value).rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    try:
        address = Address(_host(bare), int(port))
    except ValueError:
        address = None
    if address is None or not 0 <= address.port <= 65535 or (":" in bare) != bracketed:
        raise ValueError("write host:port, as in 127.0.0.1:8080 or [::1]:8080")
    return address


def _remote(value: object) -> Address:
    """A host with or without a port; 0 stands for the port that isn't there."""
    if isinstance(value, Address):
        return value
    text = str(value)
    try:
        return Address(_host(text), 0)
    except ValueError:
        pass
    try:
        address = _address(text)
    except ValueError:
        address = Address("", 0)
    if not address.port:
        raise ValueError("write a host, or host:port as in smsc1.example.com:2775 or [::1]:2775")
    return address


def _hours(value: object) -> Hours:
    if isinstance(value, Hours):
        return value
    try:
        opens, closes = (time.fromisoformat(part) for part in str(value).split("-"))
    except ValueError:
        raise ValueError("write hours as 09:00-20:00") from None
    if opens >= closes:
        raise ValueError("the hours close before they open")
    return Hours(opens, closes)


def _timezone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ValueError, OSError, LookupError):
        raise ValueError(f"there is no time zone {value}; write one like Europe/Sofia") from None


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("write a date as 2026-12-24") from None


def _kind(value: object) -> MessageKind:
    if isinstance(value, MessageKind):
        return value
    try:
        return MessageKind[str(value).upper()]
    except KeyError:
        names = ", ".join(kind.name.lower() for kind in MessageKind)
        raise ValueError(f"there is no such kind of message; the kinds are {names}") from None


def _tag(value: object) -> int:
    if isinstance(value, int):
        return value
    if not re.fullmatch(r"0x[0-9A-Fa-f]{1,4}", str(value)):
        raise ValueError("write a TLV's tag as 0x1401")
    return int(str(value), 16)


def _octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", str(value)):
        raise ValueError('write octets in hex, two digits each: "01ff"')
    return bytes.fromhex(str(value))


def _path(value: object, info: ValidationInfo) -> Path:
    """A relative path starts at the configuration file's folder (the validation's context)."""
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("write a path")
    return Path(info.context or "") / value


def _existing(path: Path) -> Path:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    return path


def _network(value: object) -> IpNetwork:
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        raise ValueError("write a network as 10.20.0.0/16, an address as 10.20.0.5") from None


def _secret(value: object, info: ValidationInfo) -> SecretStr:
    return resolve(value, Path(info.context or ""))


def _password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) > PASSWORD_OCTETS or not re.fullmatch("[ -~]*", text):
        raise ValueError(f"must be at most {PASSWORD_OCTETS} printable ASCII characters")
    return value


def _credential(value: SecretStr) -> SecretStr:
    if not value.get_secret_value():
        raise ValueError("must not be empty: whoever knows the name would be let in")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return value


def _positive(value: Duration) -> Duration:
    if value <= 0:
        raise ValueError("must be more than 0s")
    return value


def _kept(value: Duration) -> Duration:
    if value < LEAST_KEPT:
        raise ValueError(f"must be {LEAST_KEPT} at least: what is on its way refers to it")
    return value


def _octet_string(limit: int) -> StringConstraints:
    """A C-octet string of printable ASCII; `limit` is SMPP's maximum without the NUL."""
    return StringConstraints(pattern=r"^[ -~]*$", max_length=limit)


NUMBER_SCHEMA: Final = {"type": "number", "minimum": 0}
SECRET_SCHEMA: Final = {
    "anyOf": [
        {"type": "string"},
        *(
            {
                "type": "object",
                "properties": {source: {"type": "string"}},
                "required": [source],
                "additionalProperties": False,
            }
            for source in ("env", "file")
        ),
    ]
}

Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
Days = Annotated[Count, Field(le=366)]
Whole = Annotated[int, Strict(), Field(ge=1)]
Parts = Annotated[Count, Field(le=MAX_PARTS)]
Rate = Annotated[float, BeforeValidator(_number), Field(ge=0)]
Price = Annotated[
    Decimal, BeforeValidator(_number), Field(ge=0, le=100_000), WithJsonSchema(NUMBER_SCHEMA)
]  # a part for a thousand euros is a mistake
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Kept = Annotated[Duration, AfterValidator(_kept)]
Host = Annotated[str, AfterValidator(_host)]
Remote = Annotated[Address, PlainValidator(_remote), WithJsonSchema({"type": "string"})]
Listen = Annotated[Address, PlainValidator(_address), WithJsonSchema({"type": "string"})]
OpeningHours = Annotated[
    Hours,
    PlainValidator(_hours),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"}),
]
Timezone = Annotated[ZoneInfo, PlainValidator(_timezone), WithJsonSchema({"type": "string"})]
Day = Annotated[date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
FilePath = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string"})]
ExistingFile = Annotated[FilePath, AfterValidator(_existing)]
Network = Annotated[IpNetwork, PlainValidator(_network), WithJsonSchema({"type": "string"})]
Secret = Annotated[SecretStr, BeforeValidator(_secret), WithJsonSchema(SECRET_SCHEMA)]
Password = Annotated[Secret, AfterValidator(_password)]
Credential = Annotated[Password, AfterValidator(_credential)]
Name = Annotated[
    str,
    BeforeValidator(lambda value: "" if value is None else value),
    WithJsonSchema({"type": ["string", "null"]}),
]
CarrierId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
Shortcode = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
NumberRange = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
# As an SMSC writes it after `err:`.
ReceiptError = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
Ton = Annotated[int, Strict(), Field(ge=0, le=6)]  # section 5.2.5
Npi = Annotated[int, Strict(), Field(ge=0, le=18)]  # section 5.2.6
SourceAddress = Annotated[str, _octet_string(20)]
SystemId = Annotated[str, _octet_string(15), Field(min_length=1)]
SystemType = Annotated[str, _octet_string(12)]
ServiceType = Annotated[str, _octet_string(5)]
Kind = Annotated[
    MessageKind,
    PlainValidator(_kind),
    WithJsonSchema({"enum": [kind.name.lower() for kind in MessageKind]}),
]
Tlvs = Annotated[
    dict[
        Annotated[
            int,
            PlainValidator(_tag),
            WithJsonSchema({"type": "string", "pattern": "^0x[0-9A-Fa-f]{1,4}$"}),
        ],
        Annotated[
            bytes,
            PlainValidator(_octets),
            WithJsonSchema({"type": "string", "pattern": "^([0-9A-Fa-f]{2})*$"}),
        ],
    ],
    WrapValidator(encodable),
]
