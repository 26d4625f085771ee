"""The billing cache as its readers know it: who is a customer, and which bills are open.

The functions read the cache that is attached to their connection under the name
`database.CACHE_SCHEMA`; whoever has none attached does not call them.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from smsgw.service.customer import Account, Bill, BillStatus
from smsgw.service.keyed import Keyed
from smsgw.storage.database import CACHE_SCHEMA

# The cache's own schema. Customer numbers are integers there (12 digits, written with leading
# zeros); dates are ISO texts, amounts cents. `feed` has one row for each file taken; the last one
# counts, and its `customers` and `bills` are what the cache held once it was taken.
SCHEMA: Final = """
CREATE TABLE customer (number INTEGER PRIMARY KEY);
CREATE TABLE bill (
    customer   INTEGER NOT NULL,
    number     TEXT    NOT NULL,
    issued_on  TEXT,
    due_on     TEXT,
    cut_off_on TEXT,
    amount     INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    status     TEXT    NOT NULL,  -- customer.BillStatus
    code       BLOB,              -- keyed digest of the invoice's code; NULL: it is not known
    PRIMARY KEY (customer, number)
) WITHOUT ROWID;
CREATE TABLE feed (
    as_of     REAL    NOT NULL,
    taken_at  REAL    NOT NULL,
    kind      TEXT    NOT NULL,   -- snapshot, delta
    file      TEXT    NOT NULL,   -- the name it came under
    customers INTEGER NOT NULL,
    bills     INTEGER NOT NULL
);
"""

_ACCOUNT: Final = (
    "SELECT bill.number, issued_on, due_on, cut_off_on, amount, currency"
    f" FROM {CACHE_SCHEMA}.customer LEFT JOIN {CACHE_SCHEMA}.bill"
    " ON bill.customer = customer.number AND bill.status = 'open'"
    " WHERE customer.number = ?"
)


_REGISTERED: Final = f"""
WITH registered (text, number) AS (
    SELECT DISTINCT customer_number, CAST(customer_number AS INTEGER)
    FROM main.subscription INDEXED BY subscription_number
    WHERE state IN ('pending', 'active') AND state = 'active')
SELECT text, bill.number, issued_on, due_on, cut_off_on, amount, currency
FROM registered JOIN {CACHE_SCHEMA}.bill ON customer = registered.number AND status = 'open'
WHERE EXISTS (SELECT 1 FROM {CACHE_SCHEMA}.bill
              WHERE customer = registered.number AND status = 'open' AND {{condition}})
ORDER BY text
"""


def registered_accounts(
    con: sqlite3.Connection, condition: str, values: Mapping[str, str]
) -> Iterator[Account]:
    """Those with an active subscription and an open bill for which `condition`, SQL on the table
    bill, holds, each with all its open bills.

    The subscriptions are few beside the customers of the cache: they are where it looks first.
    """
    rows = con.execute(_REGISTERED.format(condition=condition), values)
    for number, theirs in groupby(rows, itemgetter(0)):
        yield Account(number, tuple([_bill(row[1:]) for row in theirs]))


def accounts(con: sqlite3.Connection, numbers: Iterable[str]) -> dict[str, Account]:
    """Those of the customer `numbers` that the cache knows, each with its open bills."""
    found = {}
    for number in numbers:
        rows = con.execute(_ACCOUNT, (int(number),)).fetchall()
        if rows:
            found[number] = Account(number, tuple([_bill(row) for row in rows if row[0]]))
    return found


def _bill(row: tuple[str, str | None, str | None, str | None, int, str]) -> Bill:
    number, issued_on, due_on, cut_off_on, amount, currency = row
    return Bill(number, _date(issued_on), _date(due_on), _date(cut_off_on), amount, currency)


def _date(iso: str | None) -> date | None:
    return None if iso is None else date.fromisoformat(iso)


def has_code_column(con: sqlite3.Connection, schema: str = CACHE_SCHEMA) -> bool:
    """Whether bills have a place for their codes: caches that were made before codes have none."""
    (found,) = con.execute(
        "SELECT count(*) FROM pragma_table_info('bill', ?) WHERE name = 'code'", (schema,)
    ).fetchone()
    return bool(found)


# A code proves that somebody has the invoice, paid or not; a cancelled one proves nothing.
CODE_COUNTS: Final = f"status <> '{BillStatus.CANCELLED}'"

_CODES: Final = (
    f"SELECT max(code = ?) FROM {CACHE_SCHEMA}.bill"
    f" WHERE customer = ? AND code IS NOT NULL AND {CODE_COUNTS}"
)


def codes(
    con: sqlite3.Connection, keyed: Keyed, numbers: Iterable[str], code: str
) -> dict[str, bool]:
    """Whether `code` is that of an invoice of each customer number; numbers none of whose invoices
    has a code are left out.
    """
    if not has_code_column(con):
        return {}
    found = {}
    for number in numbers:
        (matches,) = con.execute(_CODES, (keyed.code(number, code), int(number))).fetchone()
        if matches is not None:
            found[number] = bool(matches)
    return found


def without_codes(con: sqlite3.Connection) -> bool:
    """Whether the feeds seem to bring no codes: none of the first thousand bills has one."""
    if not has_code_column(con):
        return True
    bills, coded = con.execute(
        f"SELECT count(*), count(code) FROM (SELECT code FROM {CACHE_SCHEMA}.bill LIMIT 1000)"
    ).fetchone()
    return bool(bills and not coded)


def statement(con: sqlite3.Connection, number: str) -> list[tuple[Bill, BillStatus]] | None:
    """All bills of a customer number, settled ones too; None: the cache doesn't know it."""
    if not known(con, [number]):
        return None
    rows = con.execute(
        "SELECT number, issued_on, due_on, cut_off_on, amount, currency, status"
        f" FROM {CACHE_SCHEMA}.bill WHERE customer = ? ORDER BY due_on, number",
        (int(number),),
    )
    return [(_bill(row[:6]), BillStatus(row[6])) for row in rows]


def everything(con: sqlite3.Connection) -> Iterator[tuple[str, Bill | None, BillStatus | None]]:
    """All customers of the cache with their bills, settled ones too, by number; one without bills
    alone. Read while they are asked for."""
    for customer, *row, status in con.execute(
        "SELECT customer.number, bill.number, issued_on, due_on, cut_off_on, amount, currency,"
        f" status FROM {CACHE_SCHEMA}.customer LEFT JOIN {CACHE_SCHEMA}.bill"
        " ON bill.customer = customer.number ORDER BY customer.number, bill.number"
    ):
        bill = None if row[0] is None else _bill((row[0], row[1], row[2], row[3], row[4], row[5]))
        yield f"{customer:012}", bill, None if status is None else BillStatus(status)


def known(con: sqlite3.Connection, numbers: Iterable[str]) -> set[str]:
    """Those of the customer `numbers` that the cache has, with bills or without."""
    found = con.execute(
        f"SELECT number FROM {CACHE_SCHEMA}.customer"
        " WHERE number IN (SELECT CAST(value AS INTEGER) FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return {f"{number:012}" for (number,) in found}


def cache_as_of(con: sqlite3.Connection) -> float | None:
    """The moment that the last feed taken tells of, seconds since 1970; None: it has none."""
    row = con.execute(
        f"SELECT as_of FROM {CACHE_SCHEMA}.feed ORDER BY rowid DESC LIMIT 1"
    ).fetchone()
    return None if row is None else float(row[0])


def feeds_taken(con: sqlite3.Connection) -> int:
    """How many feeds the attached cache was made of: a snapshot, and deltas after it."""
    (count,) = con.execute(f"SELECT ifnull(max(rowid), 0) FROM {CACHE_SCHEMA}.feed").fetchone()
    return int(count)


class TakenFeed(NamedTuple):
    """A feed that the cache took, and what it held then."""

    as_of: float
    taken_at: float
    kind: str  # snapshot, delta
    file: str
    customers: int
    bills: int


def last_feeds(con: sqlite3.Connection, limit: int) -> list[TakenFeed]:
    """The feeds that the attached cache was made of, the last first."""
    rows = con.execute(
        "SELECT as_of, taken_at, kind, file, customers, bills"
        f" FROM {CACHE_SCHEMA}.feed ORDER BY rowid DESC LIMIT ?",
        (limit,),
    )
    return [TakenFeed(*row) for row in rows]
