"""`smsgw subscribers`: the registrations, one by one and by the file.

A clerk types phone numbers and needs to see them, so these commands print them in full.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from smsgw.cli import chains
from smsgw.cli.common import Config, CsvFile, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.people import Customer, Phone, customer_number, either, msisdn_of, stored_msisdn
from smsgw.cli.registrations import print_array, print_csv, print_records
from smsgw.cli.stores import (
    Stores,
    check_carrier,
    known_key,
    lines_told,
    not_told,
    open_gateway_alone,
    open_stores,
    progress_of,
    read_gateway_alone,
    signed,
)
from smsgw.cli.words import one_of
from smsgw.service.message import SCRIPTS, Channel, Script
from smsgw.text.counted import counted

if TYPE_CHECKING:
    import sqlite3

    from smsgw.service.customer import SubscriptionState
    from smsgw.settings.model import Settings
    from smsgw.storage.registration import Registered
    from smsgw.storage.subscriptions import Record

app = noun("Registrations. Phone numbers are printed in full.")


@app.command()
def add(
    phone: Phone,
    number: Customer,
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The phone's carrier [that of its other registrations, else by its first digits].",
        ),
    ] = None,
    script: Annotated[
        str | None,
        typer.Option(
            parser=one_of(*SCRIPTS),
            metavar="|".join(SCRIPTS),
            help="What it is written to in [latin].",
        ),
    ] = None,
    channel: Annotated[
        str,
        typer.Option(
            parser=one_of(*Channel), metavar="|".join(Channel), help="Where it comes from."
        ),
    ] = "centre",
    config: Config = None,
) -> None:
    """Register a phone for a customer number.

    It is active at once if the billing cache knows the number, else with the next feed that
    does. The phone is told when it is active. Being registered already is no error: the
    registration takes the carrier and script that are named.
    """
    from smsgw.settings import derive
    from smsgw.storage.database import transaction
    from smsgw.storage.registration import RegistrationRefusedError, Request, register

    settings = load_settings_or_exit(config)
    msisdn, number = msisdn_of(phone), customer_number(number)
    check_carrier(carrier, settings)
    request = Request(
        msisdn,
        number,
        carrier,
        None if script is None else Script(script),
        Channel(channel),
        usual_carrier=derive.number_ranges(settings).carrier(msisdn),
    )
    rules, encodings = derive.rules(settings), derive.encodings(settings)
    author = signed(settings, request.channel)
    with open_stores(settings.data_dir) as stores:
        try:
            with transaction(stores.con):
                registered = register(stores.con, stores.cached, request, rules, encodings, author)
        except RegistrationRefusedError as error:
            fail(f"not registered: {error}")
        _settle(stores, settings)
    now = registered.subscription
    typer.echo(
        f"{msisdn.digits} {'is' if registered.made else 'was already'} registered for {number}:"
        f" {_state(now.state)}, carrier {now.carrier or 'not known yet'}{_told(registered)}"
    )


def _state(state: "SubscriptionState") -> str:
    return f"{state} until a feed knows that number" if state == "pending" else state


def _told(registered: "Registered") -> str:
    """What became of the rest: what else was changed, and whether the phone learns of it."""
    from smsgw.service.customer import SubscriptionState

    now = registered.subscription
    if not registered.made:
        changes = [f"{name} changed to {getattr(now, name)}" for name in registered.changed]
        return "".join([f"; {change}" for change in changes])
    if registered.told:
        return ", told"
    if now.state is not SubscriptionState.ACTIVE:
        return ""
    why = ", which is not enabled" if now.carrier else ""
    return f"{why}, so it is not told"


@app.command()
def end(
    phone: Phone,
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="A customer number [all].")
    ] = None,
    config: Config = None,
) -> None:
    """End a phone's registration for a customer number, or all it has. It is not told."""
    from smsgw.storage import subscriptions
    from smsgw.storage.database import transaction

    settings = load_settings_or_exit(config)
    msisdn = stored_msisdn(phone)
    number = None if number is None else customer_number(number)
    author = signed(settings, Channel.CENTRE)
    with open_gateway_alone(settings.data_dir) as stores, transaction(stores.con):
        ended = subscriptions.end(stores.con, msisdn, number, author)
    if not ended:
        fail(f"{msisdn.digits} is not registered{f' for {number}' if number else ''}")
    typer.echo(f"{msisdn.digits}: {ended} ended")


@app.command()
def move(
    phone: Phone,
    carrier: Annotated[str, typer.Argument(metavar="CARRIER", help="A carrier's id.")],
    config: Config = None,
) -> None:
    """Take a phone's registrations to another carrier: its messages go out over that one."""
    from smsgw.storage import subscriptions
    from smsgw.storage.database import transaction

    settings = load_settings_or_exit(config)
    msisdn = stored_msisdn(phone)
    check_carrier(carrier, settings, "CARRIER")
    author = signed(settings, Channel.CENTRE)
    with open_gateway_alone(settings.data_dir) as stores, transaction(stores.con):
        theirs = subscriptions.of_phone(stores.con, msisdn)
        moved = subscriptions.move(stores.con, msisdn, carrier, author)
    if not theirs:
        fail(f"{msisdn.digits} is not registered")
    typer.echo(f"{msisdn.digits}: {moved} moved to {carrier}, {len(theirs) - moved} there already")


@app.command()
def show(
    who: Annotated[
        str, typer.Argument(metavar="MSISDN|NUMBER", help="A phone, or a customer number.")
    ],
    json: Json = False,
    config: Config = None,
) -> None:
    """Show all that a phone is or was registered for, or who is registered for a number."""
    settings = load_settings_or_exit(config)
    with read_gateway_alone(settings.data_dir) as stores:
        records = _found(stores and stores.con, who)
    if json:
        print_array(records, settings.timezone)
    elif records:
        print_records(records, settings.timezone)
    if not records:
        fail(f"{who}: no registrations")


@app.command("list")
def list_(
    suspect: Annotated[
        bool,
        typer.Option(
            "--suspect", help="Only those whose carrier says that the phone is not its own."
        ),
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the pending and active registrations, oldest first."""
    from smsgw.storage import subscriptions

    settings = load_settings_or_exit(config)
    with read_gateway_alone(settings.data_dir) as stores:
        records = iter(()) if stores is None else subscriptions.records(stores.con, suspect=suspect)
        if json:
            print_array(records, settings.timezone)
        else:
            print_records(records, settings.timezone)


@app.command()
def export(
    phone: Annotated[
        str | None, typer.Argument(metavar="MSISDN", help="A phone: all there is about it.")
    ] = None,
    config: Config = None,
) -> None:
    """Print the pending and active registrations as the CSV that import takes, oldest first; or
    all that is stored about one person, as JSON."""
    from smsgw.storage import subscriptions

    settings = load_settings_or_exit(config)
    if phone is not None:
        _export_person(settings, phone)
        return
    with read_gateway_alone(settings.data_dir) as stores:
        print_csv(iter(()) if stores is None else subscriptions.records(stores.con))


def _export_person(settings: "Settings", phone: str) -> None:
    from smsgw.doors.shown import person

    msisdn, key = stored_msisdn(phone), known_key(settings)
    with read_gateway_alone(settings.data_dir) as stores:
        found = stores and person.export(stores.con, msisdn, key, settings.timezone)
    if not found:
        fail(f"{msisdn.digits}: nothing is known")
    print_json(found, indent=2)


@app.command()
def erase(
    phone: Phone,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who says so [whoever is logged in].")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Erase a person: a phone, its texts and its registrations. Counts, and the digests that prove
    what was sent, stay; so does a stop.

    What is on its way to the phone is not sent any more, as far as it hasn't been. Backups that
    were made before still have it all.
    """
    import time

    from smsgw.settings import derive
    from smsgw.storage import erasing
    from smsgw.storage.pace import Pace

    settings = load_settings_or_exit(config)
    msisdn = stored_msisdn(phone)
    author = signed(settings, Channel.CENTRE)
    if by is not None:
        author = author._replace(origin=author.origin._replace(who=by))
    books = derive.books(settings, author.keyed)
    with open_gateway_alone(settings.data_dir) as stores:
        erased = erasing.erase(stores.con, msisdn, books, author, Pace(), time.sleep)
    if not erased.anything:
        fail(f"{msisdn.digits}: nothing is known")
    if json:
        print_json(erased._asdict())
        return
    typer.echo(
        f"{msisdn.digits} erased: {counted(erased.registrations, 'registration')},"
        f" {counted(erased.messages_in + erased.messages_out, 'message')},"
        f" {counted(erased.notices, 'notice')}"
    )
    if erased.on_the_way:
        typer.echo(f"on the way, ending without a name: {counted(erased.on_the_way, 'message')}")
    if erased.others:
        typer.echo(f"texts of others that named the phone, dropped: {erased.others}")


@app.command()
def audit(json: Json = False, config: Config = None) -> None:
    """Check that nobody changed the audit of registrations: each entry is chained to the one
    before, and none is missing."""
    from smsgw.storage.audit import broken, count

    chains.check(load_settings_or_exit(config), "audit", count, broken, json)


@app.command("import")
def import_(
    file: CsvFile,
    notify: Annotated[
        bool, typer.Option("--notify", help="Tell phones of registrations that become active.")
    ] = False,
    config: Config = None,
) -> None:
    """Take a file of registrations, or refuse it whole with the numbers of its wrong lines.

    Columns: msisdn and customer_number, and if wanted carrier, script, channel, code. Bounds
    don't apply, and no code is needed: that column is passed over. A pair that exists takes the
    carrier and script that its row names. Running it again finishes what was cut off.
    """
    settings = load_settings_or_exit(config)
    if not file.is_file():
        fail(f"{file}: {'is no ordinary file' if file.exists() else 'there is no such file'}")
    try:
        opened = file.open("rb")
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror}")
    with opened, open_stores(settings.data_dir) as stores, lines_told(file):
        _import(file, opened, notify, settings, stores)


def _import(
    file: Path, opened: BinaryIO, notify: bool, settings: "Settings", stores: Stores
) -> None:
    from smsgw.settings import derive
    from smsgw.storage.pace import Pace
    from smsgw.storage.subscribers_file import Terms, import_file

    terms = Terms(
        carriers=tuple(settings.carriers),
        carrier_of=derive.number_ranges(settings).carrier,
        rules=derive.rules(settings),
        encodings=derive.encodings(settings),
        notify=notify,
        author=signed(settings, Channel.IMPORT),
    )
    with progress_of(file.name, 2 * file.stat().st_size) as progress:
        imported = import_file(
            stores.con,
            stores.cached,
            opened,
            terms,
            progress=progress,
            stopped=lambda row: typer.echo(
                f"{row.msisdn.digits} {row.customer_number}: passed over, the phone said stop"
            ),
            pace=Pace(),
        )
    _settle(stores, settings, cut_off=True)
    typer.echo(
        f"{file}: {imported.active} new and active, {imported.pending} new and pending,"
        f" {imported.changed} changed, {imported.unchanged} as they were"
        f"{f', {imported.stopped} passed over' if imported.stopped else ''};"
        f" {counted(imported.told, 'phone')} told{not_told(imported.untold)}"
    )


def _settle(stores: Stores, settings: "Settings", *, cut_off: bool = False) -> None:
    """Where a feed came in the meantime, or may have come while an import ran that was `cut_off`:
    it may know what was just made pending."""
    from smsgw.settings import derive
    from smsgw.storage.audit import FEED
    from smsgw.storage.pace import Pace
    from smsgw.storage.pending import activate_all

    if stores.cache.follow() or (cut_off and stores.cached):
        activate_all(
            stores.con,
            derive.rules(settings),
            derive.encodings(settings),
            signed(settings, Channel.IMPORT)._replace(origin=FEED),
            Pace(),
        )


def _found(con: "sqlite3.Connection | None", who: str) -> list["Record"]:
    """Twelve digits that begin with 359 can be either, and are looked up as both."""
    from smsgw.storage import subscriptions

    msisdn, number = either(who)
    found: list[Record] = []
    if con is not None and msisdn is not None:
        found += subscriptions.records_of_phone(con, msisdn)
    if con is not None and number is not None:
        found += subscriptions.records_of_number(con, number)
    return found
