"""`smsgw text`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli import text as command
from smsgw.cli.main import app

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, long_messages: udh16}
  telenor: {host: h, port: 1, system_id: s, password: p, default_alphabet: latin1}
  vivacom: {host: h, port: 1, system_id: s, password: p, enabled: false}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    file = tmp_path / "smsgw.yaml"
    file.write_text(CONFIGURATION)
    return str(file)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["text", *arguments], input=stdin)


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(text: str, *options: str) -> dict[str, Any]:
    result = run("--json", *options, text)
    assert (result.exit_code, result.stderr) == (0, "")
    (answer,) = answers(result)
    return answer


def test_a_latin_text() -> None:
    assert told("Smetka: 45,20 €") == {
        "encoding": "gsm7",
        "parts": 1,
        "units": [16],
        "transliterated": "Smetka: 45,20 €",
    }


def test_a_cyrillic_text() -> None:
    assert told("Сметка „ЧЕЗ България“") == {
        "encoding": "ucs2",
        "parts": 1,
        "units": [21],
        "transliterated": 'Smetka "CHEZ Bulgaria"',
    }


@pytest.mark.parametrize(
    ("text", "options", "units"),
    [
        ("", [], [0]),
        ("x" * 160, [], [160]),
        ("x" * 161, [], [153, 8]),
        ("x" * 161, ["--ref-bits", "8"], [153, 8]),
        ("x" * 161, ["--ref-bits", "16"], [152, 9]),
        ("ж" * 71, ["--ref-bits", "8"], [67, 4]),
        ("ж" * 71, ["--ref-bits", "16"], [66, 5]),
        ("x" * 153 * 255, [], [153] * 255),
    ],
    ids=["nothing", "160", "161", "161, 8", "161, 16", "71, 8", "71, 16", "255 parts"],
)
def test_units_of_each_part(text: str, options: list[str], units: list[int]) -> None:
    answer = told(text, *options)
    assert answer["units"] == units
    assert answer["parts"] == len(units)


def test_words_are_one_text() -> None:
    assert answers(run("--json", "Smetka,", "molya!")) == answers(run("--json", "Smetka, molya!"))


@pytest.mark.parametrize(
    ("carrier", "options", "text", "encoding", "units"),
    [
        ("mtel", [], "x" * 161, "gsm7", [152, 9]),
        ("mtel", ["--ref-bits", "8"], "x" * 161, "gsm7", [153, 8]),
        ("telenor", [], "[é]" * 40, "gsm7", [120]),
        ("telenor", [], "€", "ucs2", [1]),
        ("vivacom", [], "x" * 161, "gsm7", [153, 8]),
    ],
    ids=["long messages", "a width given", "alphabet", "what the alphabet lacks", "not enabled"],
)
def test_as_a_carrier_has_it(
    configuration: str,
    carrier: str,
    options: list[str],
    text: str,
    encoding: str,
    units: list[int],
) -> None:
    answer = told(text, "-c", configuration, "--carrier", carrier, *options)
    assert (answer["encoding"], answer["units"]) == (encoding, units)


def test_a_carrier_that_is_not_there(configuration: str) -> None:
    result = run("-c", configuration, "--carrier", "globul", "x")
    assert result.exit_code == 2
    assert "globul" in result.stderr


def test_a_carrier_needs_a_configuration(tmp_path: Path) -> None:
    result = run("-c", str(tmp_path / "none.yaml"), "--carrier", "mtel", "x")
    assert result.exit_code == 1
    assert "none.yaml" in result.stderr


def test_each_line_of_stdin_has_one_answer_in_order() -> None:
    lines = [
        b'{"text": "\\u0436"}',
        b'{"text": "x\\ud800"}',
        b'{"text": "\\ud83d\\ude00"}\r',
        b"",
        b"smetka",
        b'{"text": 1}',
        b'{"text": "\xff"}',
        json.dumps({"text": "x" * (153 * 255 + 1)}).encode(),
        b'\xef\xbb\xbf{"text": "x", "more": null}',
    ]
    result = run("--stdin", "--json", stdin=b"\n".join(lines))
    assert result.exit_code == 1
    told = answers(result)
    assert [each.get("units") for each in told] == [[1], None, [2], *[None] * 5, [1]]
    errors = [each["error"] for each in told if "error" in each]
    assert errors[:2] == ["character 2, U+D800, is half a surrogate pair", "an empty line"]
    assert errors[2].startswith("not JSON: ")
    assert errors[3] == 'not an object as {"text": "smetka"}'
    assert errors[4].startswith("not UTF-8: ")
    assert errors[5] == "the text takes 256 parts, and a message has 255 at most"
    assert all([*each] == ["error"] for each in told if "error" in each)


def test_a_line_without_bound_is_refused_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "LONGEST", 20)
    lines = ['{"text": "%s"}' % ("x" * size) for size in (8, 9, 10_000, 1)]
    told = answers(run("--stdin", "--json", stdin="\n".join(lines)))
    assert [each.get("units", each.get("error")) for each in told] == [
        [8],
        "longer than 20 octets",
        "longer than 20 octets",
        [1],
    ]


def test_half_a_pair_as_an_argument() -> None:
    result = run("x\udcff")
    assert result.exit_code == 1
    assert result.stderr == "character 2, U+DCFF, is half a surrogate pair\n"


def test_one_line_whatever_the_text_holds() -> None:
    given = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029ж"
    result = run("--json", given)
    assert len(result.stdout.splitlines()) == 1
    assert json.loads(result.stdout)["units"] == [len(given)]
    assert "\u2028" in json.loads(result.stdout)["transliterated"]


def test_people_get_nothing_that_drives_their_terminal() -> None:
    assert run("\x1b[31mЖ\x07").stdout.splitlines()[1:] == [r"  \x1b[31mZh\x07"]


def test_a_line_that_is_wrong_is_named_by_its_number() -> None:
    result = run("--stdin", stdin='{"text": "x"}\n{"text": "\\ud800"}\n')
    assert result.exit_code == 1
    assert result.stderr == "2: character 1, U+D800, is half a surrogate pair\n"


def test_people_get_the_size_and_the_latin_form() -> None:
    result = run("Вашата сметка\n" + "ж" * 60)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "ucs2, 2 parts (67, 7)",
        "  Vashata smetka",
        "  " + "zh" * 60,
    ]


@pytest.mark.parametrize(
    "arguments", [["--stdin", "x"], ["--json"], ["--ref-bits", "7", "x"]], ids=str
)
def test_wrong_command_lines(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
