"""What clerks type to name a phone or a customer, read or refused in words they understand."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smsgw.service.message import Msisdn

Phone = Annotated[
    str, typer.Argument(metavar="MSISDN", help="A phone number: 0888123456, +359888123456, ….")
]
Customer = Annotated[str, typer.Argument(metavar="NUMBER", help="A customer number, 12 digits.")]


def either(who: str, hint: str = "MSISDN|NUMBER") -> tuple["Msisdn | None", str | None]:
    """Twelve digits that begin with 359 can be either, and are both then."""
    from smsgw.service import numbers

    phone = number = None
    with suppress(typer.BadParameter):
        phone = stored_msisdn(who)
    with suppress(ValueError):
        number = numbers.customer_number(who)
    if phone is None and number is None:
        raise typer.BadParameter(
            f"{who!r} is neither a phone number nor a customer number", param_hint=hint
        )
    return phone, number


def msisdn_of(text: str) -> "Msisdn":
    from smsgw.service import numbers

    try:
        return numbers.msisdn(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="MSISDN") from None


def stored_msisdn(text: str) -> "Msisdn":
    """A phone that may be registered: also one that no clerk could add, but whose message came."""
    from smsgw.carrier import addresses

    try:
        return msisdn_of(text)
    except typer.BadParameter:
        if phone := addresses.msisdn(text, addresses.UNKNOWN):
            return phone
        raise


def customer_number(text: str) -> str:
    from smsgw.service import numbers

    try:
        return numbers.customer_number(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NUMBER") from None
