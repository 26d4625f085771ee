"""The TLVs that a carrier may want on every message: none that no submit could go out with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import InitErrorDetails, PydanticCustomError

from smsgw.smpp.tables import COMMANDS, Command, Tlv, TlvShape, tlv_name

# A message goes out as submit_sm; as deliver_sm where the carrier binds to us.
SHAPES: Final = {**COMMANDS[Command.DELIVER_SM].tlvs, **COMMANDS[Command.SUBMIT_SM].tlvs}
LONGEST: Final = 0xFFFF  # section 3.2.4.1: two octets say how long a value is

# What carries a message, or says which part of one it is: written message by message.
OWN: Final = frozenset(
    {
        Tlv.MESSAGE_PAYLOAD,
        Tlv.SAR_MSG_REF_NUM,
        Tlv.SAR_TOTAL_SEGMENTS,
        Tlv.SAR_SEGMENT_SEQNUM,
    }
)


def encodable(written: Any, handler: ValidatorFunctionWrapHandler) -> dict[int, bytes]:
    """The octets by tag, once the codec can write them. Raises with all that it can't, by key."""
    tlvs: dict[int, bytes] = handler(written)
    faults = [fault for key in written for fault in _faults(key, handler({key: written[key]}))]
    if faults:
        raise ValidationError.from_exception_data("tlvs", faults)
    return tlvs


def _faults(key: str | int, tlv: Mapping[int, bytes]) -> Iterator[InitErrorDetails]:
    for tag, value in tlv.items():
        if tag in OWN:
            yield _fault((key, "[key]"), f"{tlv_name(tag)} is written by the gateway itself")
        elif wrong := _wrong(value, SHAPES.get(tag)):
            yield _fault((key,), f"{tlv_name(tag)} {wrong}")


def _wrong(value: bytes, shape: TlvShape | None) -> str:
    if shape is None:  # the vendor's own, whose form only the carrier knows
        return f"has more than {LONGEST} octets" if len(value) > LONGEST else ""
    if len(value) not in shape.lengths:
        fewest, most = shape.lengths[0], shape.lengths[-1]
        length = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        return f"has {length} {'octet' if most == 1 else 'octets'}, not {len(value)}"
    if shape.text and value.find(0) != len(value) - 1:
        return "is a text: it must end in 00, its only one"
    return ""


def _fault(path: tuple[str | int, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(
        type=PydanticCustomError("tlv", "{said}", {"said": message}), loc=path, input=None
    )
