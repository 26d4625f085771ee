"""What a message is decided on, and what a decision is made of: values, and nothing but values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, NamedTuple

from smsgw.service.answer import Room, lines
from smsgw.service.customer import Account, Subscription, SubscriptionState
from smsgw.service.hours import ALL_DAY, Hours
from smsgw.service.keywords import Reading
from smsgw.service.message import Encoding, MessageKind, Msisdn, Script
from smsgw.service.replies import Replies, Wording
from smsgw.service.today import NOTHING, Silence, Used


class Known(NamedTuple):
    """What the stores know that bears on one message."""

    subscriptions: tuple[Subscription, ...]  # the sender's pending and active ones, oldest first
    accounts: Mapping[str, Account]  # those of needs() that the billing cache knows
    others: Mapping[str, tuple[Subscription, ...]]  # number of the message -> other phones' live
    cache_as_of: float | None  # seconds since 1970; None: there never was a feed
    today: Used = NOTHING  # what the sender has had
    # Whether the message's code is one of the number's invoices'; of a number whose invoices have
    # none in the cache, nothing. Asked for only where a code is required.
    codes: Mapping[str, bool] = {}
    tries: Mapping[str, int] = {}  # wrong codes for a number of the message today


STANDARD: Final = Encoding()


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about conversations. A bound of 0 means none."""

    replies: Replies
    numbers_per_phone: int
    phones_per_number: int
    sms: bool  # whether a message can register
    max_age: float  # seconds
    max_parts: int
    timezone: tzinfo
    unknown_numbers_per_day: int = 0  # of a phone
    hints_per_day: int = 0
    answers_per_day: int = 0
    activation_limit: float = 0.0  # seconds after which what is still pending is rejected
    require_code: bool = False
    hours: Hours = ALL_DAY  # for messages that nobody waits for
    encodings: Mapping[str, Encoding] = field(default_factory=dict)  # by carrier

    def room(self, carrier: str | None) -> Room:
        """What a message over this carrier may take."""
        return Room(self.max_parts, self.encodings.get(carrier or "", STANDARD))


class Subscribe(NamedTuple):
    """Register the sender for a customer number, or make the pending registration active."""

    customer_number: str
    state: SubscriptionState
    script: Script
    code: str | None = None  # of a pending one, where it is required: to be held against a feed


class End(NamedTuple):
    """End the sender's subscription to a customer number."""

    customer_number: str


class Move(NamedTuple):
    """Take all of the sender's subscriptions to the carrier that the message came over: it is the
    phone's own, whatever a carrier said of it before."""

    carrier: str


class Block(NamedTuple):
    """Take no registration of a phone's from elsewhere, until a message of its own asks for one."""

    msisdn: Msisdn


Change = Subscribe | End | Move | Block


class Reply(NamedTuple):
    """A text for a customer."""

    kind: MessageKind
    text: str
    script: Script


class Told(NamedTuple):
    """A text for another phone than the sender's, which does not wait for it."""

    reply: Reply
    subscription: Subscription


class Decision(NamedTuple):
    """What to write, in this order, and what to send."""

    changes: tuple[Change, ...]
    replies: tuple[Reply, ...]  # to the sender
    told: tuple[Told, ...] = ()  # to others
    silence: Silence | None = None  # why there is no reply
    used: Used = NOTHING  # of the sender's day
    tried: tuple[str, ...] = ()  # customer numbers that a wrong code was given for


class Turn(NamedTuple):
    """One message, and all that its answer depends on."""

    sender: Msisdn
    reading: Reading
    known: Known
    held: Mapping[str, Subscription]  # the sender's, by customer number
    now: float
    rules: Rules
    texts: Wording
    script: Script
    room: Room

    def say(self, closing: str, items: Sequence[tuple[str, str]] = ()) -> str:
        """A line for each of `items` (customer number, line), then `closing`."""
        return lines(items, closing, self.texts["more"], self.room)


class Said(NamedTuple):
    """An answer before the daily bounds are held against it, and what goes with it."""

    text: str
    changes: tuple[Change, ...] = ()
    told: tuple[Told, ...] = ()
    unknown_numbers: int = 0  # asked for that the cache doesn't know
    refused: bool = False  # it says that these were too many
    only_refused: bool = False  # it says nothing else
    tried: tuple[str, ...] = ()
