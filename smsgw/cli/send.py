"""`smsgw send`: one message by hand."""

from typing import Annotated

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.people import Phone, msisdn_of
from smsgw.cli.stores import check_carrier, open_gateway_alone
from smsgw.text.counted import counted

app = noun()


@app.command()
def send(
    phone: Phone,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What it is to read; in quotes, as one argument.")
    ],
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The carrier it goes out over [the phone's registration's, else by its number's"
            " first digits].",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Send it though it takes many parts.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Send one message by hand.

    It is queued, and goes out within a second where a daemon runs, else when one does. What
    becomes of it is shown by smsgw queue show ID.
    """
    from smsgw.clock import SystemClock
    from smsgw.settings import derive
    from smsgw.storage import sending
    from smsgw.storage.database import transaction

    settings = load_settings_or_exit(config)
    msisdn = msisdn_of(phone)
    check_carrier(carrier, settings)
    if not text.strip():
        raise typer.BadParameter("there is no text", param_hint="TEXT")
    request = sending.Request(msisdn, text, carrier, derive.number_ranges(settings).carrier(msisdn))
    max_parts = 0 if force else settings.replies.max_parts
    encodings, now = derive.encodings(settings), SystemClock().now()
    with open_gateway_alone(settings.data_dir) as stores:
        try:
            with transaction(stores.con):
                sent = sending.send(stores.con, request, encodings, max_parts, now)
        except sending.SendRefusedError as error:
            fail(f"not sent: {error}{error.option}")
    if json:
        print_json(sent._asdict() | {"msisdn": msisdn.digits})
    else:
        typer.echo(
            f"message {sent.id} to {msisdn.digits} over {sent.carrier}:"
            f" {counted(sent.parts, 'part')}, {sent.encoding}"
        )
