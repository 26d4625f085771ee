"""What is reported of a feed that was taken or refused."""

from typing import Any

from smsgw.service.lines import FileError
from smsgw.storage.feed import Taken


def counts(taken: Taken) -> dict[str, Any]:
    return {
        "customers": taken.now.customers,
        "bills": taken.now.bills,
        "customers_before": taken.before and taken.before.contents.customers,
        "bills_before": taken.before and taken.before.contents.bills,
    }


def wrong_lines(error: FileError) -> dict[str, Any]:
    lines = "1 line is" if error.count == 1 else f"{error.count} lines are"
    return {
        "reason": f"{lines} wrong",
        "wrong_lines": error.count,
        "first_wrong_lines": [problem._asdict() for problem in error.problems],
    }
