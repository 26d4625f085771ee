"""Keys that have a name already and no behaviour yet.

Of those in LATER only the defaults are taken: the model admits nothing else, and here stands what
the default means, so that the error can say what the gateway does instead of what was asked for.
"""

from typing import Final

LATER: Final[dict[str, str]] = {
    "storage.url": "messages are kept in SQLite in data_dir",
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
