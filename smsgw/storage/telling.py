"""Messages that nobody waits for: they go out inside the hours for such, on any day."""

from collections.abc import Iterable, Mapping

from smsgw.service.decision import Rules, Told
from smsgw.service.hours import next_open
from smsgw.service.message import Encoding, Mt


def tell(
    told: Iterable[Told], encodings: Mapping[str, Encoding], rules: Rules, now: float
) -> list[Mt]:
    """The messages to phones whose carrier is known and enabled; nothing reaches the others."""
    opens = next_open(now, rules.hours, rules.timezone)
    return [
        Mt(
            carrier,
            one.reply.kind,
            one.subscription.msisdn,
            one.reply.text,
            now,
            not_before=opens,
        )
        for one in told
        if (carrier := one.subscription.carrier) is not None and carrier in encodings
    ]
