"""A configuration file to load, whole or with one thing changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

SHORTEST = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel:
    host: 127.0.0.1
    port: 2775
    system_id: cez
    password: secret
"""


@pytest.fixture
def whole() -> str:
    """The text of the shortest configuration."""
    return SHORTEST


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a configuration file and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "smsgw.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def shortest(written: Callable[[str], Path]) -> Callable[..., Path]:
    """Writes the shortest configuration with one more key of its carrier, and more lines, from
    line 9 on."""

    def write(more: str = "", carrier: str = "") -> Path:
        return written(SHORTEST + (f"    {carrier}\n" if carrier else "") + more)

    return write
