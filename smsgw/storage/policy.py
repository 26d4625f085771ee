"""What the use-cases of the daemon take from the configuration."""

from collections.abc import Mapping
from typing import NamedTuple

from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding
from smsgw.service.notices import NoticeRules
from smsgw.service.retry import HOLD, Losses
from smsgw.text.reassembly import Bounds


class Policy(NamedTuple):
    """What the configuration says about deciding and writing messages."""

    rules: Rules
    encodings: Mapping[str, Encoding]  # by carrier
    keyed: Keyed
    losses: Losses = HOLD
    reassembly: Bounds = Bounds()
    find_carrier: bool = False  # try other carriers where one says that a number is not its own
    notices: NoticeRules = NoticeRules()

    @property
    def codes_by(self) -> Keyed | None:
        """What makes the digests of invoices' codes; None where no code is required."""
        return self.keyed if self.rules.require_code else None
