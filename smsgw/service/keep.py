"""For how long personal data is kept."""

from typing import NamedTuple


class Keep(NamedTuple):
    """Seconds, from when something was written, or has ended."""

    texts: float
    messages: float
    evidence: float
