"""What the company published of 2017, beside the report's figures, and where that contradicts
itself."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from replay.compare import Tables

MONTHS: Final = 11  # January to November

# As published.
ACTIVE: Final = 140_000  # more than
NEW: Final = 26_000
REMINDED: Final = (20_000, 22_000)  # customers a month
CHECKS: Final = 1_000  # a month, more than
MESSAGES: Final = 180_000  # about, since January
REMINDER_SHARE: Final = 0.94
CHECK_SHARE: Final = 0.06


class Figure(NamedTuple):
    what: str
    published: str
    ours: str
    agrees: bool | None  # None: it can't, as other published figures stand against it


def figures(report: Tables, share: float) -> list[Figure]:
    """`report` is of January to November, of a company of which `share` was played."""
    active = report["active_registrations"][-1]["customer_numbers"]
    new = sum(row["new"] for row in report["registrations"])
    reminded = [row["customer_numbers"] for row in report["reminders"]]
    checks = [row["messages"] for row in report["bill_checks"]]
    reminders = sum(row["messages"] for row in report["reminders"])
    both = reminders + sum(checks)
    sent = sum(row["messages"] for row in report["messages_by_kind"])
    low, high = (bound * share for bound in REMINDED)
    return [
        Figure(
            "active registrations", f"more than {ACTIVE * share:,.0f}", f"{active:,}",
            active > ACTIVE * share,
        ),
        Figure(
            "new registrations, January to November", f"{NEW * share:,.0f}", f"{new:,}",
            new == round(NEW * share),
        ),
        Figure(
            "customers reminded a month", f"{low:,.0f} to {high:,.0f}", _range(reminded),
            all(low <= one <= high for one in reminded),
        ),
        Figure(
            "bill checks a month", f"more than {CHECKS * share:,.0f}", _range(checks),
            min(checks) > CHECKS * share,
        ),
        Figure(
            "messages since January", f"about {MESSAGES * share:,.0f}",
            f"{both:,} reminders and bill checks; {sent:,} with all others", None,
        ),
        Figure(
            "of these reminders", f"{REMINDER_SHARE:.0%}", f"{reminders / both:.1%}", None
        ),
        Figure("of these bill checks", f"{CHECK_SHARE:.0%}", f"{sum(checks) / both:.1%}", None),
    ]  # fmt: skip


def _range(values: list[int]) -> str:
    return f"{min(values):,} to {max(values):,}"


def contradictions() -> Iterator[str]:
    """Published figures that can't be true together; at full size."""
    low, high = REMINDED
    reminders, checks = MESSAGES * REMINDER_SHARE, MESSAGES * CHECK_SHARE
    yield (
        f"{REMINDER_SHARE:.0%} of {MESSAGES:,} messages since January are {reminders:,.0f}"
        f" reminders, {reminders / MONTHS:,.0f} a month; {low:,} to {high:,} a month are"
        f" {low * MONTHS:,} to {high * MONTHS:,} in {MONTHS} months"
        f" ({reminders:,.0f} are what {reminders / high:.1f} to {reminders / low:.1f} months have)"
    )
    yield (
        f"{CHECK_SHARE:.0%} of {MESSAGES:,} messages are {checks:,.0f} bill checks,"
        f" {checks / MONTHS:,.0f} a month; published are more than {CHECKS:,} a month,"
        f" {CHECKS * MONTHS:,} in {MONTHS} months"
    )
    most, least = (CHECKS / (CHECKS + bound) for bound in REMINDED)
    yield (
        f"{CHECKS:,} bill checks beside {low:,} to {high:,} reminders a month are"
        f" {least:.1%} to {most:.1%} of both, not {CHECK_SHARE:.0%}"
    )
    yield (
        f"{CHECK_SHARE:.0%} and {REMINDER_SHARE:.0%} are all messages: none is left for the"
        f" answers to {NEW:,} registrations"
    )


def monthly(report: Tables) -> Iterator[tuple[str, ...]]:
    """A line a month, under its header."""
    yield ("month", "new", "reminders", "reminded", "bill checks", "phones checking")
    new: dict[str, int] = {}
    for row in report["registrations"]:
        new[row["month"]] = new.get(row["month"], 0) + row["new"]
    for reminders, checks in zip(report["reminders"], report["bill_checks"], strict=True):
        yield (
            reminders["month"], f"{new.get(reminders['month'], 0):,}",
            f"{reminders['messages']:,}", f"{reminders['customer_numbers']:,}",
            f"{checks['messages']:,}", f"{checks['different_phones']:,}",
        )  # fmt: skip
