"""What the service and the store take from the configuration, as the values they know."""

from dataclasses import dataclass

from smsgw.service.calendar import Calendar
from smsgw.service.decision import Rules
from smsgw.service.keep import Keep
from smsgw.service.keyed import Keyed
from smsgw.service.message import BULK, Encoding, MessageKind, Msisdn
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.replies import Company, Replies
from smsgw.service.report import Books
from smsgw.service.retry import SENT_ONCE_MORE, Losses
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.model import Settings
from smsgw.settings.public_holidays import PublicHolidays
from smsgw.text.reassembly import Bounds


def rules(settings: Settings) -> Rules:
    """The rules of conversations."""
    return Rules(
        replies=_replies(settings),
        numbers_per_phone=settings.subscriptions.numbers_per_phone,
        phones_per_number=settings.subscriptions.phones_per_number,
        sms=settings.subscriptions.sms,
        max_age=settings.billing.max_age,
        max_parts=settings.replies.max_parts,
        timezone=settings.timezone,
        unknown_numbers_per_day=settings.subscriptions.unknown_numbers_per_day,
        hints_per_day=settings.subscriptions.hints_per_day,
        answers_per_day=settings.subscriptions.answers_per_day,
        activation_limit=settings.subscriptions.activation_limit,
        require_code=settings.subscriptions.require_code,
        hours=settings.notices.hours,
        encodings=encodings(settings),
    )


def calendar(settings: Settings) -> Calendar:
    """The days and hours on which messages go out that nobody is waiting for."""
    notices = settings.notices
    return Calendar(
        timezone=settings.timezone,
        hours=notices.hours,
        days=notices.days,
        is_holiday=PublicHolidays(notices.holidays.add, notices.holidays.remove),
        min_validity=notices.min_validity,
    )


def notice_rules(settings: Settings) -> NoticeRules:
    """The rules of notices."""
    notices = settings.notices
    return NoticeRules(
        calendar=calendar(settings),
        replies=_replies(settings),
        max_age=settings.billing.max_age,
        days_after_due=notices.overdue.days_after_due,
        days_before_cut_off=notices.disconnection.days_before,
        max_per_run=notices.max_per_run,
        prices={carrier.id: float(carrier.price) for carrier in settings.carriers.values()},
        encodings=encodings(settings),
    )


def daily(settings: Settings) -> tuple[NoticeKind, ...]:
    """The kinds of which a run starts by itself on each open day, the most urgent first."""
    automatic = {
        NoticeKind.DISCONNECTION: settings.notices.disconnection.automatic,
        NoticeKind.OVERDUE: settings.notices.overdue.automatic,
    }
    return tuple(kind for kind, wanted in automatic.items() if wanted)


def _replies(settings: Settings) -> Replies:
    return Replies(settings.replies.texts, Company(**settings.company.model_dump()))


def secret(settings: Settings) -> str | None:
    """The key of all keyed digests; None: the one that is kept in data_dir."""
    return None if settings.secret is None else settings.secret.get_secret_value()


def losses(settings: Settings) -> Losses:
    """What follows where a response was lost."""
    unknown = settings.unknown
    resend = frozenset[MessageKind]()
    if unknown.notice == "resend":
        resend |= BULK
    if unknown.other == "resend":
        resend |= frozenset(MessageKind) - BULK - SENT_ONCE_MORE
    return Losses(unknown.wait, resend)


def keep(settings: Settings) -> Keep:
    """For how long personal data is kept."""
    return Keep(**settings.retention.model_dump())


def reassembly(settings: Settings) -> Bounds:
    """Past what a long message from a customer is taken for what came of it."""
    return Bounds(**settings.reassembly.model_dump())


def encodings(settings: Settings) -> dict[str, Encoding]:
    """How the links of each carrier that is enabled write text, by its id.

    Messages are made for these carriers only: over any other they would never go out.
    """
    return {
        carrier.id: encoding(carrier) for carrier in settings.carriers.values() if carrier.enabled
    }


def books(settings: Settings, keyed: Keyed) -> Books:
    """By what messages are counted, also those over carriers that are no longer enabled."""
    carriers = settings.carriers.values()
    return Books(
        keyed,
        settings.timezone,
        {carrier.id: round(carrier.price * 1000) for carrier in carriers},
        {carrier.id: encoding(carrier) for carrier in carriers},
    )


def encoding(carrier: CarrierSettings) -> Encoding:
    return Encoding(carrier.default_alphabet, carrier.long_messages, carrier.receipts)


@dataclass(frozen=True, slots=True)
class NumberRanges:
    """Which carrier's number a phone's is by its first digits. The longest that fit decide."""

    ranges: tuple[tuple[str, str], ...]  # (first digits, carrier), the longest first

    def carrier(self, msisdn: Msisdn) -> str | None:
        """The carrier's id; None where no range says."""
        digits = msisdn.digits
        return next((carrier for start, carrier in self.ranges if digits.startswith(start)), None)


def number_ranges(settings: Settings) -> NumberRanges:
    """The number ranges of all carriers; of equal ones the first carrier's counts."""
    ranges = [
        (start, carrier.id)
        for carrier in settings.carriers.values()
        for start in carrier.number_ranges
    ]
    return NumberRanges(tuple(sorted(ranges, key=lambda one: -len(one[0]))))
