"""Moves the metrics of the exchange, once a transaction."""

from collections import Counter
from collections.abc import Sequence
from functools import cache

from prometheus_client import Histogram

from smsgw import metrics
from smsgw.service.message import Acceptance, MessageKind, Mo, MtState, Outcome
from smsgw.service.ports import Done, Tally, Work
from smsgw.text.reassembly import Closing


@cache
def _answer_seconds(carrier: str) -> Histogram:
    return metrics.ANSWER_SECONDS.labels(carrier)


class Meter:
    """Counts what the exchange did."""

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.acceptance is Acceptance.LOST:
                metrics.UNKNOWN_OUTCOMES.labels(outcome.segment.carrier).inc()

    def refused(self, mos: Sequence[Mo]) -> None:
        for carrier, count in Counter(mo.carrier for mo in mos).items():
            metrics.MOS_REFUSED.labels(carrier).inc(count)

    def committed(self, work: Work, done: Done, seconds: float, now: float) -> None:
        """Count a transaction that took `seconds` and whose answers went out at `now`."""
        tally = done.tally
        metrics.COMMIT_SECONDS.observe(seconds)
        metrics.COMMIT_ITEMS.observe(
            len(work.mos) + len(work.receipts) + len(work.settlements) + len(work.redeliveries)
        )
        for (carrier, intent), count in tally.intents.items():
            metrics.MOS.labels(carrier, intent).inc(count)
        for (carrier, silence), count in tally.silences.items():
            metrics.ANSWERS_WITHHELD.labels(carrier, silence.value).inc(count)
        for carrier, count in tally.parts.items():
            metrics.MO_PARTS.labels(carrier).inc(count)
        for carrier, count in tally.repeats.items():
            metrics.MO_PARTS_REPEATED.labels(carrier).inc(count)
        for (carrier, why), count in tally.closed.items():
            if why is Closing.WHOLE:
                metrics.LONG_MOS_WHOLE.labels(carrier).inc(count)
            else:
                metrics.LONG_MOS_INCOMPLETE.labels(carrier, why.value).inc(count)
        for (carrier, kind), count in tally.created.items():
            metrics.MTS.labels(carrier, kind.name.lower()).inc(count)
        for (carrier, state), count in tally.final.items():
            metrics.SEGMENTS.labels(carrier, state.value).inc(count)
        resent = Counter(segment.carrier for segment in done.claimed if segment.lost)
        for carrier, count in resent.items():
            metrics.RESENT.labels(carrier).inc(count)
        for segment in done.claimed:
            first = segment.key.part == 1 and not segment.attempts
            if first and segment.kind is MessageKind.ANSWER:
                _answer_seconds(segment.carrier).observe(now - segment.created_at)
        self._settlements(work)
        self._notices(tally)
        self._matched(tally)
        self._received(work)

    def _notices(self, tally: Tally) -> None:
        for (carrier, kind), count in tally.noticed.items():
            metrics.NOTICES_SENT.labels(carrier, kind).inc(count)
        for (kind, why), count in tally.cancelled.items():
            metrics.NOTICES_CANCELLED.labels(kind, why).inc(count)

    def _matched(self, tally: Tally) -> None:
        for carrier, count in tally.parked.items():
            metrics.RECEIPTS_PARKED.labels(carrier).inc(count)
        for (carrier, how), count in tally.matched.items():
            metrics.RECEIPTS_MATCHED.labels(carrier, how).inc(count)
        for (carrier, result), count in tally.late.items():
            metrics.LATE_OUTCOMES.labels(carrier, result).inc(count)

    def _settlements(self, work: Work) -> None:
        again = Counter(
            settlement.carrier
            for settlement in work.settlements
            if settlement.state in (MtState.QUEUED, MtState.WAITING)
        )
        for carrier, count in again.items():
            metrics.RETRIES.labels(carrier).inc(count)

    def _received(self, work: Work) -> None:
        receipts = Counter((receipt.carrier, receipt.state) for receipt in work.receipts)
        for (carrier, state), count in receipts.items():
            metrics.RECEIPTS.labels(carrier, state.value).inc(count)
        reread = Counter((mo.carrier, mo.read_as) for mo in work.mos if mo.read_as)
        for (carrier, read_as), count in reread.items():
            metrics.MOS_REREAD.labels(carrier, read_as).inc(count)
        # A redelivery comes from the carrier of the MO that it repeats.
        for carrier, count in Counter(again.carrier for again in work.redeliveries).items():
            metrics.MO_REDELIVERIES.labels(carrier).inc(count)
