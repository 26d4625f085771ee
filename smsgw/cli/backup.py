"""`smsgw backup`: copies of the databases while the daemon runs."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import progress_of

app = noun()


@app.command()
def backup(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", readable=False, help="Where gateway.db is copied to."),
    ],
    billing: Annotated[
        Path | None,
        typer.Option(
            "--billing", metavar="FILE", readable=False, help="Copy the billing cache too, to here."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Copy the databases, each as it is at one moment, while the daemon runs or without one.

    To restore, stop the daemon and put each copy in data_dir under the name that is printed here.
    The key of the keyed hashes (secret) is never part of a backup: keep it elsewhere.
    """
    from smsgw.storage.backup import back_up
    from smsgw.storage.database import StorageError

    data_dir = load_settings_or_exit(config).data_dir
    try:
        with progress_of(file.name, 1) as show:
            copies = back_up(
                data_dir,
                file,
                billing,
                replace=force,
                progress=lambda done, total: show(done / max(total, 1)),
            )
    except StorageError as error:
        fail(error)
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}; nothing was copied")
    except sqlite3.Error as error:
        fail(f"{file}: {error}; nothing was copied")
    if json:
        print_json(
            [
                {"file": str(copy.path), "source": copy.source, "octets": copy.octets}
                for copy in copies
            ]
        )
        return
    for copy in copies:
        typer.echo(f"{copy.path}: {copy.source}, {copy.octets / 1e6:.1f} MB")
