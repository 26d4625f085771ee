"""Proof of the bill, through the real daemon: feeds with codes, and messages with them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = """\
shortcode: "170077"
data_dir: data
billing: {{feed_dir: feeds}}
subscriptions: {{require_code: true}}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
timezone: {zone}
http: {{listen: "127.0.0.1:0"}}
log: {{level: debug}}
"""
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status"
BILL = "2026-01-01,2026-01-20,,45.20,EUR"
LATER, NUMBER, OTHER = "300000000001", "300000000002", "300000000003"
CODES = RIGHT, PAID, WRONG, BAD = "XK42B7", "AB12CD", "WR0NG1", "BAD7X"
FAR_AHEAD = 4_000_000_000.0  # no test day makes this data old


class Customers:
    """What phones send and are answered, over a simulated carrier."""

    def __init__(self, carrier: Any) -> None:
        self.carrier = carrier

    def say(self, phone: int, text: str) -> str:
        """A message, and what is said to the phone after it."""
        before = self.carrier.of("mt")
        self.carrier.tell(f"35988800000{phone}\t{text}")
        return self.hear(phone, len(before))

    def hear(self, phone: int, after: int = 0) -> str:
        """The first message to a phone behind so many others; an answer may come twice, if it was
        on its way when the daemon was killed."""
        while True:
            after += 1
            mt = self.carrier.wait_for("mt", after)
            if mt["destination"] == f"35988800000{phone}":
                return str(mt["text"])


def drop(feeds: Path, name: str, *lines: str) -> None:
    new = feeds / f".{name}"
    new.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    os.utime(new, (FAR_AHEAD, FAR_AHEAD))
    new.rename(feeds / name)


def test_who_has_the_bill_registers(
    tmp_path: Path, noon_zone: str, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    feeds, config = tmp_path / "feeds", tmp_path / "smsgw.yaml"
    feeds.mkdir()
    carrier = simulate("--mo-file", "-")
    port = carrier.wait_for("listening")["port"]
    config.write_text(CONFIG.format(port=port, zone=noon_zone), encoding="utf-8")
    daemon = run(config)
    customers = Customers(carrier)

    # Before there is a feed: one with the code that the feed will bring, one with another.
    assert "Priehme zayavka" in customers.say(1, f"{LATER} kod {RIGHT.lower()}")
    assert "Priehme zayavka" in customers.say(2, f"{LATER} {WRONG}")
    drop(feeds, "1.csv", HEADER, f"{NUMBER},B1,{BILL},open")
    daemon.wait_for("billing.no_codes")
    drop(feeds, "2.csv", f"{HEADER},code", f"{NUMBER},B1,{BILL},open,{BAD}")
    assert "1 line is wrong" in daemon.wait_for("billing.feed_refused")["reason"]
    drop(
        feeds,
        "3.csv",
        f"{HEADER},code",
        f"{LATER},B1,{BILL},open,{RIGHT}",
        f"{NUMBER},B1,{BILL},open,{RIGHT}",
        f"{NUMBER},B0,{BILL},paid,{PAID}",
        f"{OTHER},B1,{BILL},open,{RIGHT}",
    )
    assert f"{LATER} e aktivna" in customers.hear(1, 2)
    daemon.wait_for("billing.feed_taken", 2)

    assert "dobavete koda" in customers.say(3, NUMBER)
    assert f"{NUMBER} e registriran" in customers.say(3, f"{NUMBER} {PAID}")
    assert "45,20 EUR" in customers.say(3, "smetka")
    for phone in range(4, 7):
        assert "greshen kod" in customers.say(phone, f"{OTHER} {WRONG}")
    daemon.kill()
    again = run(config)
    again.wait_for("daemon.started")
    for phone in range(7, 9):
        assert "greshen kod" in customers.say(phone, f"{OTHER} {WRONG}")
    assert "opitayte utre" in customers.say(9, f"{OTHER} {RIGHT}")
    assert again.terminate() == 0

    told = repr(daemon.events + again.events).upper()
    reports = [path.read_text() for path in feeds.rglob("*.report.json")]
    caches = [path.read_bytes() for path in (tmp_path / "data").glob("billing-*.db*")]
    assert len(reports) == 3
    assert caches
    for code in CODES:
        assert code not in told
        assert not any(code in report.upper() for report in reports)
        assert not any(code.encode() in cache.upper() for cache in caches)
