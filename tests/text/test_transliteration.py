"""The official transliteration, and signs that GSM 03.38 lacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text import gsm
from smsgw.text.transliteration import transliterate

OFFICIAL = {
    # Articles 4 and 5 of the Act, and names as road signs and passports have them.
    "Стара планина": "Stara planina",
    "Атанасовско езеро": "Atanasovsko ezero",
    "Централен Балкан": "Tsentralen Balkan",
    "София": "Sofia",
    "Мария": "Maria",
    "Иваново": "Ivanovo",
    "Търговище": "Targovishte",
    "Велико Търново": "Veliko Tarnovo",
    "Щъркелово гнездо": "Shtarkelovo gnezdo",
    "Златни пясъци": "Zlatni pyasatsi",
    "Джебел": "Dzhebel",
    "Дзвер": "Dzver",
    "Кьосев": "Kyosev",
    "Йордан": "Yordan",
    "Гьоргьо": "Gyorgyo",
    "Юндола": "Yundola",
    "Якоруда": "Yakoruda",
    "Жабляно": "Zhablyano",
    "Чепеларе": "Chepelare",
    "Шипка": "Shipka",
    "Хасково": "Haskovo",
    "Фердинанд": "Ferdinand",
    "абвгдежзийклмнопрстуфхцчшщъьюя": "abvgdezhziyklmnoprstufhtschshshtayyuya",
    "България": "Bulgaria",
    "БЪЛГАРИЯ": "BULGARIA",
    "българия": "bulgaria",
    "в България.": "v Bulgaria.",
    "българска": "balgarska",
}
ENDINGS = {
    "Мария-Луиза": "Maria-Luiza",
    "(регистрация)": "(registratsia)",
    "регистрацията": "registratsiyata",
    "линия2": "linia2",
    "МАРИЯ": "MARIA",
    "ия": "ia",
    "я": "ya",
    "кия и змия, ...": "kia i zmia, ...",
    "Софи́я": "Sofia",
}
CASES = {
    "ЧЕЗ Електро": "CHEZ Elektro",
    "Щ": "Sht",
    "Щ. Петров": "Sht. Petrov",
    "Щука": "Shtuka",
    "ЩУКА": "SHTUKA",
    "ПЛАЩ": "PLASHT",
    "Юрий Жуков": "Yuriy Zhukov",
    "ЮЖ": "YUZH",
    "Ю Ж": "Yu Zh",
    "щЩ": "shtSht",
    "СМС-и": "SMS-i",
}
FOREIGN = {
    "ѝ": "i",
    "объём": "obaem",
    "Љубав": "Ljubav",
    "Київ": "Kiiv",
    "Ӕ": "Ӕ",
}
SIGNS = {
    "„Сметка“": '"Smetka"',
    "«ток», “ток”": '"tok", "tok"',
    "‘x’ ‚x‘ x´ x` x′ x″": "'x' 'x' x' x' x' x\"",
    "9–20 — 1‑2 −1": "9-20 - 1-2 -1",
    "още…": "oshte...",
    "№ 5, №5": "No 5, No5",
    "1\xa0234,56 €": "1 234,56 €",
    "1\u202f234\u2009лв.\tда": "1 234 lv. da",
    "ê ç Ł ő": "e c Ł o",
    "½ ™ ﬁ × •": "1/2 TM fi x -",
    "co\xadop\ufeff": "coop",
    "e\u0301 ж": "é zh",
}
KEPT = {
    "nothing": "",
    "Latin": "Vashata smetka: 45,20 EUR",
    "all of GSM 03.38": gsm.BASIC.replace("\x1b", "") + "".join(gsm.EXTENSION.values()),
    "emoji": "⚡😀👨‍👩‍👧❤️",
    "Greek, Arabic, Chinese": "ω مرحبا 你好",
}


@pytest.mark.parametrize(
    ("text", "latin"),
    {**OFFICIAL, **ENDINGS, **CASES, **FOREIGN, **SIGNS}.items(),
)
def test_transliterated(text: str, latin: str) -> None:
    assert transliterate(text) == latin


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_kept(text: str) -> None:
    assert transliterate(text) == text


BULGARIAN = "абвгдежзийклмнопрстуфхцчшщъьюя"
PLAIN = st.text(BULGARIAN + BULGARIAN.upper() + "ѝЍ az09.,!?-\n„“”‘’«»–—…№\xa0€@")


@given(PLAIN)
def test_bulgarian_always_fits_gsm(text: str) -> None:
    assert gsm.fits(transliterate(text))


@given(st.text())
def test_what_was_transliterated_stays(text: str) -> None:
    once = transliterate(text)
    assert transliterate(once) == once


@given(st.text(BULGARIAN, min_size=1), st.text(BULGARIAN, min_size=1))
def test_words_do_not_know_of_each_other(first: str, second: str) -> None:
    assert transliterate(f"{first} {second}") == f"{transliterate(first)} {transliterate(second)}"
    assert transliterate(first.upper() + "ЪТ") == transliterate(first + "ът").upper()
