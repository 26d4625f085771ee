"""A planned run of notices. Phones are masked."""

from typing import Any

from smsgw.service.notices import LeftOut
from smsgw.storage.planning import Plan, Total, summed

Row = dict[str, Any]


def whole(plan: Plan) -> Row:
    """All of a plan."""
    by_script = {
        script: [total for (_, its), total in plan.totals.items() if its == script]
        for script in sorted({script for _, script in plan.totals})
    }
    return {
        "kind": plan.kind,
        "day": plan.day.isoformat(),
        **_total(plan.total),
        "phones": len({one.recipient.msisdn.digits for one in plan.notices}),
        "carriers": [
            {"carrier": carrier, "script": script, **_total(total)}
            for (carrier, script), total in plan.totals.items()
        ],
        "scripts": {script: _total(summed(totals)) for script, totals in by_script.items()},
        "cut_off_days_moved": plan.moved,
        "left_out": {
            reason: {
                "count": plan.excluded.counts[reason],
                "examples": [
                    {
                        name: str(value)
                        for name, value in one._asdict().items()
                        if value is not None
                    }
                    for one in plan.excluded.examples[reason]
                ],
            }
            for reason in LeftOut
            if plan.excluded.counts[reason]
        },
        "samples": [
            {
                "msisdn": str(one.recipient.msisdn),
                "carrier": one.recipient.carrier,
                "script": one.recipient.script,
                "parts": one.parts,
                "text": one.text,
            }
            for one in plan.samples
        ],
        "hold": plan.hold or None,
        "refusal": plan.refusal or None,
    }  # fmt: skip


def _total(total: Total) -> Row:
    return {
        "notices": total.notices,
        "parts": total.parts,
        "cost_eur": round(total.cost / 100, 5),
    }
