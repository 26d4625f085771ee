"""`smsgw run`: the daemon in the foreground, until a signal asks it to stop."""

from typing import TYPE_CHECKING

import typer

from smsgw.cli.common import Config, examine_or_exit, noun

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from smsgw.settings.model import Settings

app = noun()


@app.command()
def run(config: Config = None) -> None:
    """Run the daemon in the foreground.

    SIGTERM and SIGINT let what is under way be answered, for at most 10 seconds, and stop it.
    """
    from smsgw.log import configure, get_logger
    from smsgw.storage.database import StorageError
    from smsgw.web.server import ListenError

    loaded = examine_or_exit(config)
    configure(loaded.settings.log.format, loaded.settings.log.level)
    for warning in loaded.warnings:
        get_logger(__name__).warning("configuration.doubtful", warning=str(warning))
    try:
        _run(loaded.settings)
    except* (StorageError, ListenError) as group:
        for error in leaves(group):
            get_logger(__name__).error("daemon.refused", reason=str(error))
        raise typer.Exit(1) from None


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The exceptions of a group, out of all its nested groups."""
    return [
        leaf
        for one in group.exceptions
        for leaf in (leaves(one) if isinstance(one, BaseExceptionGroup) else [one])
    ]


def _run(settings: "Settings") -> None:
    import asyncio

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_until_signalled(settings))


def _loop_factory() -> "Callable[[], AbstractEventLoop] | None":
    """uvloop's, where it is installed (the extra `fast`)."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _until_signalled(settings: "Settings") -> None:
    import asyncio
    import gc
    import signal

    from smsgw.app import App
    from smsgw.log import get_logger

    log = get_logger(__name__)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(
        signal.SIGHUP,
        lambda: log.warning("daemon.no_reload", advice="restart to take up the configuration"),
    )
    async with App(settings):
        # What stands now stands for good: it is not looked through again. What comes and goes
        # with messages is nearly all freed by its count, so looking seldom is enough.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        await stop.wait()
