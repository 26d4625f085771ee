"""Keys that have a name already and no behaviour yet: only their defaults are taken.

The model admits nothing else for them; here stands what the default means, so that the error can
say what the gateway does instead of what was asked for.
"""

from typing import Final

LATER: Final[dict[str, str]] = {
    "storage.url": "messages are kept in SQLite in data_dir",
    "carriers.*.long_messages": "long messages go out with a user data header (udh)",
    "carriers.*.statuses": "every carrier's command_status means what the specification says",
    "billing.feed_dir": "feeds are taken with `smsgw billing import FILE`",
    "subscriptions.require_code": "registering takes no code",
    "subscriptions.find_carrier": "the carrier is changed by the customer's messages and by clerks",
    "notices.overdue.automatic": "no run starts by itself",
    "notices.disconnection.automatic": "no run starts by itself",
    "http.public": "there is no customers' page",
}


def meaning(path: tuple[str | int, ...]) -> str | None:
    """What the default of the key at `path`, or of one above it, means; None: it is available."""
    for pattern, text in LATER.items():
        keys = pattern.split(".")
        if len(keys) <= len(path) and all(
            key in ("*", part) for key, part in zip(keys, path, strict=False)
        ):
            return text
    return None
