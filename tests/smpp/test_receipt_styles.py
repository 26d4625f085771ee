"""Receipts in every style that is met, in any mixture of them, and with garbage in every field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.smpp.names import Command, Tlv
from smsgw.smpp.pdu import Pdu
from smsgw.smpp.receipts import LONGEST, STATES, WORDS, DeliveryReceipt, parse

ID, STATE, ERROR = Tlv.RECEIPTED_MESSAGE_ID, Tlv.MESSAGE_STATE, Tlv.NETWORK_ERROR_CODE
MD5 = "d41d8cd98f00b204e9800998ecf8427e"
UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

TlvList = list[tuple[int, bytes]]


def receipt(octets: bytes, tlvs: TlvList | None = None, esm_class: int = 4) -> Pdu:
    fields: dict[str, int | bytes] = {"esm_class": esm_class, "short_message": octets}
    return Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs or [])


def read(octets: bytes, tlvs: TlvList | None = None) -> DeliveryReceipt:
    return parse(receipt(octets, tlvs))


DELIVERED = ("7", "delivered", "000", "2611221413")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # How the fields are parted
        pytest.param(
            "id:7,sub:001,dlvrd:001,submit date:2611221412,done date:2611221413,stat:DELIVRD,"
            "err:000,text:x",
            DELIVERED,
            id="commas",
        ),
        pytest.param(
            "id:7\r\nsub:001\r\ndone date:2611221413\r\nstat:DELIVRD\r\nerr:000\r\n",
            DELIVERED,
            id="line ends",
        ),
        pytest.param(
            "id:7;done date:2611221413; stat:DELIVRD | err:000", DELIVERED, id="other signs"
        ),
        pytest.param(
            "  id : 7   done\tdate : 2611221413  stat :DELIVRD  err: 000", DELIVERED, id="blanks"
        ),
        pytest.param("id:7 done\ndate:2611221413 stat:DELIVRD err:000", DELIVERED, id="folded key"),
        pytest.param(
            "id:7 donedate:2611221413 stat:DELIVRD err:000", DELIVERED, id="words run together"
        ),
        pytest.param(
            "ID:7 DONE_DATE:2611221413 Status:Delivered ERROR:000", DELIVERED, id="other keys"
        ),
        pytest.param(
            "err:000 stat:DELIVRD done date:2611221413 id:7", DELIVERED, id="the other way round"
        ),
        pytest.param(
            "Msg id:7 done date:2611221413 stat:DELIVRD err:000", DELIVERED, id="words before"
        ),
        pytest.param(
            "id:7 net:28401 done date:2611221413 stat:DELIVRD err:000", DELIVERED, id="vendor's key"
        ),
        pytest.param(
            "paid:9 id:7 done date:2611221413 substat:1 stat:DELIVRD err:000",
            DELIVERED,
            id="keys that end like ours",
        ),
        # Values that are missing
        pytest.param("id:7", ("7", None, "", ""), id="an id alone"),
        pytest.param("id: stat:DELIVRD err:1", ("", "delivered", "1", ""), id="no id"),
        pytest.param("id:7,stat:,err:,done date:", ("7", None, "", ""), id="nothing else"),
        pytest.param("id:,stat:DELIVRD", ("", "delivered", "", ""), id="no id before a comma"),
        pytest.param("id:7 err: text:5", ("7", None, "", ""), id="no err before the text"),
        # What belongs to the customer
        pytest.param("id:7 text : id:8 stat:DELIVRD", ("7", None, "", ""), id="text off its colon"),
        pytest.param("text:id:8 stat:DELIVRD err:1", ("", None, "", ""), id="text first"),
        pytest.param("id:7,text:x,stat:DELIVRD", ("7", None, "", ""), id="text in the middle"),
        pytest.param("id:7 stat:DELIVRD err:000 Hello", ("7", "delivered", "000", ""), id="no key"),
        # Dates
        *(
            pytest.param(
                f"id:7 submit date:{date} done date:{date} stat:DELIVRD err:000",
                ("7", "delivered", "000", date),
                id=f"date {date}",
            )
            for date in (
                "2611221413",
                "261122141355",
                "20261122141355",
                "261122141355008+",
                "2611221413550000+",
                "000001000000000R",
            )
        ),
        # Errors
        *(
            pytest.param(
                f"id:7 stat:UNDELIV err:{error}",
                ("7", "undeliverable", error, ""),
                id=f"err {error}",
            )
            for error in ("0", "69", "069", "0069", "A", "A4B", "EC_ABSENT", "-1", "0x1B")
        ),
        # Ids
        *(
            pytest.param(f"id:{name} stat:DELIVRD", (name, "delivered", "", ""), id=f"id {name}")
            for name in (
                "123456789",
                "0a1BfF",
                MD5,
                UUID,
                "12345678901234567890",
                "0000000042",
                "a:b",
                "mo.1@smsc-2/3",
                "x" * LONGEST,
            )
        ),
        # Garbage
        pytest.param("id:" + "x" * (LONGEST + 1), ("", None, "", ""), id="an endless id"),
        pytest.param("id:\xa7\xff stat:DELIVRD", ("", "delivered", "", ""), id="an id of no signs"),
        pytest.param("id:7\x01 stat:DELIVRD", ("", "delivered", "", ""), id="a control sign"),
        pytest.param("id:7 stat:\x80 err:\x80 done date:\x80", ("7", None, "", ""), id="in all"),
        pytest.param("id:7 stat:" + "A" * 200, ("7", None, "", ""), id="an endless state"),
        pytest.param(":::: id stat: :DELIVRD", ("", None, "", ""), id="colons"),
        pytest.param("idstat:DELIVRD", ("", None, "", ""), id="jammed without a sign"),
    ],
)
def test_text(text: str, expected: DeliveryReceipt) -> None:
    assert read(text.encode("latin-1")) == expected
    assert read(text.encode("utf-16-be")) == expected
    assert read(text.encode("utf-16")) == expected, "with a BOM, of the other order"


@pytest.mark.parametrize("word", WORDS)
def test_words(word: str) -> None:
    for written in (word, word.lower(), word.title()):
        assert read(f"id:7 stat:{written} err:000".encode()).state == WORDS[word]


@pytest.mark.parametrize(
    ("text", "tlvs", "expected"),
    [
        pytest.param("", [(ID, b"9"), (STATE, b"\2")], ("9", "delivered", "", ""), id="no NUL"),
        pytest.param("", [(STATE, b"\2")], ("", "delivered", "", ""), id="a state alone"),
        pytest.param("", [(ID, b"9\0")], ("9", None, "", ""), id="an id alone"),
        pytest.param(
            "id:7 stat:UNDELIV err:1",
            [(ID, b"9\0"), (STATE, b"\2")],
            ("9", "delivered", "1", ""),
            id="they disagree",
        ),
        pytest.param(
            "id:7 stat:UNDELIV err:1", [(ID, b"9\0")], ("9", "undeliverable", "1", ""), id="an id"
        ),
        pytest.param(
            "id:7 stat:UNDELIV err:1",
            [(STATE, b"\2")],
            ("7", "delivered", "1", ""),
            id="a state",
        ),
        pytest.param("id:7 stat:DELIVRD", [(STATE, b"\xff")], ("7", "delivered", "", ""), id="odd"),
        pytest.param(
            "id:7 stat:DELIVRD", [(STATE, b"")], ("7", "enroute", "", ""), id="empty state"
        ),
        pytest.param("id:7", [(ID, b"")], ("7", None, "", ""), id="empty id"),
        pytest.param("id:7", [(ID, b"9\x008")], ("9", None, "", ""), id="more behind the NUL"),
        pytest.param("id:7", [(ERROR, b"\3\0\x45")], ("7", None, "69", ""), id="network error"),
        pytest.param("id:7 err:x", [(ERROR, b"\3\0\x45")], ("7", None, "x", ""), id="err and it"),
        pytest.param("id:7", [(ERROR, b"\3\0")], ("7", None, "", ""), id="too short"),
        pytest.param("id:7", [(ERROR, b"\3\0\0\x45")], ("7", None, "", ""), id="too long"),
        pytest.param("id:7", [(ERROR, b"")], ("7", None, "", ""), id="no network error"),
        pytest.param("id:7", [(0x1400, b"\2"), (0x428, b"")], ("7", None, "", ""), id="others"),
        pytest.param(
            "", [(ID, b"9\0"), (STATE, b"\0")], ("9", "enroute", "", ""), id="5.0: scheduled"
        ),
        pytest.param(
            "", [(ID, b"9\0"), (STATE, b"\x09")], ("9", "undeliverable", "", ""), id="5.0: skipped"
        ),
        pytest.param(
            "",
            [(Tlv.MESSAGE_PAYLOAD, b"id:7 stat:DELIVRD err:000 text:x"), (ID, b"9")],
            ("9", "delivered", "000", ""),
            id="in the payload",
        ),
    ],
)
def test_tlvs(text: str, tlvs: TlvList, expected: DeliveryReceipt) -> None:
    assert read(text.encode(), tlvs) == expected
    assert read(text.encode(), tlvs[::-1]) == expected


@pytest.mark.parametrize(
    "octets",
    [b"", b"\xff", b"\x05\x00\x03", b"\x00id:7 stat:DELIVRD", b"\x06\x00"],
    ids=["empty", "longer than all", "cut", "empty header", "cut header"],
)
def test_a_header_that_lies(octets: bytes) -> None:
    expected = ("7", "delivered") if b"id:7" in octets else ("", None)
    assert parse(receipt(octets, esm_class=0x44))[:2] == expected


# -- any mixture -----------------------------------------------------------------------------

words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=",;|:"))
ids = words.filter(bool).map(lambda word: word[:LONGEST])
KEYS = {"id": "id", "err": "err", "done": "done date", "stat": "stat"}


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A receipt's fields in any order, case and spacing, and what they say."""
    values = {
        "id": draw(ids),
        "err": draw(st.text("0123456789ABCdef", min_size=1, max_size=4)),
        "done": draw(st.sampled_from(["2611221413", "261122141355", "261122141355008+"])),
        "stat": draw(st.sampled_from(sorted(WORDS))),
    }
    said = {name: values[name] for name in draw(st.permutations(sorted(values)))}
    for left_out in draw(st.sets(st.sampled_from(sorted(values)), max_size=3)):
        del said[left_out]
    sign = draw(st.sampled_from([" ", ",", ", ", "\n", "\r\n", ";", "  ", "\t"]))
    gap = draw(st.sampled_from(["", " "]))
    turn = draw(st.sampled_from([str.lower, str.upper, str.title]))
    fields = [f"{turn(KEYS[name])}:{gap}{value}" for name, value in said.items()]
    if draw(st.booleans()):
        fields.insert(0, "sub:001")
        fields.insert(draw(st.integers(0, len(fields))), "submit date:2601010000")
    if draw(st.booleans()):
        fields.append("Text:id:1 stat:EXPIRED err:999 done date:1")
    return sign.join(fields), said


@given(written(), st.sampled_from(["latin-1", "utf-16-be"]))
def test_whatever_way_they_are_written_the_fields_are_read(
    receipt_of: tuple[str, dict[str, str]], encoding: str
) -> None:
    text, said = receipt_of
    assert read(text.encode(encoding)) == DeliveryReceipt(
        said.get("id", ""),
        WORDS[said["stat"]] if "stat" in said else None,
        said.get("err", ""),
        said.get("done", ""),
    )


garbage = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"id:", b"stat:", b"err:", b"done date:", b"text:", b"sub:", b" ", b",", b"\n", b"\0",
             b"\xff", b"7", b"DELIVRD", b"done", b":", b"\x05\0\x03\1\2\1", b"submit date:"]
        ),
        max_size=60,
    ).map(b"".join),
)  # fmt: skip


@given(
    garbage,
    st.integers(0, 255),
    st.lists(
        st.tuples(st.sampled_from([ID, STATE, ERROR, Tlv.MESSAGE_PAYLOAD]), st.binary(max_size=80)),
        max_size=4,
    ),
)
def test_nothing_raises_and_nothing_is_made_up(
    octets: bytes, esm_class: int, tlvs: TlvList
) -> None:
    found = parse(receipt(octets, tlvs, esm_class))
    assert found.state is None or found.state in STATES.values()
    assert max(map(len, (found.error, found.done_date))) <= LONGEST
    assert found.error.isprintable()
    assert found.done_date.isprintable()
