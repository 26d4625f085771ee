"""What the service takes from the configuration."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.message import Encoding, MessageKind, Msisdn, Script
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
