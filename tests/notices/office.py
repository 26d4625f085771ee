"""What clerks and the billing system do: the commands' use-cases, on connections of their own."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from typing import Final, NamedTuple

from notices.process import SmallPace
from virtual.daemon import open_database

from smsgw.clock import Clock
from smsgw.service.message import Channel
from smsgw.service.notices import NoticeKind, NoticeRules, RunState
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import announcing, planning, runs
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import CacheReader
from smsgw.storage.feed import Feed, take_delta, take_snapshot
from smsgw.storage.keys import keyed
from smsgw.storage.planning import Plan
from smsgw.storage.subscribers_file import Terms, import_file

HEADER: Final = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
CLERK: Final = "clerk"


class Bill(NamedTuple):
    """A bill as the billing system has it."""

    customer: str
    number: str
    issued: date
    due: date
    cut_off: date | None
    cents: int

    def line(self, status: str) -> str:
        return (
            f"{self.customer},{self.number},{self.issued},{self.due},{self.cut_off or ''},"
            f"{self.cents // 100}.{self.cents % 100:02},EUR,{status}\n"
        )


class Pair(NamedTuple):
    """A registration."""

    phone: str
    customer: str
    carrier: str
    script: str


class Office:
    """Has its own way to the databases, beside the daemon."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._folder = settings.data_dir
        self._clock = clock
        self._keyed = keyed(settings.data_dir, derive.secret(settings))

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        with closing(open_database(self._folder)) as con:
            CacheReader(con, self._folder).follow()
            yield con

    def snapshot(self, customers: Iterable[str], bills: Sequence[Bill]) -> None:
        """The whole state: these customers, and what of them is open."""
        owing = {bill.customer for bill in bills}
        lines = [bill.line("open") for bill in bills]
        lines += [f"{number},,,,,,,\n" for number in customers if number not in owing]
        feed = self._feed("bills.csv", lines)
        with closing(open_database(self._folder)) as con:
            take_snapshot(
                con, self._folder, feed, max_shrink=0.1, now=self._clock.now(), progress=_quiet
            )

    def delta(self, new: Iterable[Bill], paid: Iterable[Bill]) -> None:
        lines = [bill.line("open") for bill in new] + [bill.line("paid") for bill in paid]
        feed = self._feed("bills.delta.csv", lines)
        with closing(open_database(self._folder)) as con:
            take_delta(con, self._folder, feed, now=self._clock.now(), progress=_quiet)

    def _feed(self, name: str, lines: Iterable[str]) -> Feed:
        path = self._folder / name
        path.write_text(HEADER + "".join(lines), "ascii")
        return Feed(path, self._clock.now(), forced=False, keyed=self._keyed)

    def take_over(self, pairs: Sequence[Pair]) -> None:
        """Registrations from elsewhere."""
        path = self._folder / "subscribers.csv"
        lines = [f"{one.phone},{one.customer},{one.carrier},{one.script},\n" for one in pairs]
        path.write_text("msisdn,customer_number,carrier,script,channel\n" + "".join(lines), "ascii")
        author = Author(self._keyed, Origin(Channel.IMPORT, CLERK), self._clock.now())
        terms = Terms(
            self._settings.carriers, lambda _: None, derive.rules(self._settings),
            derive.encodings(self._settings), notify=False, author=author,
        )  # fmt: skip
        with self.opened() as con, path.open("rb") as file:
            made = import_file(
                con, True, file, terms,
                progress=lambda _: None, stopped=lambda _: None, pace=SmallPace(),
            )  # fmt: skip
        assert made.active == len(pairs), made

    def announce(self, numbers: Sequence[str], text: str) -> None:
        """Announce something to customers."""
        self._make(
            lambda con, day, rules, now: announcing.plan(
                con, numbers, text, day, rules, self._keyed, now
            )
        )

    def notice(self, kind: NoticeKind) -> None:
        """Make a run of a kind, beside the one that is made by itself."""
        self._make(
            lambda con, day, rules, now: planning.plan(con, kind, day, rules, self._keyed, now)
        )

    def _make(self, plan: Callable[[sqlite3.Connection, date, NoticeRules, float], Plan]) -> None:
        now, rules = self._clock.now(), derive.notice_rules(self._settings)
        with self.opened() as con:
            runs.make(
                con,
                lambda: plan(con, rules.calendar.day(now), rules, now),
                self._keyed,
                runs.Order(CLERK),
                now,
                SmallPace(),
            )

    def confirm(self) -> int:
        """Let held runs go; how many."""
        with self.opened() as con:
            held = con.execute(f"SELECT id FROM notice_run WHERE state = '{RunState.HELD}'")
            found = [run for (run,) in held.fetchall()]
            for run in found:
                runs.confirm(con, run, CLERK, "looked at", self._clock.now())
        return len(found)


def _quiet(octets: int, rows: int) -> None:
    pass
