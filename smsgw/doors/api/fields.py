"""What requests are made of, and what answers are: kinds of values, each as it is described."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Header, Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from smsgw.service import numbers
from smsgw.service.message import Msisdn

LARGEST_ID: Final = 2**63 - 1  # SQLite's
LARGEST_PAGE: Final = 200

_PHONE: Final = rf"^(?:(?:\+|00)?{numbers.COUNTRY_CODE}|0){numbers.MOBILE}$"


_MOMENT: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"


def _phone(value: object) -> Msisdn:
    """A mobile number as programs write it; one that is written otherwise is told what is wrong."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    if not re.fullmatch(_PHONE, value, re.ASCII):
        numbers.msisdn(value)
        raise ValueError(f"{value!r} must be digits, as 359888123456 is")
    return numbers.msisdn(value)


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("must be a date, as 2026-12-15 is one")
    return date.fromisoformat(value)


def _moment(value: object) -> datetime:
    """As RFC 3339 has it, with an offset."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value, re.ASCII | re.IGNORECASE):
        raise ValueError("must be a moment with its offset, as 2026-12-01T06:00:00+02:00 is one")
    return datetime.fromisoformat(value.upper())


def _twelve_digits(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{12}", value, re.ASCII):
        raise ValueError("must be a customer number, a string of 12 digits")
    return value


Phone = Annotated[
    Msisdn,
    PlainValidator(_phone),
    PlainSerializer(lambda phone: phone.digits),
    WithJsonSchema({"type": "string", "pattern": _PHONE, "examples": ["359888123456"]}),
]
CustomerNumber = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{12}$", "examples": ["300012345678"]}),
    BeforeValidator(_twelve_digits),
]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
# Which carriers there are is put into the description when it is made.
CARRIERS: Final = "x-carriers"
CarrierId = Annotated[str, WithJsonSchema({"type": "string", CARRIERS: True, "examples": ["mtel"]})]
Once = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,128}$",
        description="Makes a repeated request harmless: it is done once and answered as before.",
    ),
]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
After = Annotated[
    int, Query(ge=0, le=LARGEST_ID, description="`next` of the page before this one.")
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]


class Asked(BaseModel):
    """What comes in: a field that nobody knows is an error, and so is a number for a string."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """What goes out."""

    model_config = ConfigDict(frozen=True)


Item = TypeVar("Item")


class Page(Told, Generic[Item]):
    """Some of many: `next` is the `after` of the next page, null where this is the last."""

    items: list[Item]
    next: int | None


Json = dict[str, Any]
