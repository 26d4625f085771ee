"""Passwords and keys: read from where the configuration says they are, and never shown."""

import os
from pathlib import Path

from pydantic import SecretStr


def resolve(value: object, folder: Path) -> SecretStr:
    """The secret that `{env: NAME}`, `{file: PATH}` or a plain text means.

    A file's path is relative to `folder`; blanks and line ends around its content don't count.
    Raises ValueError, which says what is missing and repeats no part of the secret.
    """
    match value:
        case SecretStr():
            return value
        case {"env": str(name), **rest} if not rest:
            secret = os.environ.get(name, "").strip()
            if not secret:
                raise ValueError(f"the environment variable {name} is not set, or empty")
            return SecretStr(secret)
        case {"file": str(path), **rest} if not rest:
            return SecretStr(_content(folder / path))
        case str():
            return SecretStr(value)
        case _:
            raise ValueError("write {env: NAME}, {file: PATH} or a text in quotes")


def _content(path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text") from None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    if not content:
        raise ValueError(f"{path} is empty")
    return content
