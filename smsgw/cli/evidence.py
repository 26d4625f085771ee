"""`smsgw notices evidence`: what was sent to whom and what became of it, as it can be proved."""

import json as codec
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smsgw.cli import chains
from smsgw.cli.common import Config, fail, load_settings_or_exit, print_json
from smsgw.cli.people import customer_number, msisdn_of
from smsgw.cli.stores import Stores, read_gateway_alone
from smsgw.cli.words import LARGEST_ID, whole_number
from smsgw.doors.shown.times import iso
from smsgw.service.masking import masked

if TYPE_CHECKING:
    from smsgw.service.message import Msisdn
    from smsgw.storage.evidence import Recorded, Which

Row = Mapping[str, Any]


def evidence(
    run: Annotated[
        int | None,
        typer.Option(
            metavar="RUN", parser=whole_number(1, LARGEST_ID), help="Only notices of this run."
        ),
    ] = None,
    number: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Only those about this customer number.")
    ] = None,
    msisdn: Annotated[
        str | None, typer.Option(metavar="MSISDN", help="Only those to this phone.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the chain of all evidence instead.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Print phone numbers in full.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON: of --verify too, all else is anyhow.")
    ] = False,
    config: Config = None,
) -> None:
    """The evidence of notices: text, times, carrier, its id and its receipts, a JSON object a line.

    An entry is made, and chained to the one before, when a message has gone to the history, an
    hour after it ended. One that has none yet says so by an `entry` of null.
    """
    from smsgw.storage.evidence import Which, broken, count

    settings = load_settings_or_exit(config)
    if verify:
        if (run, number, msisdn) != (None, None, None):
            raise typer.BadParameter("--verify checks all evidence: it takes no other option")
        chains.check(settings, "evidence", count, broken, json)
        return
    which = Which(
        run,
        None if number is None else customer_number(number),
        None if msisdn is None else msisdn_of(msisdn),
    )
    with read_gateway_alone(settings.data_dir) as stores:
        if stores is not None:
            for row in _rows(stores, which, settings.timezone, full):
                print_json(row)


def _rows(stores: Stores, which: "Which", timezone: tzinfo, full: bool) -> Iterator[Row]:
    """The entries that there are, then what has none yet; all of one moment."""
    from smsgw.storage import evidence, queue
    from smsgw.storage.database import one_moment

    with one_moment(stores.con):
        for recorded in evidence.records(stores.con, which):
            try:
                yield _sealed(recorded, timezone, full)
            except (OverflowError, TypeError, ValueError):
                fail(f"entry {recorded.id} can't be read: --verify says whether it was changed")
        waiting = {mt: named for *named, mt in evidence.unsealed(stores.con, which)}
        for message in queue.records(stores.con, list(waiting)):
            notice, run, kind = waiting[message.id]
            yield {
                "entry": None,
                "notice": notice,
                "run": run,
                "kind": kind,
                "message": message.id,
                "carrier": message.carrier,
                "made_at": iso(message.created_at, timezone),
                "state": message.shown,
                "msisdn": _phone(message.msisdn, full),
                "text": _text(message.text, full),
            }


def _sealed(recorded: "Recorded", timezone: tzinfo, full: bool) -> Row:
    entry = recorded.entry
    return {
        "entry": recorded.id,
        "notice": entry.notice,
        "run": entry.run,
        "kind": entry.kind,
        "message": entry.mt,
        "carrier": entry.carrier,
        "made_at": iso(entry.made_at, timezone),
        "state": entry.state,
        "final_at": iso(entry.final_at, timezone),
        "msisdn": _phone(entry.msisdn, full),
        "customer_number": entry.customer_number,
        "bills": None if entry.bills is None else codec.loads(entry.bills),
        "parameters": None if entry.parameters is None else codec.loads(entry.parameters),
        "text": _text(entry.text, full),
        "segments": [_times(one, timezone) for one in codec.loads(entry.segments)],
    }


def _times(segment: dict[str, Any], timezone: tzinfo) -> Row:
    """A segment with its times written out."""
    return {
        name: iso(value, timezone) if name.endswith("_at") else value
        for name, value in segment.items()
    }


def _phone(msisdn: "Msisdn | None", full: bool) -> str | None:
    if msisdn is None:
        return None
    return msisdn.digits if full else str(msisdn)


def _text(text: str | None, full: bool) -> str | None:
    return text if full or text is None else masked(text)
