"""The report held against what carriers and the world counted by themselves, to the message."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from replay.carrier import Counts, Fate
from replay.world import CHECK_TEXTS, NOTICE, PRICES, SERVICE_TYPES, Ledger, Town

from smsgw.smpp.names import MessageState

Table = Sequence[Mapping[str, Any]]  # rows, by column
Tables = Mapping[str, Table]

SHOWN: Final = 20
KINDS: Final = {word: kind for kind, word in SERVICE_TYPES.items()}
UNDELIVERED: Final = (MessageState.UNDELIVERABLE, MessageState.EXPIRED)


class Seen(NamedTuple):
    """What a report is held against."""

    carriers: Mapping[str, Counts]
    ledger: Ledger
    town: Town


def differences(report: Tables, seen: Seen) -> list[str]:
    """Where the report says another thing; empty if nowhere."""
    pairs = {
        "messages": (_messages(report["messages"]), _messages_seen(seen)),
        "carriers": (_carriers(report["carriers"]), _carriers_seen(seen)),
        "reminders": (_reminders(report["reminders"]), _reminders_seen(seen)),
        "bill checks": (_checks(report["bill_checks"]), _checks_seen(seen)),
        "new registrations": (_new(report["registrations"]), _new_seen(seen)),
        "ended registrations": (_ended(report["registrations"]), seen.ledger.ended),
        "active registrations": (_active(report["active_registrations"]), _active_seen(seen)),
    }
    found = []
    for name, (said, true) in pairs.items():
        for key in sorted({*said, *true}, key=str):
            if said.get(key) != true.get(key):
                found.append(f"{name}, {key}: reported {said.get(key)}, seen {true.get(key)}")
    return found


Counted = Mapping[Any, Any]


def _messages(table: Table) -> Counted:
    """By month, kind and carrier: messages, delivered, parts that were taken, cents."""
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for row in table:
        sums = found.setdefault((row["month"], row["kind"], row["carrier"]), [Decimal()] * 4)
        values = (
            row["messages"],
            row["delivered"],
            row["parts"],
            Decimal(str(row["cost_eur"])) * 100,
        )
        sums[:] = [mine + value for mine, value in zip(sums, values, strict=True)]
    return found


def _messages_seen(seen: Seen) -> Counted:
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for carrier, counts in seen.carriers.items():
        for (month, word, fate), count in counts.messages.items():
            sums = found.setdefault((month, KINDS[word], carrier), [Decimal()] * 4)
            sums[0] += count
            sums[1] += count * (fate is MessageState.DELIVERED)
        for (month, word), parts in counts.parts.items():
            found[month, KINDS[word], carrier][2:] = [
                Decimal(parts), parts * Decimal(str(PRICES[carrier])),
            ]  # fmt: skip
    return found


def _carriers(table: Table) -> Counted:
    """By carrier and end. What a carrier is said to have got and did not end so is none."""
    ends = [name for name in table[0] if name not in _NO_ENDS]
    return {(row["carrier"], end): row[end] for row in table for end in ends if row[end]}


_NO_ENDS: Final = ("carrier", "delivery_rate", "parts", "cost_eur")


def _carriers_seen(seen: Seen) -> Counted:
    found: Counter[tuple[str, str]] = Counter()
    for carrier, counts in seen.carriers.items():
        for (_, _, fate), count in counts.messages.items():
            found[carrier, "messages"] += count
            found[carrier, _end(fate)] += count
    return found


def _end(fate: Fate) -> str:
    if fate is None:
        return "refused"
    return "undelivered" if fate in UNDELIVERED else "delivered"


def _reminders(table: Table) -> Counted:
    """By month: messages, and customer numbers that a message was taken for."""
    return {row["month"]: (row["messages"], row["customer_numbers"]) for row in table}


def _reminders_seen(seen: Seen) -> Counted:
    messages: Counter[str] = Counter()
    for counts in seen.carriers.values():
        for (month, word, _), count in counts.messages.items():
            if word == NOTICE:
                messages[month] += count
    return {
        month: (messages[month], len(numbers)) for month, numbers in seen.ledger.reminded.items()
    }


def _checks(table: Table) -> Counted:
    """By month: messages, and different phones."""
    return {row["month"]: (row["messages"], row["different_phones"]) for row in table}


def _checks_seen(seen: Seen) -> Counted:
    messages: Counter[str] = Counter()
    for counts in seen.carriers.values():
        for (month, text), count in counts.incoming.items():
            if text in CHECK_TEXTS:
                messages[month] += count
    return {month: (messages[month], len(phones)) for month, phones in seen.ledger.checking.items()}


def _new(table: Table) -> Counted:
    return {(row["month"], row["channel"]): row["new"] for row in table if row["new"]}


def _new_seen(seen: Seen) -> Counted:
    return {(month, str(channel)): count for (month, channel), count in seen.ledger.new.items()}


def _ended(table: Table) -> Counted:
    found: Counter[str] = Counter()
    for row in table:
        if row["ended"]:
            found[row["month"]] += row["ended"]
    return found


def _active(table: Table) -> Counted:
    """The last day's: customer numbers, phones, pairs of the two."""
    last = table[-1]
    return {"last": (last["customer_numbers"], last["phones"], last["registrations"])}


def _active_seen(seen: Seen) -> Counted:
    town = seen.town
    return {"last": (len(town.phones), len(town.numbers), sum(map(len, town.phones.values())))}


def shown(found: Sequence[str]) -> Iterator[str]:
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield f"and {len(found) - SHOWN} more"
