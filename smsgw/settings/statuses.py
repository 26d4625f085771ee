"""What a carrier means by its command_statuses, where that is not what the specification says."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import (
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from smsgw.smpp.status import Reaction
from smsgw.smpp.tables import Status

HIGHEST: Final = 0xFFFFFFFF  # section 3.2: command_status has four octets
PREFIX: Final = "ESME_"

# What a refusal may mean; that it is none no setting says.
MEANINGS: Final = {
    reaction.name.lower(): reaction for reaction in Reaction if reaction is not Reaction.ACCEPTED
}


def _status(value: object) -> int:
    """`RSUBMITFAIL`, `ESME_RSUBMITFAIL`, `0x45` or `69`."""
    text = str(value)
    name = text.upper().removeprefix(PREFIX)
    if name in Status.__members__:
        number = int(Status[name])
    elif re.fullmatch(r"0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10}", text):
        number = int(text, 16 if text[1:2] in ("x", "X") else 10)
    else:
        near = get_close_matches(name, Status.__members__, n=1)
        advice = (
            f"there is no such status; did you mean {near[0]}?"
            if near
            else "write a status by its name or number: RSUBMITFAIL or 0x45"
        )
        raise ValueError(advice)
    if not number:
        raise ValueError("is no refusal")
    if number > HIGHEST:
        raise ValueError("is more than command_status can be, 0xffffffff")
    return number


def _meaning(value: object) -> Reaction:
    if isinstance(value, Reaction):
        return value
    if (word := str(value)) in MEANINGS:
        return MEANINGS[word]
    near = get_close_matches(word.lower(), MEANINGS, n=1)
    *others, last = MEANINGS
    said = f"must be {', '.join(others)} or {last}"
    raise ValueError(f"{said}; did you mean {near[0]}?" if near else said)


def _once_each(written: Any, handler: ValidatorFunctionWrapHandler) -> dict[int, Reaction]:
    """The meanings by status. Raises with all keys that name a status again."""
    statuses: dict[int, Reaction] = handler(written)
    faults = list(_repeated(written)) if len(statuses) < len(written) else []
    if faults:
        raise ValidationError.from_exception_data("statuses", faults)
    return statuses


def _repeated(written: Any) -> Iterator[InitErrorDetails]:
    first: dict[int, object] = {}
    for key in written:
        if (other := first.setdefault(_status(key), key)) != key:
            said = PydanticCustomError("status", "{said}", {"said": f"is the same as {other}"})
            yield InitErrorDetails(type=said, loc=(key, "[key]"), input=None)


StatusNumber = Annotated[
    int,
    PlainValidator(_status),
    WithJsonSchema(
        {"type": "string", "pattern": "^([A-Za-z_]+|0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})$"}
    ),
]
Statuses = Annotated[
    dict[
        StatusNumber,
        Annotated[Reaction, PlainValidator(_meaning), WithJsonSchema({"enum": list(MEANINGS)})],
    ],
    WrapValidator(_once_each),
]
