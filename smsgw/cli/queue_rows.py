"""How `smsgw queue` shows messages, their parts and receipts: as JSON, and as tables of the same.

`Written` writes a moment, in the configuration's zone.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

import typer

from smsgw.cli.stores import print_table
from smsgw.service.by_hand import RETRY, Order
from smsgw.service.message import MtState
from smsgw.service.message_state import message_state
from smsgw.service.record import MessageRecord, SegmentRecord, Ways, outlook
from smsgw.text.counted import counted

if TYPE_CHECKING:
    from smsgw.storage.queue import Changed, Question, Stray

Written = Callable[[float], str]
Row = dict[str, Any]

UCS2: Final = 8  # data_coding; what else goes out is in the carrier's default alphabet


def line(message: MessageRecord, now: float, written: Written) -> Row:
    """A message in the list."""
    return {
        "id": message.id,
        "carrier": message.carrier,
        "kind": message.kind.name.lower(),
        "msisdn": message.msisdn and message.msisdn.digits,
        "state": message.shown,
        "parts": len(message.segments),
        "created_at": written(message.created_at),
        "age": round(max(now - message.created_at, 0.0)),
        "attempts": message.attempts,
        "next_at": _when(message.next_at, written),
        "error": message.error,
    }


def stray(receipt: "Stray", written: Written) -> Row:
    """A receipt in the list."""
    return {
        "carrier": receipt.carrier,
        "message_id": receipt.message_id,
        "msisdn": receipt.msisdn and receipt.msisdn.digits,
        "state": receipt.state,
        "error": receipt.error,
        "done_date": receipt.done_date,
        "received_at": written(receipt.received_at),
        "given_up_at": _when(receipt.given_up_at, written),
    }


def table(rows: Iterable[Row]) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a table that shows `rows`, of which there is one at least."""
    shown = [{name: _cell(name, value) for name, value in row.items()} for row in rows]
    columns = [name.replace("_", " ").removesuffix(" at") for name in shown[0]]
    return columns, [list(row.values()) for row in shown]


def _cell(name: str, value: object) -> str:
    if name == "age" and isinstance(value, int):
        return _span(value)
    return "-" if value is None or value == "" else _plain(str(value))


def _plain(text: str) -> str:
    """What customers and carriers wrote, with nothing in it that a terminal obeys."""
    return "".join(
        f"\\x{ord(sign):02x}" if category(sign) in ("Cc", "Cf") and sign != "\n" else sign
        for sign in text
    )


def _span(seconds: int) -> str:
    """About how long that is, in one unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def whole(
    message: MessageRecord, question: "Question | None", ways: Ways, now: float, written: Written
) -> Row:
    """All of one message."""
    return {
        "id": message.id,
        "kind": message.kind.name.lower(),
        "msisdn": message.msisdn and message.msisdn.digits,
        "carrier": message.carrier,
        "state": message.shown,
        "text": message.text,
        "encoding": "ucs2" if message.data_coding == UCS2 else "gsm7",
        "created_at": written(message.created_at),
        "valid_until": written(message.valid_until),
        "answers": question
        and {
            "id": question.id,
            "received_at": written(question.received_at),
            "text": question.text,
        },
        "layout": message.layout,
        "reference": message.reference,
        "parts": [
            _part(one) | _moments(one, written)
            | {"next": outlook(message, one, ways, now, written) or None}
            for one in message.segments
        ],
    }  # fmt: skip


def _part(segment: SegmentRecord) -> Row:
    return {
        "part": segment.part,
        "state": segment.shown,
        "attempts": segment.attempts,
        "lost": segment.lost,
        "message_id": segment.message_id,
        "error": segment.error,
        "receipt": segment.receipt,
        "done_date": segment.done_date,
    }


def _moments(segment: SegmentRecord, written: Written) -> Row:
    return {
        "claimed_at": _when(segment.claimed_at, written),
        "changed_at": written(segment.changed_at),
        "not_before": _when(segment.not_before, written),
    }


def _when(at: float | None, written: Written) -> str | None:
    return None if at is None else written(at)


def print_whole(shown: Row) -> None:
    """Print for people what `whole` gave."""
    parts = shown["parts"]
    typer.echo(
        f"message {shown['id']} ({shown['kind']}) to {shown['msisdn'] or 'an erased phone'} over"
        f" {shown['carrier']}:"
        f" {shown['state']}"
    )
    _print_field("made", f"{shown['created_at']}, worth sending until {shown['valid_until']}")
    if asked := shown["answers"]:
        _print_field("answers", f"{asked['id']} of {asked['received_at']}: {_kept(asked['text'])}")
    _print_field("text", _kept(shown["text"]))
    reference = f", reference {shown['reference']}" if len(parts) > 1 else ""
    form = f"{shown['encoding']}, {counted(len(parts), 'part')}, {shown['layout']}{reference}"
    _print_field("form", form)
    columns = [
        name
        for name in parts[0]
        if name != "next" and any(part[name] is not None for part in parts)
    ]
    print_table(*table([{name: part[name] for name in columns} for part in parts]))
    for part in parts:
        if part["next"]:
            typer.echo(f"part {part['part']}: {part['next']}")


def _kept(text: str | None) -> str:
    return "(no longer kept)" if text is None else text


def _print_field(name: str, value: str) -> None:
    first, *rest = _plain(value).split("\n")
    typer.echo(f"  {name:<8} {first}")
    for more in rest:
        typer.echo(f"  {'':<8} {more}")


_NOT_RETRIED: Final = {
    MtState.QUEUED: "queued already",
    MtState.CLAIMED: "being sent, and the carrier's response is waited for",
    MtState.ACCEPTED: "accepted by the carrier already",
}
_NOT_CANCELLED: Final = {
    MtState.CLAIMED: "being sent, and can't be taken back",
    MtState.ACCEPTED: "accepted by the carrier, and can't be taken back",
}


def reason(order: Order, state: MtState) -> str:
    """Why an order leaves a segment in `state` as it is."""
    words = _NOT_RETRIED if order == RETRY else _NOT_CANCELLED
    return words.get(state, f"{state} already")


def why_not(order: Order, changed: "Changed") -> str:
    """Why an order changed nothing of a message."""
    if changed.late:
        return "no longer worth sending; --force sends it all the same"
    if not changed.kept:
        return "there is no such message"
    return reason(order, message_state(changed.kept))


def outcome(order: Order, done: str, changed: "Changed") -> str:
    """What an order did to one message; `done` says it of what was changed."""
    about = f"message {changed.id}:"
    if not changed.parts:
        return f"{about} not {done}: {why_not(order, changed)}"
    if not changed.kept:
        return f"{about} {done}"
    total = changed.parts + len(changed.kept)
    others = "".join(
        f"; {times} {reason(order, state)}" for state, times in Counter(changed.kept).items()
    )
    return f"{about} {changed.parts} of {total} parts {done}{others}"
