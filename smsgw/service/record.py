"""A message as it is stored, for those who look at it: how it stands and what comes next."""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from smsgw.service.message import FINAL, Layout, MessageKind, Msisdn, MtState, ReceiptState
from smsgw.service.message_state import message_state
from smsgw.service.retry import SENT_ONCE_MORE

HELD: Final = "held"

# How segments on their way are shown. MtState.UNKNOWN is shown by two words: `unknown` while a
# receipt may settle it, then `held`.
LIVE: Final = (*(state.value for state in MtState if state not in FINAL), HELD)


class SegmentRecord(NamedTuple):
    """One segment. Times are seconds since 1970."""

    state: MtState
    receipt: ReceiptState | None  # what the last one said
    part: int
    attempts: int
    lost: int
    claimed_at: float | None
    changed_at: float
    not_before: float | None
    message_id: str | None
    error: str | None
    done_date: str | None  # as the receipt gave it

    @property
    def held(self) -> bool:
        """Nothing becomes of it by itself while it is worth sending."""
        return self.state is MtState.UNKNOWN and self.not_before is None

    @property
    def shown(self) -> str:
        return HELD if self.held else self.state.value


class MessageRecord(NamedTuple):
    """One message with all its segments."""

    id: int
    mo: int | None  # what it answers
    kind: MessageKind
    carrier: str
    msisdn: Msisdn | None  # None: erased
    text: str | None  # None: no longer kept
    data_coding: int
    created_at: float
    valid_until: float  # past it, no attempt is made
    layout: Layout
    reference: int
    segments: tuple[SegmentRecord, ...]
    repeat_of: int | None = None  # the message that it repeats over another carrier

    @property
    def state(self) -> MtState:
        return message_state(one.state for one in self.segments)

    @property
    def shown(self) -> str:
        held = self.state is MtState.UNKNOWN and any(one.held for one in self.segments)
        return HELD if held else self.state.value

    @property
    def attempts(self) -> int:
        """Of the segment that was tried most often."""
        return max(one.attempts for one in self.segments)

    @property
    def next_at(self) -> float | None:
        """When something becomes of it by itself, as far as that has a time."""
        times = (one.not_before for one in self.segments if one.state not in FINAL)
        return min((at for at in times if at is not None), default=None)

    @property
    def error(self) -> str | None:
        """The last word of the carrier on one of its segments."""
        said = [one for one in self.segments if one.error]
        return max(said, key=lambda one: one.changed_at).error if said else None


class Ways(NamedTuple):
    """What the configuration says on how messages go on."""

    carriers: Collection[str]  # that are enabled
    resend: Collection[MessageKind]  # kinds sent once more where no receipt settled a loss


def outlook(
    message: MessageRecord,
    segment: SegmentRecord,
    ways: Ways,
    now: float,
    when: Callable[[float], str],
) -> str:
    """What comes next of a segment, in words; `when` writes a time. Empty: nothing more does."""
    match segment.state:
        case MtState.QUEUED | MtState.WAITING:
            return _before_it_goes(message, segment, ways, now, when)
        case MtState.CLAIMED:
            return "being sent; the carrier's response is waited for"
        case MtState.ACCEPTED:
            end = when(message.valid_until)
            return f"the carrier has it; its receipt is waited for, until {end} at least"
        case MtState.UNKNOWN:
            return _after_loss(message, segment, ways, when)
        case _:
            return ""


def _before_it_goes(
    message: MessageRecord,
    segment: SegmentRecord,
    ways: Ways,
    now: float,
    when: Callable[[float], str],
) -> str:
    carrier, end = message.carrier, when(message.valid_until)
    if message.valid_until < now:
        return f"ends, for it was worth sending until {end}"
    if carrier not in ways.carriers:
        return f"stays until {end} and then ends, as carrier {carrier} is not enabled"
    if segment.not_before is not None:
        tried = "is tried again" if segment.attempts else "goes out"
        return f"{tried} from {when(segment.not_before)}"
    return f"goes out as soon as {carrier} has a place for it, until {end}"


def _after_loss(
    message: MessageRecord, segment: SegmentRecord, ways: Ways, when: Callable[[float], str]
) -> str:
    kind = message.kind
    end = f"held until {when(message.valid_until)}, then unconfirmed"
    decide = (
        f"smsgw queue retry {message.id} sends it again, smsgw queue cancel {message.id} ends it"
    )
    if segment.not_before is None:
        return f"{end if kind in SENT_ONCE_MORE else 'held'}: {decide}"
    if kind in ways.resend and segment.lost == 1:
        then = "is sent once more"
    else:
        then = f"is {end}" if kind in SENT_ONCE_MORE else "is held"
    return f"waits until {when(segment.not_before)} for a receipt, then {then}"
