"""What clerks, the billing system and the daily run do: the commands' use-cases, each on a
connection of its own as in the commands themselves."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from replay.year import Bill, Pair, Registration
from virtual.daemon import open_database

from smsgw.clock import Clock
from smsgw.service.message import Channel, Msisdn
from smsgw.service.notices import NoticeKind, RunState
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage.audit import FEED, Author, Origin
from smsgw.storage.database import CacheReader
from smsgw.storage.feed import Feed, take_delta, take_snapshot
from smsgw.storage.keys import keyed
from smsgw.storage.pace import Pace
from smsgw.storage.pending import activate_all
from smsgw.storage.planning import plan
from smsgw.storage.registration import Request, register
from smsgw.storage.runs import Order, confirm, make
from smsgw.storage.subscribers_file import Terms, import_file

HEADER: Final = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
CLERK: Final = "clerk"


class Office:
    """Has the databases in `folder` to itself between two sessions of the daemon, and shares them
    while it runs."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.held = 0  # runs that had to be confirmed
        self._settings = settings
        self._clock = clock
        self._keyed = keyed(settings.data_dir, derive.secret(settings))
        self._rules = derive.rules(settings)
        self._encodings = derive.encodings(settings)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(open_database(self._settings.data_dir)) as con:
            CacheReader(con, self._settings.data_dir).follow()
            yield con

    def _author(self, channel: Channel) -> Author:
        return Author(self._keyed, Origin(channel, CLERK), self._clock.now())

    # -- the billing system ----------------------------------------------------------------

    def snapshot(self, customers: Sequence[str], bills: dict[str, Bill]) -> None:
        """The whole state: these customers, and what of them is open."""
        path = self._settings.data_dir / "bills.csv"
        with path.open("w", encoding="ascii") as file:
            file.write(HEADER)
            file.writelines(
                bills[number].line("open") if number in bills else f"{number},,,,,,,\n"
                for number in customers
            )
        with closing(open_database(self._settings.data_dir)) as con:
            take_snapshot(
                con,
                self._settings.data_dir,
                self._feed(path),
                max_shrink=self._settings.billing.max_shrink,
                now=self._clock.now(),
                progress=_quiet,
            )
        self._activate()

    def delta(self, paid: Sequence[Bill], moved_in: Sequence[str]) -> None:
        """A day's payments, and customers that are new."""
        path = self._settings.data_dir / "bills.delta.csv"
        with path.open("w", encoding="ascii") as file:
            file.write(HEADER)
            file.writelines(bill.line("paid") for bill in paid)
            file.writelines(f"{number},,,,,,,\n" for number in moved_in)
        with closing(open_database(self._settings.data_dir)) as con:
            take_delta(
                con, self._settings.data_dir, self._feed(path), now=self._clock.now(),
                progress=_quiet,
            )  # fmt: skip
        self._activate()

    def _feed(self, path: Path) -> Feed:
        return Feed(path, self._clock.now(), forced=False, keyed=self._keyed)

    def _activate(self) -> None:
        author = self._author(Channel.IMPORT)._replace(origin=FEED)
        with self._opened() as con:
            activate_all(con, self._rules, self._encodings, author, _pace())

    # -- registrations ---------------------------------------------------------------------

    def take_over(self, pairs: Sequence[Pair]) -> None:
        """Those who were registered before the first day."""
        path = self._settings.data_dir / "subscribers.csv"
        with path.open("w", encoding="ascii") as file:
            file.write("msisdn,customer_number,carrier,script,channel\n")
            file.writelines(f"{phone},{number},{carrier},,\n" for phone, carrier, number in pairs)
        terms = Terms(
            self._settings.carriers, lambda _: None, self._rules, self._encodings,
            notify=False, author=self._author(Channel.IMPORT),
        )  # fmt: skip
        with self._opened() as con, path.open("rb") as file:
            made = import_file(
                con, True, file, terms,
                progress=lambda _: None, stopped=lambda _: None, pace=_pace(),
            )  # fmt: skip
        assert made.active == len(pairs), made

    def register(self, one: Registration) -> None:
        author = self._author(one.channel)
        with self._opened() as con:
            for number in one.numbers:
                request = Request(Msisdn(one.phone), number, one.carrier, None, one.channel)
                register(con, True, request, self._rules, self._encodings, author)

    # -- notices ---------------------------------------------------------------------------

    def run(self, day: date) -> None:
        """Make the day's run of overdue notices, and let it go if it is held."""
        keyed, now = self._keyed, self._clock.now()
        rules = derive.notice_rules(self._settings)
        with self._opened() as con:
            made = make(
                con,
                lambda: plan(con, NoticeKind.OVERDUE, day, rules, keyed, now),
                keyed,
                Order(CLERK),
                now,
                _pace(),
            )
            if made.run is not None and made.state is RunState.HELD:
                self.held += 1
                confirm(con, made.run, CLERK, "looked at", now)

    # -- what is left ----------------------------------------------------------------------

    def unfinished(self) -> list[str]:
        """What the daemon has still to do."""
        with closing(open_database(self._settings.data_dir)) as con:
            return [
                name
                for name, query in _UNFINISHED.items()
                if con.execute(f"SELECT EXISTS ({query})").fetchone()[0]
            ]


_UNFINISHED: Final = {
    state: f"SELECT 1 FROM segment WHERE state = '{state}'"
    for state in ("queued", "waiting", "claimed", "accepted", "unknown")
} | {"planned": "SELECT 1 FROM notice WHERE state = 'planned'"}


def _pace() -> Pace:
    return Pace(sleep=lambda _: None)


def _quiet(octets: int, rows: int) -> None:
    pass
