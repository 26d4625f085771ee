"""How the events of a timeline are shown: as JSON, and as lines for people."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from smsgw.cli.stores import to_the_second
from smsgw.service.message import MtState
from smsgw.service.notices import Cancelled, NoticeKind, NoticeState, RunState
from smsgw.service.record import HELD
from smsgw.service.today import Silence
from smsgw.storage.audit import Change
from smsgw.text.counted import counted

if TYPE_CHECKING:
    from smsgw.storage.timeline import Event

Details = Mapping[str, Any]


def as_line(event: "Event", timezone: tzinfo, comes_next: str = "", *, full: bool) -> str:
    """An event for people."""
    from smsgw.doors.shown.events import details, phone

    whose = phone(event, full) or "erased"
    said = _WORDS[event.what](details(event, full))
    then = f" → {comes_next}" if comes_next else ""
    return f"{to_the_second(event.at, timezone)}  {whose:<12}  {said}{then}"


def _message_in(details: Details) -> str:
    if details["intent"] is None:
        said = ["a part of a long message"]
    elif details["parts"] > 1:
        said = [f"{counted(details['parts'], 'part')}, read as {details['intent']}"]
    else:
        said = [f"read as {details['intent']}"]
    if numbers := details["wrong_codes"]:
        said.append(f"wrong code for {', '.join(numbers)}")
    if (why := details["silence"]) is not None:
        said.append(f"not answered: {SILENCE[why]}")
    if repeats := details["repeats"]:
        said.append(f"came {counted(repeats, 'more time')}, without effect")
    return (
        f"wrote over {details['carrier']}: {_quoted(details['text'])}"
        f" (message {details['id']}, {'; '.join(said)})"
    )


SILENCE: Final[Mapping[str, str]] = {
    Silence.ANSWERS: "the phone has had its answers for the day",
    Silence.HINTS: "the phone has had its hints for the day",
    Silence.UNKNOWN_NUMBERS: "it asked for too many unknown numbers, and was told so before",
}


def _message_out(details: Details) -> str:
    answers = f" to message {details['answers']}" if details["answers"] is not None else ""
    if details["repeat_of"] is not None:
        answers += f", message {details['repeat_of']} again"
    parts = counted(details["parts"], "part")
    return (
        f"{details['kind']} {details['id']}{answers} over {details['carrier']}:"
        f" {_quoted(details['text'])} ({parts}, {details['state']})"
    )


def _submit(details: Details) -> str:
    tries = [f"try {details['attempts']}"] if details["attempts"] > 1 else []
    lost = [f"{counted(details['lost'], 'response')} lost"] if details["lost"] else []
    more = f" ({', '.join(tries + lost)})" if tries or lost else ""
    return f"{_segment(details)} was sent to {details['carrier']}{more}"


def _state(details: Details) -> str:
    untried = details["state"] == MtState.WAITING and not details["attempts"]
    state = NOT_TRIED if untried else STATES[details["state"]].format(**details)
    said = [f"{_segment(details)} {state}"]
    if details["message_id"]:
        said.append(f"the carrier's id {details['message_id']}")
    if details["receipt"]:
        done = f" of {details['done_date']}" if details["done_date"] else ""
        said.append(f"receipt {details['receipt']}{done}")
    if details["error"] and details["state"] != MtState.DELIVERED:
        said.append(f"error {details['error']}")
    return ", ".join(said)


STATES: Final[Mapping[str, str]] = {
    MtState.QUEUED: "is queued for {carrier}",
    MtState.WAITING: "waits for its next try",
    MtState.ACCEPTED: "was accepted by {carrier}",
    MtState.UNKNOWN: "was sent, and the response lost: unknown",
    HELD: "was sent, and the response lost: held",
    MtState.DELIVERED: "was delivered",
    MtState.UNDELIVERED: "was not delivered",
    MtState.REFUSED: "was refused by {carrier}",
    MtState.EXPIRED: "expired before {carrier} took it",
    MtState.CANCELLED: "was cancelled",
    MtState.UNCONFIRMED: "is unconfirmed: nothing more will be learned",
}


NOT_TRIED: Final = "waits for the hours in which it may go out"


def _segment(details: Details) -> str:
    return f"  part {details['part']} of {details['id']}"


def _registration(details: Details) -> str:
    number = details["customer_number"] or "a number that is erased"
    said, named = CHANGES[details["change"]]
    value = f"{named} {details['value']}" if details["value"] else ""
    return f"registration for {number} {said}{value} (by {details['who']}, {details['channel']})"


# What is said, and how the value that was written is joined to it.
CHANGES: Final[Mapping[str, tuple[str, str]]] = {
    Change.REQUESTED: ("requested", " over"),
    Change.ACTIVATED: ("active", " over"),
    Change.REJECTED: ("rejected", ":"),
    Change.ENDED: ("ended", ":"),
    Change.MOVED: ("moved", " to"),
    Change.SCRIPT: ("changed", " to"),
    Change.SUSPECT: ("suspected of another carrier", ":"),
    Change.ERASED: ("erased", ""),
    Change.CLEARED: ("no longer suspected of another carrier", ":"),
}


def _receipt(details: Details) -> str:
    fate = "belongs to no message of ours" if details["orphan"] else "waits for its message"
    done = f" of {details['done_date']}" if details["done_date"] else ""
    return (
        f"receipt from {details['carrier']} for id {details['message_id']}:"
        f" {details['state']}{done}, error {details['error'] or 'none'} ({fate})"
    )


def _stop(_: Details) -> str:
    return "said stop: registered by no import and no partner until it asks itself"


def _request(details: Details) -> str:
    asked = OPERATIONS.get(details["operation"], details["operation"])
    by = f"{details['partner']} ({details['channel']}) asked over HTTP to {asked}"
    if details["status"] is None:
        return f"{by}: cut off"
    done = f"message {details['message']}" if details["message"] else "done"
    return f"{by}: {REFUSED.get(details['reason'], details['reason']) or done}"


OPERATIONS: Final[Mapping[str, str]] = {
    "register": "register the phone",
    "end": "end a registration",
    "send": "send a message",
    "erase": "erase the person",
}
REFUSED: Final[Mapping[str, str]] = {
    "stopped": "refused, the phone said stop",
    "looks_like_phone": "refused, the customer number looks like a phone number",
    "too_many_numbers": "refused, the phone has as many customer numbers as it may have",
    "too_many_phones": "refused, the customer number has as many phones as it may have",
    "not_sent": "refused, it can't be sent so",
}


def _notice(details: Details) -> str:
    number = details["customer_number"] or "a number that is erased"
    named = f"{details['kind']} notice {details['id']} of run {details['run']} for {number}"
    match details["state"]:
        case NoticeState.SENT:
            return f"{named} sent as message {details['message']}"
        case NoticeState.CANCELLED:
            said = CANCELLED[details["reason"]]
            by = f" by {details['by']}: {details['because']}" if "by" in details else ""
            return f"{named} not sent: {said}{by}"
        case _:
            waits = _WAITS.get(details["run_state"], "")
            held = f": {details['hold']}" if details["hold"] else ""
            return f"{named} planned over {details['carrier']}{_bills(details)}{waits}{held}"


def _bills(details: Details) -> str:
    bills = [
        bill if attempt == 1 else f"{bill} (attempt {attempt})"
        for bill, attempt in details["bills"] or ()
    ]
    return f", bills {', '.join(bills)}" if bills and details["kind"] != _ANNOUNCED else ""


_ANNOUNCED: Final = NoticeKind.ANNOUNCEMENT  # its "bill" is a digest

# What a notice waits for, by the state of its run.
_WAITS: Final[Mapping[str, str]] = {
    RunState.MAKING: "; its run is being made",
    RunState.HELD: "; its run is held",
    RunState.RUNNING: "; waits for its turn",
    RunState.PAUSED: "; its run is paused",
}

CANCELLED: Final[Mapping[str, str]] = {
    Cancelled.PAID: "nothing of it was due any more",
    Cancelled.ENDED: "the registration had ended",
    Cancelled.TOO_LATE: "its turn came on the cut-off day or after it",
    Cancelled.UNREACHABLE: "the registration had no carrier that is enabled",
    Cancelled.RUN: "its run was cancelled",
    Cancelled.ERASED: "the person was erased",
    Cancelled.NO_TEXT: "it could not be written as a message",
    Cancelled.SPOKEN_OF: "an earlier notice had spoken of all its bills",
}


def _quoted(text: str | None) -> str:
    if text is None:
        return "(text no longer kept)"
    return '"' + "".join(one if one.isprintable() else " " for one in text) + '"'


_WORDS: Final[Mapping[str, Callable[[Details], str]]] = {
    "message_in": _message_in,
    "registration": _registration,
    "stop": _stop,
    "notice": _notice,
    "request": _request,
    "message_out": _message_out,
    "submit": _submit,
    "receipt": _receipt,
    "state": _state,
}
