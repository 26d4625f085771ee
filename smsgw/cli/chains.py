"""Checks a chain of entries, of the audit or of the evidence, and says what is wrong with it."""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from smsgw.cli.common import fail, print_json
from smsgw.cli.stores import known_key, read_gateway_alone

if TYPE_CHECKING:
    from smsgw.service.keyed import Keyed
    from smsgw.settings.model import Settings


def check(
    settings: "Settings",
    name: str,
    count: Callable[[sqlite3.Connection], int],
    broken: Callable[[sqlite3.Connection, "Keyed"], int | None],
    json: bool,
) -> None:
    """Print whether the chain called `name` holds; end with exit status 1 where it doesn't.

    `broken` gives the first entry that is not what was written there, or is missing.
    """
    from smsgw.storage.database import one_moment

    key = known_key(settings)
    wrong, entries = None, 0
    with read_gateway_alone(settings.data_dir) as stores:
        if stores is not None:
            with one_moment(stores.con):
                entries = count(stores.con)
                wrong = None if key is None else broken(stores.con, key)
    if entries and key is None:
        fail(f"{settings.data_dir}: the key of the {name} is missing; put secret.key back")
    if json:
        print_json({"holds": wrong is None, "entries": entries, "broken_from": wrong})
    if wrong is not None:
        fail(
            f"the {name} is broken from entry {wrong} on: it is not what was written there, or is"
            " missing, or the key is another; compare with a backup"
        )
    if not json:
        held = f"the chain of the {name} holds; entries: {entries}"
        typer.echo(held if entries else f"the {name} is empty")
