"""What happens at the simulator as people and as programs read it: one line each."""

from datetime import datetime
from typing import Any, Final

from smsgw.simulator.happenings import (
    NAMES,
    BindRefused,
    BindTaken,
    Connected,
    Happening,
    MalformedAnswered,
    MalformedSent,
    MoAnswered,
    MoSent,
    MoUnanswered,
    MtReceived,
    NotConnected,
    Oddity,
    OutbindSent,
    QueryAnswered,
    ReceiptAnswered,
    ReceiptSent,
    ResponseLost,
    SessionEnded,
    SubmitFrozen,
    SubmitRefused,
)

# The fields by their names, and besides: `place` of a part, `again`, `size`.
LINES: Final[dict[type[Happening], str]] = {
    Connected: "session {session}: connected from {peer}",
    BindTaken: "session {session}: {command} by {system_id}",
    BindRefused: "session {session}: {command} by {system_id} refused with {status_name}",
    NotConnected: "{host}:{port} can't be dialled, {reason}",
    OutbindSent: "session {session}: outbind sent as {system_id}",
    SessionEnded: "session {session}: ended, {reason}",
    MoSent: "MO {mo}{place}  {source} -> {destination}  {text}{again}",
    MoAnswered: "MO {mo}{place}  {source}  answered with {status_name}, {state}",
    MoUnanswered: "MO {mo}  {source}  not answered, {reason}",
    SubmitRefused: "submit_sm to {destination} refused with {status_name}",
    ResponseLost: "submit_sm to {destination} taken as {message_id}, its response lost",
    SubmitFrozen: "submit_sm to {destination} left lying",
    MtReceived: "MT  {source} -> {destination}  {text}{size}",
    ReceiptSent: "receipt of {message_id} to {destination}: {stat}",
    ReceiptAnswered: "receipt of {message_id} answered with {status_name}",
    QueryAnswered: "query of {message_id} answered with {stat}",
    MalformedSent: "session {session}: {what} sent  {octets}",
    MalformedAnswered: "session {session}: {what} answered with {command}, {status_name}",
    Oddity: "session {session}: {reason}  {octets}",
}


def record(happening: Happening) -> dict[str, Any]:
    """For programs: `event` names it, the rest are its fields."""
    return {"event": NAMES[type(happening)], **happening._asdict()}


def line(happening: Happening) -> str:
    """For people, with the local time."""
    fields = {name: _shown(value) for name, value in happening._asdict().items()}
    told = LINES[type(happening)].format(**fields, **_besides(happening))
    return f"{datetime.fromtimestamp(happening.at):%H:%M:%S.%f}"[:-3] + f"  {told}"


def _besides(happening: Happening) -> dict[str, str]:
    match happening:
        case MoSent() | MoAnswered():
            in_parts = happening.parts > 1
            attempt = getattr(happening, "attempt", 1)
            return {
                "place": f", part {happening.part} of {happening.parts}" if in_parts else "",
                "again": f"  (try {attempt})" if attempt > 1 else "",
            }
        case MtReceived():
            return {"size": f"  ({happening.parts} parts)" if happening.parts > 1 else ""}
        case _:
            return {}


def _shown(value: object) -> str:
    """On one line, and nothing in it that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in str(value))
