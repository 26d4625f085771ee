"""Every error of a configuration, by its exact line."""

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from smsgw import settings

KINDS = "the kinds are code, answer, confirmation, manual, notice, announcement"
PASSWORD = "8:15: carriers.mtel.password:"
SECRET = "write {env: NAME}, {file: PATH} or a text in quotes"
QUOTE = "a number with a leading zero must be quoted:"
OCTETS = 'write octets in hex, two digits each: "01ff"'
NO_NUL = "is a text: it must end in 00, its only one"
OWN = "is written by the gateway itself"
MEANING = "must be temporary, queue_full, few_tries, throttled, link, permanent or tlvs"
MESSAGE_ID = "must be 'as_is', 'hex_in_response' or 'hex_in_receipt'"
HOST = "write a host name or an IP address, without a port"
DURATION = "write a duration with its unit: 30s, 10m, 36h or 90d"
PERCENT = "write a percentage from 0% to 100%: 10%"
LISTEN = "write host:port, as in 127.0.0.1:8080 or [::1]:8080"


NETWORK = "write a network as 10.20.0.0/16, an address as 10.20.0.5"
CONNECTIONS = "unknown key; did you mean connections?"
LISTENER = 'listen: "127.0.0.1:2775", system_id: mtel, password: hush'


def errors(path: Path) -> list[str]:
    """What `settings.load` finds wrong in the file at `path`, without the folder."""
    with pytest.raises(settings.ConfigError) as caught:
        settings.load(path)
    return [str(problem._replace(file=path.name)) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "",
            [
                "smsgw.yaml:1:1: shortcode: is required",
                "smsgw.yaml:1:1: data_dir: is required",
                "smsgw.yaml:1:1: carriers: is required",
            ],
            id="an empty file",
        ),
        pytest.param("- a", ["smsgw.yaml:1:1: must be a mapping of keys"], id="a list"),
        pytest.param(
            "shortcode: [1",
            [
                "smsgw.yaml:1:14: not YAML: while parsing a flow sequence, "
                "expected ',' or ']', but got '<stream end>'"
            ],
            id="an open bracket",
        ),
        pytest.param(
            "a: 1\nb: 2\n\tc: 3\n",
            [
                "smsgw.yaml:3:1: not YAML: while scanning for the next token, "
                "found character '\\t' that cannot start any token"
            ],
            id="a tab",
        ),
        pytest.param(
            "a: 1\nb: x\x07y\n",
            ["smsgw.yaml:2:5: not YAML: the character U+0007 must not stand in a text"],
            id="a control character",
        ),
        pytest.param(
            "a: 1\n---\nb: 2\n",
            [
                "smsgw.yaml:2:1: not YAML: expected a single document in the stream, "
                "but found another document"
            ],
            id="two documents",
        ),
        pytest.param(
            "a: *b\n",
            ["smsgw.yaml:1:4: not YAML: found undefined alias 'b'"],
            id="an alias to nothing",
        ),
        pytest.param("[" * 2000, ["smsgw.yaml:1:1: is nested too deeply"], id="too deep"),
    ],
)
def test_the_file_as_a_whole(
    written: Callable[[str], Path], text: str, expected: list[str]
) -> None:
    assert errors(written(text)) == expected


@pytest.mark.parametrize(
    ("carrier", "expected"),
    [
        ("windwo: 5", "9:5: windwo: unknown key; did you mean window?"),
        ("id: x", "9:5: id: unknown key; a carrier's id is its own key"),
        ("window: 0", "9:13: window: must be at least 1"),
        ("window: yes", "9:13: window: must be a whole number"),
        ("window: true", "9:13: window: must be a whole number"),
        ("window: 1.5", "9:13: window: must be a whole number"),
        ("window: {a: 1}", "9:13: window: must be a whole number"),
        ("window:", "9:12: window: must be a whole number"),
        ("window: 010", f'9:13: window: {QUOTE} "010"'),
        ("window: 5\n    window: 6", "10:5: window: is written twice, first in line 9"),
        (
            r'name: "a \ud83d"',
            "9:11: name: half a surrogate pair is no character: write the whole one",
        ),
        ("enabled: 1", "9:14: enabled: must be true or false"),
        ("throughput: true", "9:17: throughput: must be a number"),
        ("throughput: -1", "9:17: throughput: must be at least 0"),
        ("price: a", "9:12: price: must be a number"),
        ("price: 100000000000000000000", "9:12: price: must be at most 100000"),
        ("enquire_link: 30", f"9:19: enquire_link: {DURATION}"),
        ("enquire_link: 0", "9:19: enquire_link: must be more than 0s"),
        ("response_timeout: 1w", f"9:23: response_timeout: {DURATION}"),
        (f"system_type: {'x' * 13}", "9:18: system_type: must be at most 12 characters long"),
        ("system_type: жълт", "9:18: system_type: must be printable ASCII"),
        ("service_type: [a]", "9:19: service_type: must be a text"),
        ("source: {ton: 7}", "9:19: source.ton: must be at most 6"),
        ("source: {adress: x}", "9:14: source.adress: unknown key; did you mean address?"),
        ("source: {x: x}", "9:14: source.x: unknown key; the keys here are address, ton, npi"),
        ("source: 170077", "9:13: source: must be a mapping of keys"),
        (
            f"source: {{address: {'1' * 21}}}",
            "9:23: source.address: must be at most 20 characters long",
        ),
        ("destination: {ton: 1, npi: 19}", "9:32: destination.npi: must be at most 18"),
        ('tlvs: {1401: "01"}', "9:12: tlvs.1401: write a TLV's tag as 0x1401"),
        ('tlvs: {"0x1401": "1"}', f"9:22: tlvs.0x1401: {OCTETS}"),
        (
            'tlvs: {"0x204": "01"}',
            "9:21: tlvs.0x204: user_message_reference has 2 octets, not 1",
        ),
        ('tlvs: {0x000d: ""}', "9:20: tlvs.0x000d: source_addr_subunit has 1 octet, not 0"),
        ('tlvs: {0x0381: "01"}', "9:20: tlvs.0x0381: callback_num has 4 to 19 octets, not 1"),
        ('tlvs: {0x001E: "31"}', f"9:20: tlvs.0x001E: receipted_message_id {NO_NUL}"),
        ('tlvs: {0x001E: "003100"}', f"9:20: tlvs.0x001E: receipted_message_id {NO_NUL}"),
        (
            f'tlvs: {{0x1401: "{"00" * 65536}"}}',
            "9:20: tlvs.0x1401: 0x1401 has more than 65535 octets",
        ),
        ('tlvs: {"0x0424": "41"}', f"9:12: tlvs.0x0424: message_payload {OWN}"),
        ('tlvs: {0x020c: "0001"}', f"9:12: tlvs.0x020c: sar_msg_ref_num {OWN}"),
        ('tlvs: {0x020E: "01"}', f"9:12: tlvs.0x020E: sar_total_segments {OWN}"),
        ('tlvs: {0x020F: "01"}', f"9:12: tlvs.0x020F: sar_segment_seqnum {OWN}"),
        (
            'kinds: {notice: {tlvs: {"0x0204": "01"}}}',
            "9:39: kinds.notice.tlvs.0x0204: user_message_reference has 2 octets, not 1",
        ),
        ("kinds: {notise: {}}", f"9:13: kinds.notise: there is no such kind of message; {KINDS}"),
        (
            "kinds: {notice: {srouce: }}",
            "9:22: kinds.notice.srouce: unknown key; did you mean source?",
        ),
        ("kinds: &k {notice: *k}", "9:12: kinds.notice: an alias stands inside what it refers to"),
        ("default_alphabet: utf8", "9:23: default_alphabet: must be 'gsm7', 'latin1' or 'ascii'"),
        (
            "long_messages: tlv",
            "9:20: long_messages: must be 'udh', 'udh16', 'sar' or 'payload'",
        ),
        ("validity: 24h", "9:15: validity: must be 'relative', 'absolute' or 'none'"),
        ("message_id: hex", f"9:17: message_id: {MESSAGE_ID}"),
        ('number_ranges: ["+35988"]', "9:21: number_ranges.0: must be 1 to 15 digits"),
        ("number_ranges: 35988", "9:20: number_ranges: must be a list"),
        *(
            (f"statuses: {{{written}: permanent}}", f"9:16: statuses.{written}: {said}")
            for written, said in (
                ("RSUBMITFIAL", "there is no such status; did you mean RSUBMITFAIL?"),
                ("ESME_RTHROTLED", "there is no such status; did you mean RTHROTTLED?"),
                ("x", "write a status by its name or number: RSUBMITFAIL or 0x45"),
                ("0x", "write a status by its name or number: RSUBMITFAIL or 0x45"),
                ("-1", "write a status by its name or number: RSUBMITFAIL or 0x45"),
                ("0", "is no refusal"),
                ("0x0", "is no refusal"),
                ("ESME_ROK", "is no refusal"),
                ("4294967296", "is more than command_status can be, 0xffffffff"),
            )
        ),
        *(
            (f"statuses: {{0x45: {written}}}", f"9:22: statuses.0x45: {MEANING}{said}")
            for written, said in (
                ("permanant", "; did you mean permanent?"),
                ("QUEUEFULL", "; did you mean queue_full?"),
                ("accepted", ""),
                ("1", ""),
                ("[]", ""),
            )
        ),
        ("statuses: {0x45: temporary, 0x045: link}", "9:33: statuses.0x045: is the same as 0x45"),
        ("statuses: {0x45: link, 69: link}", "9:28: statuses.69: is the same as 0x45"),
        ("statuses: [0x45]", "9:15: statuses: must be a mapping of keys"),
        *(
            (f"not_ours: {{statuses: [{written}]}}", f"9:27: not_ours.statuses.0: {said}")
            for written, said in (
                ("RINVDSTADDR", "there is no such status; did you mean RINVDSTADR?"),
                ("x", "write a status by its name or number: RSUBMITFAIL or 0x45"),
                ("ESME_ROK", "is no refusal"),
            )
        ),
        ("not_ours: {statuses: 0x0b}", "9:26: not_ours.statuses: must be a list"),
        (
            "not_ours: {errors: [001]}",
            '9:25: not_ours.errors.0: a number with a leading zero must be quoted: "001"',
        ),
        (
            'not_ours: {errors: ["a b"]}',
            "9:25: not_ours.errors.0: must be 1 to 64 printable characters without blanks",
        ),
        (
            "not_ours: {error: []}",
            "9:16: not_ours.error: unknown key; did you mean errors?",
        ),
        ("query_after: 10", f"9:18: query_after: {DURATION}"),
        ("tls: yes", "9:10: tls: must be true, false or a mapping of keys"),
        ("tls: {cafile: x}", "9:11: tls.cafile: unknown key; did you mean ca_file?"),
        ("tls: {ca_file: /no}", "9:20: tls.ca_file: /no can't be read: No such file or directory"),
        (
            "tls: {key_file: /dev/null}",
            "9:21: tls.key_file: is the key of no certificate: cert_file is missing",
        ),
        ("tls: {server_name: a b}", f"9:24: tls.server_name: {HOST}"),
        (f"accept: {{{LISTENER}, conections: 1}}", f"9:73: accept.conections: {CONNECTIONS}"),
        (f"accept: {{{LISTENER}, networks: [x]}}", f"9:84: accept.networks.0: {NETWORK}"),
        (f"accept: {{{LISTENER}, networks: [10.0.0.1/8]}}", f"9:84: accept.networks.0: {NETWORK}"),
        (
            f"accept: {{{LISTENER}, bind_timeout: 0}}",
            "9:87: accept.bind_timeout: must be more than 0s",
        ),
        ('accept: {listen: "[::1]:1", system_id: a}', "9:5: accept.password: is required"),
        (
            'outbind: {listen: "[::1]:1", system_id: a, password: ""}',
            "9:58: outbind.password: must not be empty: whoever knows the name would be let in",
        ),
        (
            f"accept: {{{LISTENER}}}\n    outbind: {{{LISTENER}}}",
            "9:13: accept: the carrier either binds to us or sends outbind",
        ),
        (
            f"accept: {{{LISTENER}}}\n    tls: true",
            "10:10: tls: who listens needs a certificate: cert_file",
        ),
        ("name: !x y", "9:11: name: the tag !x means nothing here"),
        ("name: ! y", "9:11: name: the tag ! means nothing here"),
        ("name: &a !<tag:x> y", "9:11: name: the tag tag:x means nothing here"),
        ("window: !!int 5", "9:13: window: the tag !!int means nothing here"),
        ("name: !!str y", "9:11: name: the tag !!str means nothing here"),
        ("name: !!binary eA==", "9:11: name: the tag !!binary means nothing here"),
        (
            "name: !!python/object/apply:os.getcwd []",
            "9:11: name: the tag !!python/object/apply:os.getcwd means nothing here",
        ),
        ("source: !!map {ton: 5}", "9:13: source: the tag !!map means nothing here"),
        ("!!str name: y", "9:5: name: the tag !!str means nothing here"),
        ("<<: {window: 5}", "9:5: <<: mappings are not merged; write out the keys"),
    ],
)
def test_a_key_of_a_carrier(shortest: Callable[..., Path], carrier: str, expected: str) -> None:
    place, message = expected.split(" ", 1)
    assert errors(shortest(carrier=carrier)) == [f"smsgw.yaml:{place} carriers.mtel.{message}"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("shrotcode: 1", "9:1: shrotcode: unknown key; did you mean shortcode?"),
        ("shortcode: 2", "9:1: shortcode: is written twice, first in line 1"),
        (r'"\ud83d": 1', "9:1: half a surrogate pair is no character: write the whole one"),
        (
            "timezone: Europe/Sofa",
            "9:11: timezone: there is no time zone Europe/Sofa; write one like Europe/Sofia",
        ),
        (
            "timezone: ../etc",
            "9:11: timezone: there is no time zone ../etc; write one like Europe/Sofia",
        ),
        ("secret: 5", f"9:9: secret: {SECRET}"),
        ("company: {phone: 0700}", f'9:18: company.phone: {QUOTE} "0700"'),
        ("billing: {max_shrink: 10}", f"9:23: billing.max_shrink: {PERCENT}"),
        ("billing: {max_shrink: 101%}", f"9:23: billing.max_shrink: {PERCENT}"),
        ("billing: {max_age: 36}", f"9:20: billing.max_age: {DURATION}"),
        (
            "subscriptions: {hints_per_day: -1}",
            "9:32: subscriptions.hints_per_day: must be at least 0",
        ),
        ("duplicates: {window: ten}", f"9:22: duplicates.window: {DURATION}"),
        ("reassembly: {messages: 0}", "9:24: reassembly.messages: must be at least 1"),
        ("unknown: {notice: wait}", "9:19: unknown.notice: must be 'hold' or 'resend'"),
        ("notices: {hours: 9-20}", "9:18: notices.hours: write hours as 09:00-20:00"),
        (
            'notices: {hours: "20:00-09:00"}',
            "9:18: notices.hours: the hours close before they open",
        ),
        (
            "notices: {hours: 09:00-11:00}",
            "9:1: notices.min_validity: is 2h, and of the hours 09:00-11:00 nothing is left",
        ),
        (
            "notices: {hours: 09:00-20:00, min_validity: 12h}",
            "9:45: notices.min_validity: is 12h, and of the hours 09:00-20:00 nothing is left",
        ),
        (
            "notices: {overdue: {days_after_due: 367}}",
            "9:37: notices.overdue.days_after_due: must be at most 366",
        ),
        (
            "notices: {disconnection: {days_before: -1}}",
            "9:40: notices.disconnection.days_before: must be at least 0",
        ),
        (
            "notices: {holidays: {add: [24.12.2026]}}",
            "9:28: notices.holidays.add.0: write a date as 2026-12-24",
        ),
        ("replies: {max_parts: -1}", "9:22: replies.max_parts: must be at least 0"),
        ("replies: {max_parts: 256}", "9:22: replies.max_parts: must be at most 255"),
        (
            "replies: {texts: {dept: {latin: x}}}",
            "9:25: replies.texts.dept: there is no such text; did you mean debt?",
        ),
        ("http: {listen: 8080}", f"9:16: http.listen: {LISTEN}"),
        ('http: {listen: "127.0.0.1:70000"}', f"9:16: http.listen: {LISTEN}"),
        (
            "retention: {messages: 7d}",
            "9:23: retention.messages: must be 8d at least: what is on its way refers to it",
        ),
        ("http: {public: 8081}", f"9:16: http.public: {LISTEN}"),
        (
            "http: {proxies: [somewhere]}",
            "9:18: http.proxies.0: write a network as 10.20.0.0/16, an address as 10.20.0.5",
        ),
        ('http: {listen: "::1:8080"}', f"9:16: http.listen: {LISTEN}"),
        ('http: {listen: "a b:8080"}', f"9:16: http.listen: {LISTEN}"),
        ("log: {level: verbose}", "9:14: log.level: must be 'debug', 'info', 'warning' or 'error'"),
        ("retention: {texts: -1d}", f"9:20: retention.texts: {DURATION}"),
    ],
)
def test_a_key_of_another_section(shortest: Callable[..., Path], more: str, expected: str) -> None:
    assert errors(shortest(more)) == [f"smsgw.yaml:{expected}"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"170077"', "017007", f'1:12: shortcode: {QUOTE} "017007"'),
        ('"170077"', "+359", "1:12: shortcode: must be 1 to 15 digits"),
        ('"170077"', "CEZ", "1:12: shortcode: must be 1 to 15 digits"),
        ("data_dir: data", 'data_dir: ""', "2:11: data_dir: write a path"),
        ("mtel:", "M Tel:", "4:3: carriers.M Tel: an id is 1 to 32 of a-z, 0-9, _ and -"),
        ("127.0.0.1", "smpp://mtel", f"5:11: carriers.mtel.host: {HOST}"),
        ("127.0.0.1", "mtel:2775", f"5:11: carriers.mtel.host: {HOST}"),
        ("2775", "0", "6:11: carriers.mtel.port: must be at least 1"),
        ("2775", "65536", "6:11: carriers.mtel.port: must be at most 65535"),
        ("cez", '""', "7:16: carriers.mtel.system_id: must not be empty"),
        (
            "cez",
            "sixteen_letters_",
            "7:16: carriers.mtel.system_id: must be at most 15 characters long",
        ),
        ("    port: 2775\n", "", "4:3: carriers.mtel.port: is required"),
        ("secret", "x" * 65, f"{PASSWORD} must be at most 64 printable ASCII characters"),
        ("secret", "тайна", f"{PASSWORD} must be at most 64 printable ASCII characters"),
        ("secret", "12345678", f"{PASSWORD} {SECRET}"),
        ("secret", "{evn: X}", f"{PASSWORD} {SECRET}"),
        (
            "secret",
            "{env: SMSGW_NOT_SET}",
            f"{PASSWORD} the environment variable SMSGW_NOT_SET is not set, or empty",
        ),
        (
            "secret",
            "{file: /no/such}",
            f"{PASSWORD} /no/such can't be read: No such file or directory",
        ),
    ],
)
def test_a_required_key(
    written: Callable[[str], Path], whole: str, old: str, new: str, expected: str
) -> None:
    assert whole.count(old) == 1
    assert errors(written(whole.replace(old, new))) == [f"smsgw.yaml:{expected}"]


HOST_AND_PORT = "write a host, or host:port as in smsc1.example.com:2775 or [::1]:2775"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("host: a, hosts: [b], port: 1", ["host: stands beside hosts: name one of the two"]),
        ("hosts: [], port: 1", ["hosts: must not be empty"]),
        ("hosts: a, port: 1", ["hosts: must be a list"]),
        ("hosts: [a, 'b:2']", ["port: is required"]),
        ("hosts: ['b:0'], port: 1", [f"hosts.0: {HOST_AND_PORT}"]),
        ("hosts: ['a b'], port: 1", [f"hosts.0: {HOST_AND_PORT}"]),
        ("hosts: ['::1:2775x'], port: 1", [f"hosts.0: {HOST_AND_PORT}"]),
        ("port: 1", ["host: is required"]),
        ("host: a", ["port: is required"]),
        ("host: a, port: 1, sessions: 0", ["sessions: must be at least 1"]),
        (
            "host: a, port: 1, bind: receiver",
            ["bind: must be 'transceiver' or 'transmitter+receiver'"],
        ),
        ("host: a, port: 1, inactivity: 5", [f"inactivity: {DURATION}"]),
    ],
)
def test_how_a_carrier_is_dialled(
    written: Callable[[str], Path], keys: str, expected: list[str]
) -> None:
    carrier = f"{{{keys}, system_id: a, password: b}}"
    found = errors(written(f"shortcode: 1\ndata_dir: x\ncarriers: {{mtel: {carrier}}}\n"))
    assert [error.split(" carriers.mtel.", 1)[1] for error in found] == expected


def test_a_carrier_merged_from_another(shortest: Callable[..., Path]) -> None:
    path = shortest("  telenor: {<<: *m, prot: 1}\n")
    path.write_text(path.read_text().replace("mtel:", "mtel: &m"))
    assert errors(path) == [
        "smsgw.yaml:9:13: carriers.telenor.<<: mappings are not merged; write out the keys",
        "smsgw.yaml:9:21: carriers.telenor.prot: unknown key; did you mean port?",
    ]


def test_a_tag_before_the_whole(written: Callable[[str], Path]) -> None:
    path = written('!!map\nshortcode: "170077"\n')
    assert errors(path) == ["smsgw.yaml:1:1: the tag !!map means nothing here"]


def test_no_carrier_at_all(written: Callable[[str], Path]) -> None:
    path = written("shortcode: 170077\ndata_dir: data\ncarriers: {}\n")
    assert errors(path) == ["smsgw.yaml:3:11: carriers: must not be empty"]


def test_a_carrier_with_nothing_in_it(written: Callable[[str], Path]) -> None:
    path = written("shortcode: 170077\ndata_dir: data\ncarriers:\n  mtel:\n")
    assert errors(path) == [
        f"smsgw.yaml:4:3: carriers.mtel.{key}: is required"
        for key in ("host", "port", "system_id", "password")
    ]


@pytest.mark.parametrize(
    ("carrier", "missing"),
    [
        (f"accept: {{{LISTENER}}}", []),
        (f"outbind: {{{LISTENER}}}", ["system_id", "password"]),
        ("accept: null", ["host", "port", "system_id", "password"]),
    ],
)
def test_what_a_carrier_needs_depends_on_who_dials(
    written: Callable[[str], Path], carrier: str, missing: list[str]
) -> None:
    path = written(f"shortcode: 1\ndata_dir: data\ncarriers:\n  mtel:\n    {carrier}\n")
    if not missing:
        assert settings.load(path).carriers["mtel"].host == ""
    else:
        assert errors(path) == [
            f"smsgw.yaml:4:3: carriers.mtel.{key}: is required" for key in missing
        ]


def test_two_carriers_that_dial_one_address(written: Callable[[str], Path]) -> None:
    path = written(
        f"shortcode: 1\ndata_dir: data\ncarriers:\n  mtel:\n    accept: {{{LISTENER}}}\n"
        f"  vivacom:\n    system_id: a\n    password: {{env: HOME}}\n    outbind: {{{LISTENER}}}\n"
    )
    assert errors(path) == [
        "smsgw.yaml:9:23: carriers.vivacom.outbind.listen: mtel dials this address already"
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("company: {phone: 1}", ["12:13: replies.texts.nosuch: there is no such text"]),
        (
            "company: {phone: [1], web: a, fax: 1}",
            [
                "9:18: company.phone: must be a text",
                "9:31: company.fax: unknown key; the keys here are name, phone, email, web",
                "12:13: replies.texts.nosuch: there is no such text",
            ],
        ),
        (
            "company: 5",
            [
                "9:10: company: must be a mapping of keys",
                "11:33: replies.texts.help.latin: it names {phone}, but company.phone is not set",
                "12:13: replies.texts.nosuch: there is no such text",
            ],
        ),
    ],
)
def test_texts_are_checked_whatever_else_is_wrong(
    shortest: Callable[..., Path], more: str, expected: list[str]
) -> None:
    texts = """\
replies: {max_parts: all, texts: {
    help: {cyrillic: [], latin: "{phone} %s"},
    nosuch: {latin: a}}}
""" % ("x" * 900)
    found = errors(shortest(f"{more}\n{texts}"))
    assert "smsgw.yaml:10:22: replies.max_parts: must be a whole number" in found
    assert "smsgw.yaml:11:22: replies.texts.help.cyrillic: must be a text" in found
    own = ("max_parts", "help.cyrillic")
    assert [one for one in found if not any(key in one for key in own)] == [
        f"smsgw.yaml:{one}" for one in expected
    ]


def test_every_tlv_that_will_not_do(shortest: Callable[..., Path]) -> None:
    path = shortest(carrier='tlvs: {0x0424: "", 0x1401: "01", 0x0204: "01", 0x0005: "0101"}')
    at = "carriers.mtel.tlvs"
    assert errors(path) == [
        f"smsgw.yaml:9:12: {at}.0x0424: message_payload {OWN}",
        f"smsgw.yaml:9:46: {at}.0x0204: user_message_reference has 2 octets, not 1",
        f"smsgw.yaml:9:60: {at}.0x0005: dest_addr_subunit has 1 octet, not 2",
    ]


def test_all_errors_come_at_once_in_the_order_of_the_file(shortest: Callable[..., Path]) -> None:
    path = shortest("log: {levle: x}\nbilling: {max_age: 1}\nstorage: {url: x}\n", "window: 01")
    assert errors(path) == [
        'smsgw.yaml:9:13: carriers.mtel.window: a number with a leading zero must be quoted: "01"',
        "smsgw.yaml:10:7: log.levle: unknown key; did you mean level?",
        f"smsgw.yaml:11:20: billing.max_age: {DURATION}",
        "smsgw.yaml:12:16: storage.url: not available in this version: messages are kept in SQLite"
        " in data_dir",
    ]


@pytest.mark.parametrize(
    ("carrier", "more", "expected"),
    [
        ("", "storage: {url: postgresql://db}", "9:16: storage.url: "),
    ],
)
def test_what_a_later_version_brings_is_refused(
    shortest: Callable[..., Path], carrier: str, more: str, expected: str
) -> None:
    (error,) = errors(shortest(more, carrier))
    assert error.startswith(f"smsgw.yaml:{expected}not available in this version: ")


def test_a_missing_file(tmp_path: Path) -> None:
    assert errors(tmp_path / "smsgw.yaml") == [
        "smsgw.yaml: can't be read: No such file or directory"
    ]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "smsgw.yaml"
    path.write_bytes(b"shortcode: \xff")
    assert errors(path) == ["smsgw.yaml: is not UTF-8 text"]


def test_no_error_shows_a_secret(shortest: Callable[..., Path]) -> None:
    path = shortest("log: {level: x}")
    text = path.read_text(encoding="utf-8").replace("secret", "geheim" + "ж" * 9)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(settings.ConfigError) as caught:
        settings.load(path)
    assert len(caught.value.problems) == 2
    shown = "".join(traceback.format_exception(caught.value))
    assert "geheim" not in shown
