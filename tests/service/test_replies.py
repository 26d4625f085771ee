"""The texts in both scripts, what may replace them, and sums and dates in them."""

import re
from datetime import date
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.keywords import Hint
from smsgw.service.message import Script
from smsgw.service.money import amount, day, sums
from smsgw.service.replies import COMPANY, Company, Replies, company_problems, problems
from smsgw.service.texts import TEXTS
from smsgw.text import gsm
from smsgw.text.segmentation import count_parts

LATIN, CYRILLIC = Script.LATIN, Script.CYRILLIC
CEZ = Company(phone="0700 10 010", email="info@cezelectro.bg", web="www.cez.bg")
WORDS = {
    "number": "300012345678",
    "numbers": "300012345678",
    "amount": "145,20 EUR",
    "overdue": "100,20 EUR",
    "credit": "145,20 EUR",
    "due": "20.12.2026",
    "cut_off": "20.12.2026",
    "day": "20.12.2026",
    "count": "6",
    "limit": "10",
    "digits": "11",
    "reach": "0700 10 010",
}

# The Transliteration Act, State Gazette 19/2009: the table, and -ия at the end of a word.
LETTERS = dict(zip("абвгдезийклмнопрстуфхъь", "abvgdeziyklmnoprstufhay", strict=True))
LETTERS |= {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ю": "yu", "я": "ya"}


def transliterated(text: str) -> str:
    text = re.sub(r"ия\b", "ia", text)
    capitals = {sign.upper(): latin.capitalize() for sign, latin in LETTERS.items()}
    return "".join([(LETTERS | capitals).get(sign, sign) for sign in text])


def placeholders(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


@pytest.mark.parametrize("name", TEXTS)
class TestTexts:
    def test_latin_is_the_official_transliteration_of_the_cyrillic(self, name: str) -> None:
        pieces = re.split(r"(\{\w+\})", TEXTS[name].cyrillic)
        expected = "".join([p if p.startswith("{") else transliterated(p) for p in pieces])
        assert TEXTS[name].latin == expected

    def test_latin_fits_gsm(self, name: str) -> None:
        assert gsm.fits(TEXTS[name].latin)

    def test_says_what_is_declared_and_passes_its_own_check(self, name: str) -> None:
        text = TEXTS[name]
        own = {name: {"latin": text.latin, "cyrillic": text.cyrillic}}
        assert problems(own, CEZ, max_parts=2) == []
        for said in (text.latin, text.cyrillic):
            declared = {*text.needs, *text.may}
            assert set(placeholders(said)) - {"contact"} == declared

    def test_takes_one_part_in_latin_and_at_most_two_in_cyrillic(self, name: str) -> None:
        replies = Replies(company=CEZ)
        assert count_parts(replies[LATIN][name](**WORDS)) == 1
        parts = count_parts(replies[CYRILLIC][name](**WORDS))
        assert parts == (2 if name in TWO_PARTS_IN_CYRILLIC else 1)


TWO_PARTS_IN_CYRILLIC = {
    "rejected",
    "rejected_by_code",
    "further_phone",
    "notice_overdue",
    "notice_disconnection",
    "register_elsewhere",
    "help",
    "help_without_registration",
}


def test_every_hint_of_a_reading_has_a_text() -> None:
    hints = {name.removeprefix("hint_") for name in TEXTS if name.startswith("hint_")}
    assert hints == set(Hint)


REACHED = {
    "all is known": (
        Company("CEZ", "0700 10 010", "info@cezelectro.bg", "www.cez.bg"),
        "CEZ: 0700 10 010, www.cez.bg",
        "CEZ: 0700 10 010, www.cez.bg",
    ),
    "no name": (CEZ, "Kontakt: 0700 10 010, www.cez.bg", "Контакт: 0700 10 010, www.cez.bg"),
    "a Cyrillic name": (
        Company("„ЧЕЗ Електро България“", "0700–10\xa0010"),
        '"CHEZ Elektro Bulgaria": 0700-10 010',
        "„ЧЕЗ Електро България“: 0700–10\xa0010",
    ),
    "a name that Latin can't have": (
        Company("ЧЕЗ ⚡", "0700 10 010"),
        "Kontakt: 0700 10 010",
        "ЧЕЗ ⚡: 0700 10 010",
    ),
    "phone and email": (
        Company(phone="0700 10 010", email="info@cez.bg"),
        "Kontakt: 0700 10 010, info@cez.bg",
        "Контакт: 0700 10 010, info@cez.bg",
    ),
    "a name only": (Company("CEZ"), "CEZ", "CEZ"),
    "email only": (
        Company(email="info@cez.bg"),
        "Kontakt: info@cez.bg",
        "Контакт: info@cez.bg",
    ),
    "a brace in a particular": (
        Company(web="cez.bg/{a}"),
        "Kontakt: cez.bg/{a}",
        "Контакт: cez.bg/{a}",
    ),
}


@pytest.mark.parametrize(("company", "latin", "cyrillic"), REACHED.values(), ids=REACHED)
def test_contact_is_composed_of_what_is_known(company: Company, latin: str, cyrillic: str) -> None:
    replies = Replies(company=company)
    said = replies[LATIN]["carrier_change"]()
    assert said == f"Pri smyana na operatora ni uvedomete. {latin}"
    assert replies[CYRILLIC]["help"]().endswith(f"стоп - за отказ. {cyrillic}")


@pytest.mark.parametrize("company", [None, Company(), Company(name="", phone="")])
def test_without_a_way_to_reach_the_company_no_gap_is_left(company: Company | None) -> None:
    replies = Replies(company=company)
    assert replies[LATIN]["carrier_change"]() == "Pri smyana na operatora ni uvedomete."
    assert replies[CYRILLIC]["stopped"](numbers="1").endswith("за 1.")


def test_an_override_replaces_one_text_in_one_script() -> None:
    replies = Replies({"debt": {"latin": "{name}: {amount} {number} {due} {{!}}"}}, Company("CEZ"))
    said = replies[LATIN]["debt"](number="1", amount="2", due="3")
    assert said == "CEZ: 2 1 3 {!}"
    assert replies[CYRILLIC]["debt"](number="1", amount="2", due="3") == (
        "Задължение по 1: 2, срок 3."
    )


def test_contact_itself_can_be_replaced() -> None:
    replies = Replies({"contact": {"latin": "Tel. {reach}"}}, Company(phone="1"))
    assert replies[LATIN]["help"]().endswith("stop - za otkaz. Tel. 1")


def test_what_a_missing_particular_leaves_is_closed() -> None:
    overrides = {"help": {"latin": "  smetka {contact} stop\n"}}
    assert Replies(overrides)[LATIN]["help"]() == "smetka stop"


DEBT = "{number} {amount} {due}"
WRONG = {
    "unknown text": (
        {"dept": {"latin": DEBT}},
        [(("dept",), "there is no such text; did you mean debt?")],
    ),
    "text like no other": ({"x": {"latin": "y"}}, [(("x",), "there is no such text")]),
    "unknown script": (
        {"debt": {"greek": DEBT}},
        [(("debt", "greek"), "a text is latin or cyrillic")],
    ),
    "unknown placeholder": (
        {"debt": {"latin": DEBT + "{amuont}"}},
        [(("debt", "latin"), "it has no {amuont} to fill in; did you mean amount?")],
    ),
    "placeholder of another text": (
        {"help": {"latin": "{number}"}},
        [(("help", "latin"), "it has no {number} to fill in")],
    ),
    "needed placeholder missing": (
        {"debt": {"cyrillic": "Дължите по {number} до {due}"}},
        [(("debt", "cyrillic"), "it must name {amount}")],
    ),
    "contact in itself": (
        {"contact": {"latin": "{reach} {contact}"}},
        [(("contact", "latin"), "it has no {contact} to fill in")],
    ),
    "open brace": (
        {"help": {"latin": "smetka {"}},
        [(("help", "latin"), "Single '{' encountered in format string")],
    ),
    "closing brace": (
        {"help": {"latin": "smetka }"}},
        [(("help", "latin"), "Single '}' encountered in format string")],
    ),
    "unfinished placeholder": (
        {"help": {"latin": "{phone"}},
        [(("help", "latin"), "expected '}' before end of string")],
    ),
    "positional": (
        {"help": {"latin": "{}"}},
        [(("help", "latin"), "{}: only a plain name can stand in braces")],
    ),
    "numbered": (
        {"help": {"latin": "{0}"}},
        [(("help", "latin"), "{0}: only a plain name can stand in braces")],
    ),
    "attribute": (
        {"help": {"latin": "{phone.real}"}},
        [(("help", "latin"), "{phone.real}: only a plain name can stand in braces")],
    ),
    "item": (
        {"help": {"latin": "{phone[0]}"}},
        [(("help", "latin"), "{phone[0]}: only a plain name can stand in braces")],
    ),
    "format": (
        {"help": {"latin": "{phone:>20}"}},
        [(("help", "latin"), "{phone}: only a plain name can stand in braces")],
    ),
    "conversion": (
        {"help": {"latin": "{phone!r}"}},
        [(("help", "latin"), "{phone}: only a plain name can stand in braces")],
    ),
    "Latin outside GSM": (
        {"help": {"latin": "smetka ☎ – stop ⚡"}},
        [(("help", "latin"), "a Latin text can't have ☎ ⚡ (not in GSM 03.38)")],
    ),
    "empty": ({"help": {"cyrillic": " \n"}}, [(("help", "cyrillic"), "it is empty")]),
    "a particular that is not known": (
        {"help": {"latin": "{email}"}},
        [(("help", "latin"), "it names {email}, but company.email is not set")],
    ),
    "a name that Latin can't have": (
        {"help": {"latin": "{name}", "cyrillic": "{name}"}},
        [
            (
                ("help", "latin"),
                "company.name, which it names: a Latin text can't have ⚡ (not in GSM 03.38)",
            )
        ],
    ),
    "too long": (
        {"help": {"cyrillic": "а" * 269}},
        [(("help", "cyrillic"), "it takes 5 parts, and replies.max_parts is 4")],
    ),
    "several at once": (
        {"debt": {"latin": "{amount} €⚡", "cyrillic": "{due"}, "helb": {}},
        [
            (("debt", "latin"), "it must name {number}"),
            (("debt", "latin"), "it must name {due}"),
            (("debt", "latin"), "a Latin text can't have ⚡ (not in GSM 03.38)"),
            (("debt", "cyrillic"), "expected '}' before end of string"),
            (("helb",), "there is no such text; did you mean help?"),
        ],
    ),
}


@pytest.mark.parametrize(("overrides", "expected"), WRONG.values(), ids=WRONG)
def test_problems_names_each_and_all(
    overrides: dict[str, dict[str, str]], expected: list[tuple[tuple[str, ...], str]]
) -> None:
    company = Company(name="ЧЕЗ ⚡", phone="1")
    assert problems(overrides, company, max_parts=4) == expected


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"debt": {}},
        {"debt": {"latin": DEBT}},
        {"registered": {"latin": "{number} {name} {phone} {email} {web} {contact}"}},
        {"too_many_phones": {"cyrillic": "Не: {number}"}},
    ],
    ids=["nothing", "no script", "one", "all of the company's", "an optional one left out"],
)
def test_problems_finds_none(overrides: dict[str, dict[str, str]]) -> None:
    assert problems(overrides) == []


def test_replies_refuses_texts_with_problems() -> None:
    with pytest.raises(ValueError, match=r"debt\.latin: it must name {amount}"):
        Replies({"debt": {"latin": "{number} {due}"}})


def test_company_particulars_must_fit_a_latin_text() -> None:
    company = Company(name="ЧЕЗ ⚡", phone="№ 1 ☎", email="info@cez.bg", web="чез.бг")
    assert company_problems(company) == [
        (("phone",), "a Latin text can't have ☎ (not in GSM 03.38)"),
        (("web",), "a Latin text can't have ч е з б г (not in GSM 03.38)"),
    ]
    assert company_problems(Company()) == []
    assert company_problems(Company(name="ЧЕЗ", phone="№ 1")) == []


def test_a_latin_text_is_transliterated_and_a_cyrillic_one_is_not() -> None:
    said = "Вашата „сметка“ № {number} – {name}"
    own = {"registered": {"latin": said, "cyrillic": said}}
    company = Company(name="ЧЕЗ…")
    assert problems(own, company) == []
    replies = Replies(own, company)
    assert replies[LATIN]["registered"](number="1") == 'Vashata "smetka" No 1 - CHEZ...'
    assert replies[CYRILLIC]["registered"](number="1") == "Вашата „сметка“ № 1 – ЧЕЗ…"


def test_an_address_in_other_letters_would_be_another_one() -> None:
    own = {"registered": {"latin": "{number} {web}"}}
    assert problems(own, Company(web="чез.бг")) == [
        (
            ("registered", "latin"),
            "company.web, which it names: a Latin text can't have ч е з б г (not in GSM 03.38)",
        )
    ]


def test_parts_of_a_latin_text_are_counted_as_it_goes_out() -> None:
    assert problems({"help": {"latin": "а" * 161}}, max_parts=2) == []
    assert problems({"help": {"latin": "щ" * 103}}, max_parts=2) == [
        (("help", "latin"), "it takes 3 parts, and replies.max_parts is 2")
    ]


@given(st.text(alphabet="{}[]()!:.ab0 е", max_size=12), st.sampled_from(sorted(TEXTS)))
def test_what_passes_the_check_can_be_filled_in(text: str, name: str) -> None:
    overrides = {name: {"cyrillic": text}}
    if not problems(overrides):
        Replies(overrides)[CYRILLIC][name](**WORDS)


def test_no_placeholder_is_both_the_companys_and_a_texts() -> None:
    named = {name for text in TEXTS.values() for name in (*text.needs, *text.may)}
    assert named & {*COMPANY, "contact"} == {"name"}  # contact_named's own


@pytest.mark.parametrize(
    ("cents", "currency", "expected"),
    [
        (4520, "EUR", "45,20 EUR"),
        (8840, "BGN", "88,40 BGN"),
        (5, "EUR", "0,05 EUR"),
        (0, "EUR", "0,00 EUR"),
        (100, "EUR", "1,00 EUR"),
        (123456789, "EUR", "1234567,89 EUR"),
        (-5, "EUR", "-0,05 EUR"),
        (-4520, "BGN", "-45,20 BGN"),
    ],
)
def test_amount(cents: int, currency: str, expected: str) -> None:
    assert amount(cents, currency) == expected


def test_sums_of_several_currencies() -> None:
    assert sums({"EUR": 4520, "BGN": 8840}) == "45,20 EUR + 88,40 BGN"


@pytest.mark.parametrize(
    ("when", "expected"), [(date(2026, 12, 20), "20.12.2026"), (date(2027, 3, 1), "01.03.2027")]
)
def test_day(when: date, expected: str) -> None:
    assert day(when) == expected
