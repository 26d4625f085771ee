"""What pydantic finds wrong, in the words of the person who wrote the file."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from smsgw.settings.later import meaning
from smsgw.settings.model import Settings

# By pydantic's error type; the fields are the error's own context.
WORDS: Final[dict[str, str]] = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of keys",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "value_error": "{error}",
}

# By pattern: `string_pattern_mismatch` alone says nothing to a person.
PATTERNS: Final[dict[str, str]] = {
    "^[ -~]*$": "must be printable ASCII",
    "^[a-z0-9_-]{1,32}$": "an id is 1 to 32 of a-z, 0-9, _ and -",
    "^[0-9]{1,15}$": "must be 1 to 15 digits",
    "^[!-~]{1,64}$": "must be 1 to 64 printable characters without blanks",
}


def message(error: ErrorDetails, path: tuple[str | int, ...]) -> str:
    """What to say about one error at `path`; it never repeats the value, which may be a secret."""
    default = meaning(path)
    if default is not None:
        return f"not available in this version: {default}"
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _unknown(path)
        case "string_pattern_mismatch":
            return PATTERNS[context["pattern"]]
        case kind if kind in WORDS:
            return WORDS[kind].format(**context)
        case _:
            return error["msg"]


def _unknown(path: tuple[str | int, ...]) -> str:
    known = [name for name in _section(path[:-1]).model_fields if name != "id"]
    near = get_close_matches(str(path[-1]), known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
    return f"unknown key; {advice}"


def _section(path: Sequence[str | int]) -> type[BaseModel]:
    """The model of the mapping at `path`, which is known to be one."""
    section: Any = Settings
    for key in path:
        of_ids = get_origin(section) is dict
        section = get_args(section)[1] if of_ids else section.model_fields[key].annotation
        if type(None) in get_args(section):
            section = get_args(section)[0]
    return cast(type[BaseModel], section)
