"""`smsgw demo`: the daemon with three simulated carriers, and what their customers say."""

from typing import Annotated

import typer

from smsgw.cli.common import fail, noun

app = noun()


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the conversation; 1 if an answer failed.")
    ] = False,
) -> None:
    """Play a conversation with three simulated carriers, then stay until Ctrl-C.

    Everything is in a folder of its own and on free ports of this machine.
    """
    import asyncio

    from smsgw.cli.run import leaves
    from smsgw.demo.play import play
    from smsgw.demo.show import make_console
    from smsgw.demo.stage import DemoError
    from smsgw.settings import ConfigError
    from smsgw.simulator import NotSeenError
    from smsgw.storage.database import StorageError
    from smsgw.web.server import ListenError

    played = False
    try:
        played = asyncio.run(play(make_console(), once=once))
    except* (ConfigError, DemoError, ListenError, NotSeenError, StorageError) as group:
        fail("\n".join(f"the demo can't start: {error}" for error in leaves(group)))
    if not played:
        raise typer.Exit(1)
