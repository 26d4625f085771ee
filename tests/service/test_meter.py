"""What a transaction moves on `/metrics`."""

from smsgw import metrics
from smsgw.service.message import Mo, Msisdn
from smsgw.service.meter import Meter
from smsgw.service.ports import Done, Tally, Work

T = 1_800_000_000.0


def mo(carrier: str, read_as: str = "") -> Mo:
    phone = Msisdn("359888123456")
    return Mo(carrier, 1, T, phone, "170077", 0, 0, b"x", "x", read_as=read_as)


def reread(carrier: str, read_as: str) -> float:
    value = metrics.REGISTRY.get_sample_value(
        "smsgw_mos_reread_total", {"carrier": carrier, "read_as": read_as}
    )
    return value or 0.0


def test_mos_that_were_read_otherwise_than_declared_are_counted() -> None:
    mos = [mo("mtel", "utf-8"), mo("mtel"), mo("mtel", "utf-8"), mo("telenor", "utf-16")]
    before = {key: reread(*key) for key in (("mtel", "utf-8"), ("telenor", "utf-16"))}
    work = Work(T, [], [], [], [], mos, [], {})
    nothing = Tally(**{name: {} for name in Tally._fields})
    done = Done(1, [], [], [], None, nothing)

    Meter().committed(work, done, 0.001, T)

    assert reread("mtel", "utf-8") - before["mtel", "utf-8"] == 2
    assert reread("telenor", "utf-16") - before["telenor", "utf-16"] == 1
    assert reread("mtel", "") == 0
