"""What a configuration becomes: defaults, units, secrets, paths, warnings."""

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsgw import settings
from smsgw.service.message import MessageKind
from smsgw.settings.carrier import Source
from smsgw.settings.model import Settings
from smsgw.settings.types import Address, Duration, Hours, Percent
from smsgw.smpp.status import Reaction
from smsgw.smpp.tables import Tlv

Write = Callable[..., Path]

IN_FILE = "stands in the file; {env: NAME} or {file: PATH} keeps it out"


Doubts = Callable[[str], list[str]]

SAME = "has the host, port and system_id of mtel"


@pytest.fixture
def whole_doubts(written: Write, whole: str, monkeypatch: pytest.MonkeyPatch) -> Doubts:
    """What is doubtful in the shortest configuration with more lines, from line 9 on."""
    monkeypatch.setenv("PASSWORD", "geheim")

    def examined(more: str) -> list[str]:
        path = written(whole.replace("secret", "{env: PASSWORD}") + more)
        warnings = settings.examine(path).warnings
        return [str(warning).removeprefix(f"{path}:") for warning in warnings]

    return examined


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path of the settings."""
    for key in path.split("."):
        value = value[key] if isinstance(value, dict) else getattr(value, key)
    return value


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("shortcode", "170077"),
        ("timezone", ZoneInfo("Europe/Sofia")),
        ("company.name", None),
        ("company.phone", None),
        ("company.email", None),
        ("company.web", None),
        ("storage.url", None),
        ("secret", None),
        ("carriers.mtel.id", "mtel"),
        ("carriers.mtel.enabled", True),
        ("carriers.mtel.name", "mtel"),
        ("carriers.mtel.host", "127.0.0.1"),
        ("carriers.mtel.hosts", None),
        ("carriers.mtel.port", 2775),
        ("carriers.mtel.tls", None),
        ("carriers.mtel.system_type", ""),
        ("carriers.mtel.bind", "transceiver"),
        ("carriers.mtel.sessions", 1),
        ("carriers.mtel.outbind", None),
        ("carriers.mtel.accept", None),
        ("carriers.mtel.window", 50),
        ("carriers.mtel.inbound_window", 1000),
        ("carriers.mtel.throughput", 0),
        ("carriers.mtel.enquire_link", 30),
        ("carriers.mtel.response_timeout", 60),
        ("carriers.mtel.inactivity", 0),
        ("carriers.mtel.source.address", None),
        ("carriers.mtel.source.ton", 3),
        ("carriers.mtel.source.npi", 0),
        ("carriers.mtel.destination.ton", 1),
        ("carriers.mtel.destination.npi", 1),
        ("carriers.mtel.service_type", ""),
        ("carriers.mtel.tlvs", {}),
        ("carriers.mtel.kinds", {}),
        ("carriers.mtel.price", 0),
        ("carriers.mtel.default_alphabet", "gsm7"),
        ("carriers.mtel.long_messages", "udh"),
        ("carriers.mtel.validity", "relative"),
        ("carriers.mtel.receipts", True),
        ("carriers.mtel.message_id", "as_is"),
        ("carriers.mtel.number_ranges", ()),
        ("carriers.mtel.query_after", 3600),
        ("carriers.mtel.statuses", {}),
        ("carriers.mtel.not_ours.statuses", (0x0B,)),
        ("carriers.mtel.not_ours.errors", ("001",)),
        ("billing.feed_dir", None),
        ("billing.import_limit", 1800),
        ("billing.max_age", 36 * 3600),
        ("billing.max_shrink", 0.1),
        ("subscriptions.sms", True),
        ("subscriptions.numbers_per_phone", 10),
        ("subscriptions.phones_per_number", 5),
        ("subscriptions.unknown_numbers_per_day", 5),
        ("subscriptions.hints_per_day", 3),
        ("subscriptions.answers_per_day", 20),
        ("subscriptions.activation_limit", 24 * 3600),
        ("subscriptions.require_code", False),
        ("subscriptions.find_carrier", False),
        ("duplicates.window", 600),
        ("duplicates.limit", 200_000),
        ("reassembly.wait", 600),
        ("reassembly.messages", 1_000),
        ("reassembly.octets", 1_000_000),
        ("unknown.wait", 900),
        ("unknown.notice", "hold"),
        ("unknown.other", "hold"),
        ("notices.hours", (time(9), time(20))),
        ("notices.days", "working"),
        ("notices.holidays.add", ()),
        ("notices.holidays.remove", ()),
        ("notices.min_validity", 7200),
        ("notices.max_per_run", 30000),
        ("notices.overdue.days_after_due", 1),
        ("notices.overdue.automatic", False),
        ("notices.disconnection.days_before", 2),
        ("notices.disconnection.automatic", False),
        ("replies.max_parts", 4),
        ("replies.texts", {}),
        ("http.listen", ("127.0.0.1", 8080)),
        ("http.public", None),
        ("http.proxies", ()),
        ("http.rate", 10),
        ("http.rate_in_all", 50),
        ("http.codes.phone", 3),
        ("http.codes.address", 30),
        ("http.codes.in_all", 1000),
        ("log.format", "auto"),
        ("log.level", "info"),
        ("retention.texts", 90 * 86400),
        ("retention.messages", 730 * 86400),
        ("retention.evidence", 730 * 86400),
    ],
)
def test_defaults(shortest: Write, path: str, default: object) -> None:
    assert at(settings.load(shortest()), path) == default


@pytest.mark.parametrize(
    ("more", "path", "value"),
    [
        ("company: {phone: 359888123456}", "company.phone", "359888123456"),
        ("company: {name: 1.50}", "company.name", "1.50"),
        ("company: {name: yes}", "company.name", "yes"),
        ("billing: {max_age: 90m}", "billing.max_age", 5400.0),
        ("billing: {max_age: 0}", "billing.max_age", 0.0),
        ("replies: {max_parts: 0}", "replies.max_parts", 0),
        ("replies: {max_parts: 255}", "replies.max_parts", 255),
        ("billing: {max_shrink: 2.5%}", "billing.max_shrink", 0.025),
        ("duplicates: {window: 0}", "duplicates.window", 0.0),
        ("notices: {hours: 08:30-21:15}", "notices.hours", (time(8, 30), time(21, 15))),
        ("notices: {hours: 09:00-11:01}", "notices.min_validity", 7200.0),
        ("notices: {hours: 09:00-09:01, min_validity: 0}", "notices.min_validity", 0.0),
        ("notices: {overdue: {automatic: true}}", "notices.overdue.automatic", True),
        ("notices: {disconnection: {automatic: true}}", "notices.disconnection.automatic", True),
        ("notices: {overdue: {days_after_due: 0}}", "notices.overdue.days_after_due", 0),
        ("notices: {disconnection: {days_before: 366}}", "notices.disconnection.days_before", 366),
        (
            "notices: {holidays: {add: [2026-12-24], remove: [2027-03-03]}}",
            "notices.holidays.add",
            (date(2026, 12, 24),),
        ),
        ('http: {listen: "[::1]:0"}', "http.listen", ("::1", 0)),
        ("http:\nlog:\n", "http.listen", ("127.0.0.1", 8080)),
        ("timezone: UTC", "timezone", ZoneInfo("UTC")),
        (
            'replies: {texts: {nothing_due: {latin: "Nyamate dalg po {number}."}}}',
            "replies.texts.nothing_due.latin",
            "Nyamate dalg po {number}.",
        ),
    ],
)
def test_a_value_of_another_section(shortest: Write, more: str, path: str, value: object) -> None:
    assert at(settings.load(shortest(more)), path) == value


@pytest.mark.parametrize(
    ("carrier", "path", "value"),
    [
        ("name: M-Tel", "name", "M-Tel"),
        ("name: null", "name", "mtel"),
        ("enabled: false", "enabled", False),
        ("throughput: 0.5", "throughput", 0.5),
        ("price: 1.25", "price", Decimal("1.25")),
        ("number_ranges: [35988, '35989']", "number_ranges", ("35988", "35989")),
        ("source: {address: 170077}", "source.address", "170077"),
        ('tlvs: {"0x1401": "01fF", 0x1402: ""}', "tlvs", {0x1401: b"\x01\xff", 0x1402: b""}),
        ("tlvs: {0x1401: 10}", "tlvs", {0x1401: b"\x10"}),
        ('tlvs: {0x0204: "0001"}', "tlvs", {Tlv.USER_MESSAGE_REFERENCE: b"\x00\x01"}),
        ('tlvs: {0x001E: "3100"}', "tlvs", {Tlv.RECEIPTED_MESSAGE_ID: b"1\x00"}),
        ('tlvs: {0x3FFF: "", 0xFFFF: "00"}', "tlvs", {0x3FFF: b"", 0xFFFF: b"\x00"}),
    ],
)
def test_a_value_of_a_carrier(shortest: Write, carrier: str, path: str, value: object) -> None:
    assert at(settings.load(shortest(carrier=carrier)).carriers["mtel"], path) == value


@pytest.mark.parametrize("written_as", ['"170077"', "170077", "'0177'"])
def test_shortcode(written: Write, whole: str, written_as: str) -> None:
    path = written(whole.replace('"170077"', written_as))
    assert settings.load(path).shortcode == written_as.strip("\"'")


def test_a_kind_is_marked_as_the_carrier_says_and_its_override_over_that(shortest: Write) -> None:
    carrier = (
        "service_type: CMT\n"
        "    source: {address: CEZ, ton: 5}\n"
        '    tlvs: {"0x1400": "aa", "0x1401": "bb"}\n'
        '    kinds: {notice: {service_type: FREE, source: {npi: 1}, tlvs: {"0x1401": "cc"}}}'
    )
    mtel = settings.load(shortest(carrier=carrier)).carriers["mtel"]
    assert mtel.marking(MessageKind.ANSWER) == (
        "CMT",
        Source(address="CEZ", ton=5, npi=0),
        {0x1400: b"\xaa", 0x1401: b"\xbb"},
    )
    assert mtel.marking(MessageKind.NOTICE) == (
        "FREE",
        Source(address="CEZ", ton=5, npi=1),
        {0x1400: b"\xaa", 0x1401: b"\xcc"},
    )


def test_relative_paths_start_at_the_file(shortest: Write, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    path = shortest()
    path.write_text(path.read_text().replace("secret", "{file: password}"))
    loaded = settings.load(path)
    assert loaded.data_dir == tmp_path / "data"
    assert loaded.carriers["mtel"].password.get_secret_value() == "geheim"


def test_a_secret_from_the_environment(
    written: Write, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MTEL_PASSWORD", "geheim")
    loaded = settings.examine(written(whole.replace("secret", "{env: MTEL_PASSWORD}")))
    assert loaded.settings.carriers["mtel"].password.get_secret_value() == "geheim"
    assert loaded.warnings == []
    assert "geheim" not in repr(loaded.settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b" \n", "{} is empty"), (b"\xff", "{} is not a text")],
    ids=["empty", "binary"],
)
def test_a_secret_file_that_will_not_do(
    written: Write, whole: str, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(settings.ConfigError) as caught:
        settings.load(written(whole.replace("secret", "{file: password}")))
    assert [problem.message for problem in caught.value.problems] == [
        message.format(tmp_path / "password")
    ]


def test_warnings(written: Write, whole: str) -> None:
    path = written(whole.replace("secret", "nine_octs") + 'secret: "key"\n')
    assert [str(warning) for warning in settings.examine(path).warnings] == [
        f"{path}:8:15: carriers.mtel.password: {IN_FILE}",
        f"{path}:8:15: carriers.mtel.password: is longer than SMPP's 8 octets",
        f"{path}:9:9: secret: {IN_FILE}",
    ]


@pytest.mark.parametrize(
    ("carrier", "warned"),
    [
        ("throughput: 0", ""),
        ("throughput: 1", ""),
        ("{throughput: 0.8}", "is 1m, and a window of 50 takes 63s at 0.8 a second"),
        ("{throughput: 2, sessions: 3}", "is 1m, and a window of 150 takes 75s at 2 a second"),
        ("{throughput: 10, sessions: 3, response_timeout: 14s}", "is 14s, and a window of 150"),
        ("{throughput: 10, window: 10, response_timeout: 1s}", ""),
    ],
)
def test_a_response_timeout_that_a_full_window_can_t_meet_is_doubtful(
    shortest: Write, carrier: str, warned: str
) -> None:
    keys = carrier.strip("{}").replace(", ", "\n    ")
    found = [
        warning
        for warning in settings.examine(shortest(carrier=keys)).warnings
        if warning.path == "carriers.mtel.response_timeout"
    ]
    assert [warning.message.startswith(warned) for warning in found] == [True] * bool(warned)
    if "response_timeout" in carrier and warned:
        assert (found[0].line, found[0].column) == (11, 23)


@pytest.mark.parametrize(
    ("keys", "addresses"),
    [
        ("host: a.example, port: 1", [("a.example", 1)]),
        ("host: '::1', port: 1", [("::1", 1)]),
        ("hosts: [a, b], port: 1", [("a", 1), ("b", 1)]),
        (
            "hosts: [a, 'b:2', '[::1]:3', '::2'], port: 1",
            [("a", 1), ("b", 2), ("::1", 3), ("::2", 1)],
        ),
        ("hosts: ['a:1', 'b:2']", [("a", 1), ("b", 2)]),
    ],
)
def test_where_a_carrier_is_dialled(
    written: Write, keys: str, addresses: list[tuple[str, int]]
) -> None:
    carrier = f"{{{keys}, system_id: a, password: b}}"
    path = written(f"shortcode: 1\ndata_dir: x\ncarriers: {{mtel: {carrier}}}\n")
    assert list(settings.load(path).carriers["mtel"].addresses) == addresses


def test_warnings_of_a_carrier_that_dials_us(shortest: Write) -> None:
    listener = '{listen: "127.0.0.1:1", system_id: mtel, password: nine_octs}'
    path = shortest(carrier=f"accept: {listener}")
    assert [str(warning) for warning in settings.examine(path).warnings] == [
        f"{path}:5:5: carriers.mtel.host: is not used: this carrier dials us",
        f"{path}:6:5: carriers.mtel.port: is not used: this carrier dials us",
        f"{path}:8:15: carriers.mtel.password: {IN_FILE}",
        f"{path}:9:64: carriers.mtel.accept.password: {IN_FILE}",
        f"{path}:9:64: carriers.mtel.accept.password: is longer than SMPP's 8 octets",
    ]


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("connections", 20),
        ("connections_per_address", 10),
        ("bind_timeout", 10),
    ],
)
def test_defaults_of_a_listener(shortest: Write, path: str, default: object) -> None:
    carrier = 'accept: {listen: "127.0.0.1:1", system_id: mtel, password: hush}'
    listener = settings.load(shortest(carrier=carrier)).carriers["mtel"].listener
    assert at(listener, path) == default


@pytest.mark.parametrize(
    ("address", "let_in"),
    [
        ("127.0.0.1", True),
        ("10.255.0.1", True),
        ("192.168.1.1", True),
        ("100.64.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("172.32.0.1", False),
        ("2001:db8::1", False),
    ],
)
def test_a_listener_lets_in_private_networks_only(
    shortest: Write, address: str, let_in: bool
) -> None:
    carrier = 'accept: {listen: "127.0.0.1:1", system_id: mtel, password: hush}'
    listener = settings.load(shortest(carrier=carrier)).carriers["mtel"].listener
    assert listener is not None
    assert any(ip_address(address) in network for network in listener.networks) is let_in


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        ("false", None),
        ("null", None),
        ("true", (None, None, None, None)),
        ("{}", (None, None, None, None)),
        ("{ca_file: ca.pem}", ("ca.pem", None, None, None)),
        (
            "{cert_file: ca.pem, key_file: ca.pem, server_name: smsc.example}",
            (None, "ca.pem", "ca.pem", "smsc.example"),
        ),
    ],
)
def test_tls(shortest: Write, tmp_path: Path, tls: str, expected: tuple[str | None] | None) -> None:
    (tmp_path / "ca.pem").touch()
    made = settings.load(shortest(carrier=f"tls: {tls}")).carriers["mtel"].tls
    if expected is None:
        assert made is None
    else:
        assert made is not None
        files = [path and path.name for path in (made.ca_file, made.cert_file, made.key_file)]
        assert (*files, made.server_name) == expected


@pytest.mark.parametrize(
    ("holidays", "expected"),
    [
        ("{add: [2026-12-23], remove: [2026-12-24, 2026-12-28]}", []),
        ("{remove: [2026-01-02, 2026-05-25]}", []),
        (
            "{remove: [2026-12-24, 2026-12-23]}",
            ["43: {}.1: 2026-12-23 is no public holiday, and is no other day without this"],
        ),
        (
            "{remove: [1926-12-24]}",
            ["31: {}.0: 1926-12-24 is no public holiday, and is no other day without this"],
        ),
        (
            "{add: [2026-12-24], remove: [2026-12-24]}",
            ["50: {}.0: 2026-12-24 is added too: it stays a holiday"],
        ),
    ],
)
def test_a_day_that_is_no_holiday_can_not_be_removed(
    whole_doubts: Doubts, holidays: str, expected: list[str]
) -> None:
    found = whole_doubts(f"notices: {{holidays: {holidays}}}")
    path = "notices.holidays.remove"
    assert found == [f"9:{one.format(path)}" for one in expected]


OTHER = "  other: {host: 127.0.0.1, port: 2776, system_id: cez, password: {env: PASSWORD}"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (f"{OTHER}}}", []),
        (f"{OTHER}}}".replace("2776", "2775"), [f"9:10: carriers.other: {SAME}"]),
        (f"{OTHER}, enabled: false}}".replace("2776", "2775"), []),
        (
            f"{OTHER}}}".replace("host: 127.0.0.1", "hosts: [a, 'B:1', '127.0.0.1:2775']"),
            [f"9:10: carriers.other: {SAME}"],
        ),
        (
            f'    number_ranges: ["35988", "35989"]\n{OTHER}, number_ranges: ["1", "35989"]}}',
            [
                "10:104: carriers.other.number_ranges.1: "
                "is a range of mtel too, whose numbers these stay"
            ],
        ),
        (f'    number_ranges: ["35988"]\n{OTHER}, number_ranges: ["359888"]}}', []),
    ],
)
def test_two_carriers_that_are_alike(whole_doubts: Doubts, more: str, expected: list[str]) -> None:
    assert whole_doubts(more) == expected


def test_a_feed_folder_that_is_not_there(
    whole_doubts: Doubts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = f"{tmp_path}/feeds"
    assert whole_doubts(f"billing: {{feed_dir: {missing}}}") == [
        f"9:21: billing.feed_dir: {missing} is no folder: no feed is taken from there"
    ]
    (tmp_path / "feeds").mkdir()
    assert whole_doubts(f"billing: {{feed_dir: {missing}}}") == []


def test_the_settings_are_frozen(shortest: Write) -> None:
    loaded = settings.load(shortest())
    for section, key in [(loaded, "shortcode"), (loaded.http, "listen")]:
        with pytest.raises(ValueError, match="frozen"):
            setattr(section, key, "1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration("0s"), "0s"),
        (Duration("90s"), "90s"),
        (Duration("60s"), "1m"),
        (Duration("36h"), "36h"),
        (Duration("48h"), "2d"),
        (Percent("10%"), "10%"),
        (Percent("2.5%"), "2.5%"),
        (Address("::1", 80), "[::1]:80"),
        (Address("localhost", 80), "localhost:80"),
        (Hours(time(9), time(20, 30)), "09:00-20:30"),
    ],
)
def test_a_value_prints_as_it_is_written(value: object, text: str) -> None:
    assert str(value) == text


class TestFind:
    """Which file is the configuration."""

    @pytest.fixture(autouse=True)
    def nowhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("SMSGW_CONFIG", raising=False)
        monkeypatch.setattr(
            "smsgw.settings.loader.DEFAULTS", (Path("config/smsgw.yaml"), tmp_path / "etc.yaml")
        )

    def test_the_option_comes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMSGW_CONFIG", "env.yaml")
        assert settings.find(Path("option.yaml")) == Path("option.yaml")

    def test_then_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("config").mkdir()
        Path("config/smsgw.yaml").touch()
        monkeypatch.setenv("SMSGW_CONFIG", "env.yaml")
        assert settings.find(None) == Path("env.yaml")

    def test_then_the_folder_and_then_etc(self, tmp_path: Path) -> None:
        (tmp_path / "etc.yaml").touch()
        assert settings.find(None) == tmp_path / "etc.yaml"
        Path("config").mkdir()
        Path("config/smsgw.yaml").touch()
        assert settings.find(None) == Path("config/smsgw.yaml")

    def test_and_none_of_them(self, tmp_path: Path) -> None:
        with pytest.raises(settings.ConfigError) as caught:
            settings.find(None)
        assert str(caught.value) == (
            "there is no configuration: $SMSGW_CONFIG is not set, looked for config/smsgw.yaml and "
            f"{tmp_path}/etc.yaml; name one with --config"
        )


def test_the_model_is_made_from_code_too() -> None:
    """The demo and the tests build settings without a file."""
    carrier = {"host": "::1", "port": 1, "system_id": "a", "password": "b", "enquire_link": 0.5}
    made = Settings.model_validate(
        {"shortcode": "1", "data_dir": Path("x"), "carriers": {"a": carrier}}
    )
    assert made.carriers["a"].enquire_link == 0.5
    assert made.data_dir == Path("x")


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("{RSUBMITFAIL: permanent}", {0x45: Reaction.PERMANENT}),
        ("{ESME_RSUBMITFAIL: temporary}", {0x45: Reaction.TEMPORARY}),
        ("{esme_rthrottled: throttled}", {0x58: Reaction.THROTTLED}),
        ("{69: few_tries}", {69: Reaction.FEW_TRIES}),
        ('{"0x0405": queue_full, 0X4fF: link}', {0x405: Reaction.QUEUE_FULL, 0x4FF: Reaction.LINK}),
        ("{0xffffffff: tlvs}", {0xFFFFFFFF: Reaction.TLVS}),
        ("{}", {}),
    ],
)
def test_statuses(shortest: Callable[..., Path], text: str, statuses: dict[int, Reaction]) -> None:
    loaded = settings.load(shortest(carrier=f"statuses: {text}"))
    assert loaded.carriers["mtel"].statuses == statuses


@pytest.mark.parametrize(
    ("text", "statuses", "errors"),
    [
        ("{}", (0x0B,), ("001",)),
        ("{statuses: [], errors: []}", (), ()),
        ('{statuses: [esme_rinvdstadr, 0x45, 1025], errors: ["1", "0x15"]}', (11, 69, 1025),
         ("1", "0x15")),
    ],
)  # fmt: skip
def test_not_ours(
    shortest: Callable[..., Path], text: str, statuses: tuple[int, ...], errors: tuple[str, ...]
) -> None:
    not_ours = settings.load(shortest(carrier=f"not_ours: {text}")).carriers["mtel"].not_ours
    assert (not_ours.statuses, not_ours.errors) == (statuses, errors)
