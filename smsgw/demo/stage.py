"""Sets the demo up in a folder of its own: simulated carriers, a configuration, a billing cache,
and the real daemon between them."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

import smsgw
from smsgw import log, settings
from smsgw.app import App
from smsgw.demo.conversation import feed
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.simulator import Smsc, SmscSettings
from smsgw.storage.database import open_gateway
from smsgw.storage.feed import Feed, take_snapshot
from smsgw.storage.keys import keyed

FILE: Final = Path("config/demo.yaml")
LOG: Final = "smsgw.log"
SECONDS_TO_BIND: Final = 5.0


class DemoError(Exception):
    """The demo can't start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything running: the carriers by id, and where the rest is."""

    settings: Settings
    carriers: dict[str, Smsc]
    today: date
    config: Path
    log: Path
    url: str


def template() -> Path:
    """The configuration the demo starts from: in the project's folder, or in this one.

    Raises DemoError if it is in neither.
    """
    folders = (Path(smsgw.__file__).parents[1], Path.cwd())
    for path in (folder / FILE for folder in folders):
        if path.is_file():
            return path
    raise DemoError(f"there is no {FILE} here: run this in the project's folder")


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Start everything in `folder`, an empty one; stop it in reverse.

    Raises DemoError, and what `App` raises, if that can't be done.
    """
    values: dict[str, Any] = yaml.safe_load(template().read_text(encoding="utf-8"))
    async with AsyncExitStack() as stack:
        carriers = {}
        for name, carrier in values["carriers"].items():
            smsc = Smsc(
                SmscSettings(
                    system_id=carrier["system_id"],
                    password=carrier["password"],
                    shortcode=values["shortcode"],
                )
            )
            carriers[name] = await stack.enter_async_context(smsc)
            carrier["host"], carrier["port"] = smsc.address
        values["data_dir"] = str(folder)
        config = folder / "smsgw.yaml"
        config.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        loaded = settings.load(config)

        log_file = folder / LOG
        stream = stack.enter_context(log_file.open("w", encoding="utf-8"))
        log.configure("console", loaded.log.level, stream)
        stack.callback(log.configure, "console", "warning")
        today = datetime.now(loaded.timezone).date()
        _fill_cache(folder, loaded, today)

        app = await stack.enter_async_context(App(loaded))
        for smsc in carriers.values():
            await smsc.bound(within=SECONDS_TO_BIND)
        host, port = app.http_address
        yield Stage(loaded, carriers, today, config, log_file, f"http://{host}:{port}/")


def _fill_cache(folder: Path, loaded: Settings, today: date) -> None:
    """Import the customers' bills as `smsgw billing import` does."""
    csv = folder / "billing.csv"
    csv.write_text(feed(today), encoding="utf-8")
    with closing(open_gateway(folder)) as gateway:
        take_snapshot(
            gateway,
            folder,
            Feed(csv, None, forced=False, keyed=keyed(folder, derive.secret(loaded))),
            max_shrink=loaded.billing.max_shrink,
            now=time.time(),
            progress=lambda *_: None,
        )
