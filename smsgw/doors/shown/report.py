"""The published figures of a period."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from smsgw.service.report import Table, Value


def whole(found: Iterable[Table], first: date, last: date, as_of: str) -> dict[str, Any]:
    """All tables by their names, a row each with its values by the names of the columns."""
    told: dict[str, Any] = {"from": f"{first}", "to": f"{last}", "as_of": as_of}
    for table in found:
        told[table.name] = [_object(table.columns, row) for row in table.rows]
    return told


def _object(columns: Sequence[str], row: Sequence[Value]) -> dict[str, Any]:
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in zip(columns, row, strict=True)
    }
