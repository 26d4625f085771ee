"""What the service takes from the configuration."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.message import Encoding, MessageKind, Msisdn, Script
from smsgw.service.notices import NoticeKind
from smsgw.service.retry import SENT_ONCE_MORE, Losses
from smsgw.settings import derive, load
from smsgw.settings.model import Settings
from smsgw.text.reassembly import Bounds

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
company: {phone: "0700 10 010"}
billing: {max_age: 12h}
reassembly: {wait: 1m, octets: 5000}
subscriptions: {sms: false, numbers_per_phone: 3, phones_per_number: 2,
                require_code: true}
replies:
  max_parts: 2
  texts: {nothing_to_stop: {latin: "Nothing to stop. {phone}", cyrillic: "Няма какво."}}
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988", "3598"]}
  telenor: {host: h, port: 1, system_id: s, password: p, number_ranges: ["359887"],
            long_messages: udh16}
  vivacom: {host: h, port: 1, system_id: s, password: p, default_alphabet: latin1,
            long_messages: payload, receipts: false}
  closed: {host: h, port: 1, system_id: s, password: p, enabled: false}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "smsgw.yaml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return load(path)


def test_rules(settings: Settings) -> None:
    rules = derive.rules(settings)
    assert (rules.sms, rules.numbers_per_phone, rules.phones_per_number) == (False, 3, 2)
    assert rules.require_code
    assert (rules.max_age, rules.max_parts) == (12 * 3600, 2)
    assert rules.timezone == ZoneInfo("Europe/Sofia")
    assert rules.replies[Script.LATIN]["nothing_to_stop"]() == "Nothing to stop. 0700 10 010"


def test_bounds_of_long_messages_from_customers(settings: Settings) -> None:
    assert derive.reassembly(settings) == Bounds(wait=60.0, messages=1_000, octets=5_000)


def test_encodings_of_the_carriers_that_are_enabled(settings: Settings) -> None:
    assert derive.encodings(settings) == {
        "mtel": Encoding("gsm7"),
        "telenor": Encoding("gsm7", "udh16"),
        "vivacom": Encoding("latin1", "payload", receipts=False),
    }


K = MessageKind


@pytest.mark.parametrize(
    ("unknown", "losses"),
    [
        ("{}", Losses(900.0, frozenset())),
        ("{wait: 1h, other: resend}", Losses(3600.0, frozenset({K.CONFIRMATION, K.MANUAL}))),
        ("{notice: resend}", Losses(900.0, frozenset({K.NOTICE, K.ANNOUNCEMENT}))),
        (
            "{notice: resend, other: resend}",
            Losses(900.0, frozenset(set(K) - SENT_ONCE_MORE)),
        ),
    ],
)
def test_what_follows_a_lost_response(tmp_path: Path, unknown: str, losses: Losses) -> None:
    path = tmp_path / "smsgw.yaml"
    path.write_text(f"{CONFIGURATION}unknown: {unknown}\n", encoding="utf-8")
    assert derive.losses(load(path)) == losses


@pytest.mark.parametrize(
    ("phone", "carrier"),
    [
        pytest.param("359888123456", "mtel", id="one range"),
        pytest.param("359887123456", "telenor", id="the longest of three"),
        pytest.param("359899123456", "mtel", id="the shorter"),
        pytest.param("35924123456", None, id="none"),
    ],
)
def test_the_carrier_of_a_number(settings: Settings, phone: str, carrier: str | None) -> None:
    assert derive.number_ranges(settings).carrier(Msisdn(phone)) == carrier


NOTICES = """\
timezone: Europe/Berlin
notices: {hours: "08:00-18:00", days: working, min_validity: 1h, max_per_run: 7,
          holidays: {add: [2026-12-23], remove: [2026-12-24]},
          overdue: {days_after_due: 3}, disconnection: {days_before: 4}}
"""


def test_rules_of_notices(tmp_path: Path) -> None:
    path = tmp_path / "smsgw.yaml"
    priced = CONFIGURATION.replace("receipts: false}", "receipts: false, price: 1.5}")
    path.write_text(priced + NOTICES, encoding="utf-8")
    settings = load(path)
    rules = derive.notice_rules(settings)
    assert (rules.days_after_due, rules.days_before_cut_off) == (3, 4)
    assert (rules.max_per_run, rules.max_age) == (7, 12 * 3600)
    assert rules.prices == {"mtel": 0.0, "telenor": 0.0, "vivacom": 1.5, "closed": 0.0}
    assert rules.encodings == derive.encodings(settings)
    assert rules.replies[Script.LATIN]["nothing_to_stop"]() == "Nothing to stop. 0700 10 010"
    calendar = rules.calendar
    assert calendar.timezone == ZoneInfo("Europe/Berlin")
    assert calendar.min_validity == 3600.0
    window = calendar.on(date(2026, 12, 22))
    assert window is not None
    assert (window.last_submit - window.opens, window.closes - window.opens) == (32400, 36000)
    open_days = [day for day in range(18, 32) if calendar.on(date(2026, 12, day))]
    assert open_days == [18, 21, 22, 24, 29, 30, 31]


def test_rules_of_notices_by_default(settings: Settings) -> None:
    rules = derive.notice_rules(settings)
    assert (rules.days_after_due, rules.days_before_cut_off, rules.max_per_run) == (1, 2, 30000)
    assert rules.calendar.min_validity == 7200.0
    assert not rules.calendar.is_open(date(2026, 12, 24))


@pytest.mark.parametrize(
    ("notices", "kinds"),
    [
        ("", ()),
        ("notices: {overdue: {automatic: true}}", (NoticeKind.OVERDUE,)),
        (
            "notices: {overdue: {automatic: true}, disconnection: {automatic: true}}",
            (NoticeKind.DISCONNECTION, NoticeKind.OVERDUE),
        ),
    ],
)
def test_daily_runs(tmp_path: Path, notices: str, kinds: tuple[NoticeKind, ...]) -> None:
    path = tmp_path / "smsgw.yaml"
    path.write_text(CONFIGURATION + notices, encoding="utf-8")
    assert derive.daily(load(path)) == kinds
