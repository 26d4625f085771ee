"""Customers, their bills and their registrations."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from smsgw.service.message import Channel, Msisdn, Script


class BillStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"


class Bill(NamedTuple):
    """One open invoice. `amount` is in cents of `currency`; below zero it is a credit."""

    number: str
    issued_on: date | None
    due_on: date | None
    cut_off_on: date | None
    amount: int
    currency: str


class Account(NamedTuple):
    """A customer number that the billing cache knows, with its open bills."""

    customer_number: str
    bills: tuple[Bill, ...]


class SubscriptionState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"
    REJECTED = "rejected"


class Subscription(NamedTuple):
    """A phone registered for a customer number; it covers bill checks and notices."""

    msisdn: Msisdn
    customer_number: str
    state: SubscriptionState
    carrier: str | None  # None until a message or a clerk says
    script: Script
    channel: Channel
    requested_at: float
    suspect_at: float | None = None  # when the carrier said that the phone is not its own
