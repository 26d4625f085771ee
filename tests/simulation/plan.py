"""What one seed plays: three carriers, their customers, the messages of commands, the faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Final, NamedTuple

from smsgw.service.message import MessageKind

HOUR: Final = 3600.0
MOS: Final = 102  # of each carrier
OTHERS: Final = 101
LONG: Final = 0.08  # of the MOs come in parts
PHONES: Final = 35  # of each carrier
BOUNDS: Final = (  # none of them bounds anything here
    "numbers_per_phone",
    "phones_per_number",
    "unknown_numbers_per_day",
    "hints_per_day",
    "answers_per_day",
)
SHORTCODE: Final = "170077"


class Fault(StrEnum):
    """All that goes wrong. Each must happen at least once in ten seeds."""

    DROP = "drop"
    SILENCE = "silence"
    AWAY = "carrier away"
    BIND_REFUSED = "bind refused"
    THROTTLED = "throttled"
    TEMPORARY = "temporary refusal"
    FEW_TRIES = "refusal of few tries"
    PERMANENT = "permanent refusal"
    QUEUE_FULL = "queue full"
    LINK_REFUSAL = "refusal for the link"
    TLV_REFUSAL = "refusal for a TLV"
    RESPONSE_LOST = "response lost"
    RESPONSE_LATE = "late response"
    RECEIPT_EARLY = "early receipt"
    RECEIPT_DOUBLED = "doubled receipt"
    RECEIPT_MISSING = "missing receipt"
    RECEIPT_INTERMEDIATE = "intermediate receipt"
    RECEIPT_OUT_OF_ORDER = "receipts out of order"
    RECEIPT_CONTRADICTED = "contradicting receipt"
    REDELIVERED = "redelivery"
    PART_TWICE = "part sent twice"
    PARTS_DISORDERED = "parts out of order"
    PART_MISSING = "part never sent"
    QUESTION_REFUSED = "question refused"
    RESTART = "orderly restart"
    KILL = "kill at any instant"
    KILL_BEFORE_COMMIT = "kill before a commit"
    KILL_AMID_COMMIT = "kill amid a transaction"
    KILL_AFTER_COMMIT = "kill after a commit"
    KILL_AMID_WRITE = "kill amid a write"
    STORAGE_LOCKED = "storage locked"
    STORAGE_FULL = "storage full"
    STORAGE_STALLED = "storage stalled"


KILLS: Final = (
    Fault.KILL,
    Fault.KILL_BEFORE_COMMIT,
    Fault.KILL_AMID_COMMIT,
    Fault.KILL_AFTER_COMMIT,
    Fault.KILL_AMID_WRITE,
)


class Carrier(NamedTuple):
    """One carrier's section of the configuration, and its SMSC's habits."""

    id: str
    settings: Mapping[str, Any]
    response_timeout: float
    receipts_by_tlv: bool


class MoPart(NamedTuple):
    """One deliver_sm of a customer's."""

    name: str
    carrier: str
    phone: str
    data_coding: int
    esm_class: int
    octets: bytes


class Customer(NamedTuple):
    """A message that a customer sends at `at`, in `parts`, each after its delay."""

    at: float
    number: str  # the customer number in it, by which it is told from all others
    parts: Sequence[tuple[float, MoPart]]
    faults: Sequence[Fault]

    @property
    def whole(self) -> bool:
        return Fault.PART_MISSING not in self.faults


class Other(NamedTuple):
    """A message that a command or a run puts into the queue."""

    carrier: str
    kind: MessageKind
    phone: str
    text: str


class Episode(NamedTuple):
    at: float
    carrier: str  # "": the storage's
    fault: Fault
    seconds: float


class Restart(NamedTuple):
    at: float
    how: Fault
    down: float  # seconds until it is started again


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a seed decides beforehand."""

    carriers: Sequence[Carrier]
    settings: Mapping[str, Any]
    customers: Sequence[Customer]
    others: Sequence[tuple[float, Sequence[Other]]]
    episodes: Sequence[Episode]
    restarts: Sequence[Restart]


def make(random: Random, data_dir: str) -> Plan:
    # Of a message that waits unread in a socket the daemon knows only since when it has read it:
    # what an SMSC sends again meanwhile is two messages to it. So with windows as narrow as that,
    # storage does not stall for as long as SMSCs wait.
    narrow = random.random() < 0.5
    names = ("mtel", "telenor", "vivacom")
    carriers = [_carrier(random, name, inbound_window=5 if narrow else 1000) for name in names]
    settings = {
        "shortcode": SHORTCODE,
        "data_dir": data_dir,
        "secret": "of no worth",
        "carriers": {each.id: each.settings for each in carriers},
        "subscriptions": dict.fromkeys(BOUNDS, 0) | {"activation_limit": "30d"},
        "duplicates": {"window": "60m"},
        "unknown": {
            "wait": random.choice(("2m", "15m")),
            "notice": random.choice(("hold", "resend")),
            "other": random.choice(("hold", "resend")),
        },
    }
    return Plan(
        carriers,
        settings,
        [one for carrier in carriers for one in _customers(random, carrier)],
        [one for carrier in carriers for one in _others(random, carrier)],
        _episodes(random, names, stall=12.0 if narrow else 45.0),
        _restarts(random),
    )


def _carrier(random: Random, name: str, *, inbound_window: int) -> Carrier:
    response_timeout = random.choice((8, 15, 30, 60))
    settings = {
        "host": name,
        "port": 2775,
        "system_id": "cez",
        "password": "secret",
        "bind": random.choice(("transceiver", "transceiver", "transmitter+receiver")),
        "sessions": random.choice((1, 1, 2)),
        "window": random.choice((2, 5, 10, 50)),
        "inbound_window": inbound_window,
        "throughput": random.choice((0, 0, 2, 10)),
        "enquire_link": random.choice(("10s", "30s")),
        "response_timeout": f"{response_timeout}s",
        "default_alphabet": random.choice(("gsm7", "latin1")),
        "long_messages": random.choice(("udh", "udh16", "sar", "payload")),
        "validity": random.choice(("relative", "absolute", "none")),
        "tlvs": random.choice(({}, {"0x1401": "01"})),
        "receipts": random.random() < 0.9,
        "query_after": random.choice(("0s", "5m", "15m")),
        "message_id": random.choice(("as_is", "hex_in_response", "hex_in_receipt")),
    }
    return Carrier(name, settings, response_timeout, random.random() < 0.5)


# -- what customers send -----------------------------------------------------------------------

# One word of the keyword, in the alphabet that makes one part or two of the answer.
ASKING: Final = ("smetka {}", "{}", "сметка {}", "stop {}", "моля, запишете {}")
LONG_TEXT: Final = "моят номер на клиент е {}, {}, {}, {}, {}"


def _phone(carrier: str, number: int) -> str:
    return {"mtel": "35988", "telenor": "35989", "vivacom": "35987"}[carrier] + f"{number:07d}"


def _moments(random: Random, count: int) -> list[float]:
    """Half of them in bursts of ten seconds, the others at any time."""
    bursts = [random.uniform(0.0, HOUR - 20) for _ in range(5)]
    return sorted(
        random.choice(bursts) + random.uniform(0.0, 10.0)
        if random.random() < 0.5
        else random.uniform(0.0, HOUR - 10)
        for _ in range(count)
    )


def _customers(random: Random, carrier: Carrier) -> list[Customer]:
    first = {"mtel": 1, "telenor": 3, "vivacom": 5}[carrier.id]
    found = []
    for index, at in enumerate(_moments(random, MOS)):
        serial = index * 10
        numbers = [f"3000{first}{serial + each:07d}" for each in range(5)]
        phone = _phone(carrier.id, random.randrange(PHONES))
        if random.random() < LONG:
            found.append(_long(random, carrier, at, phone, numbers, index))
            continue
        text = random.choice(ASKING).format(numbers[0])
        coding, octets = (0, text.encode()) if text.isascii() else (8, text.encode("utf-16-be"))
        part = MoPart(f"{carrier.id}/{index}", carrier.id, phone, coding, 0, octets)
        found.append(Customer(at, numbers[0], [(0.0, part)], ()))
    return found


def _long(
    random: Random, carrier: Carrier, at: float, phone: str, numbers: list[str], index: int
) -> Customer:
    octets = LONG_TEXT.format(*numbers).encode("utf-16-be")
    size = 66 if random.random() < 0.5 else 134
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    parts = []
    for number, piece in enumerate(pieces, start=1):
        header = bytes((5, 0, 3, index & 0xFF, len(pieces), number))
        name = f"{carrier.id}/{index}.{number}"
        part = MoPart(name, carrier.id, phone, 8, 0x40, header + piece)
        parts.append((random.uniform(0.0, 20.0) if random.random() < 0.2 else 0.1 * number, part))
    faults = []
    if random.random() < 0.2:
        faults.append(Fault.PART_TWICE)
        parts.append((random.uniform(1.0, 60.0), random.choice(parts)[1]))
    if random.random() < 0.2:
        faults.append(Fault.PART_MISSING)
        missing = parts[random.randrange(len(pieces))][1]
        parts = [each for each in parts if each[1] is not missing]
    if [each[1].name for each in sorted(parts)] != sorted(each[1].name for each in parts):
        faults.append(Fault.PARTS_DISORDERED)
    return Customer(at, numbers[0], parts, faults)


# -- what commands and runs send ---------------------------------------------------------------

KINDS: Final = (
    MessageKind.CODE,
    MessageKind.CONFIRMATION,
    MessageKind.MANUAL,
    MessageKind.NOTICE,
    MessageKind.ANNOUNCEMENT,
)


def _others(random: Random, carrier: Carrier) -> list[tuple[float, list[Other]]]:
    """Batches: a few runs of many messages, and single ones between them."""
    sizes = [1] * 21 + [8] * 10
    batches = []
    serial = 0
    for size in sizes:
        batch = []
        for _ in range(size):
            kind = random.choice(KINDS)
            text = f"{carrier.id} {kind.name.lower()} {serial:05d}. "
            if random.random() < 0.25:
                text += random.choice((f"Spirane {serial} v rayona. ", f"Спиране {serial}. ")) * 8
            phone = _phone(carrier.id, random.randrange(PHONES))
            batch.append(Other(carrier.id, kind, phone, text))
            serial += 1
        batches.append((random.uniform(0.0, HOUR - 60), batch))
    return batches


# -- what goes wrong ---------------------------------------------------------------------------


def _episodes(random: Random, carriers: Sequence[str], stall: float) -> list[Episode]:
    def any_time() -> float:
        return random.uniform(30.0, HOUR - 300.0)

    lengths = {
        Fault.AWAY: (20.0, 240.0),
        Fault.DROP: (0.0, 0.0),
        Fault.SILENCE: (0.0, 0.0),
        Fault.THROTTLED: (20.0, 120.0),
        Fault.QUEUE_FULL: (20.0, 120.0),
        Fault.TEMPORARY: (20.0, 120.0),
    }
    found = [
        Episode(any_time(), carrier, fault, random.uniform(*seconds))
        for carrier in carriers
        for fault, seconds in lengths.items()
        if random.random() < 0.8
    ]
    storage = {
        Fault.STORAGE_LOCKED: (0.5, 30.0),
        Fault.STORAGE_FULL: (0.5, 60.0),
        Fault.STORAGE_STALLED: (2.0, stall),
    }
    found += [
        Episode(any_time(), "", fault, random.uniform(*seconds))
        for fault, seconds in storage.items()
        for _ in range(2)
        if random.random() < 0.8
    ]
    return found


def _restarts(random: Random) -> list[Restart]:
    hows = [*random.sample(KILLS, 4), random.choice(KILLS), Fault.RESTART, Fault.RESTART]
    random.shuffle(hows)
    moments = sorted(random.uniform(60.0, HOUR - 120.0) for _ in hows)
    return [
        Restart(at, how, random.choice((0.5, 3.0, 20.0, 90.0)))
        for at, how in zip(moments, hows, strict=True)
    ]
