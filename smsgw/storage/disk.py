"""What makes a file's name and its octets outlast a power failure."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have what a file, or a folder, holds written to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
