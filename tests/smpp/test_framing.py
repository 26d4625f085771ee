"""Octets to PDUs: whatever TCP does to the stream, the outcome is one."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.smpp.framing import Framer, FramingError


def frame(body: bytes = b"", sequence: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), 0x15, 0, sequence) + body


def header(length: int) -> bytes:
    return struct.pack(">IIII", length, 4, 0, 7)


def test_whole_pdus_come_out_as_they_are() -> None:
    frames = [frame(), frame(b"x" * 300, 2), frame(b"", 3)]
    assert Framer().feed(b"".join(frames)) == frames


def test_a_pdu_comes_out_with_its_last_octet() -> None:
    framer = Framer()
    whole = frame(b"body")
    assert [framer.feed(whole[at : at + 1]) for at in range(len(whole) - 1)] == [[]] * 19
    assert framer.feed(whole[-1:]) == [whole]


def test_the_rest_of_one_read_is_the_beginning_of_the_next() -> None:
    framer = Framer()
    assert framer.feed(frame() + frame(b"ab", 2)[:17]) == [frame()]
    assert framer.feed(frame(b"ab", 2)[17:] + frame()[:5]) == [frame(b"ab", 2)]
    assert framer.feed(frame()[5:]) == [frame()]


def test_nothing_gives_nothing() -> None:
    assert Framer().feed(b"") == []


@pytest.mark.parametrize(
    "length",
    [0, 1, 15, 101, 0x7FFFFFFF, 0xFFFFFFFF],
    ids=["zero", "one", "below a header", "above the limit", "huge", "the highest"],
)
def test_an_impossible_length_loses_the_stream(length: int) -> None:
    framer = Framer(limit=100)
    assert framer.feed(frame() + header(length) + frame()) == [
        frame(),
        FramingError(command_length=length, command=4, sequence=7),
    ]
    assert framer.feed(frame()) == []


@pytest.mark.parametrize("length", [16, 100], ids=["a header alone", "the limit itself"])
def test_the_bounds_are_taken(length: int) -> None:
    whole = header(length) + bytes(length - 16)
    assert Framer(limit=100).feed(whole) == [whole]


def test_the_length_is_judged_by_the_header_alone() -> None:
    framer = Framer(limit=100)
    assert framer.feed(header(101)[:15]) == []
    assert framer.feed(header(101)[15:]) == [FramingError(101, 4, 7)]


def test_a_payload_of_64_kib_fits_the_usual_limit() -> None:
    whole = frame(bytes(65_535 + 300))
    assert Framer().feed(whole) == [whole]


@given(data=st.data())
def test_any_cut_of_the_stream_gives_the_same(data: st.DataObject) -> None:
    pieces = st.one_of(
        st.binary(max_size=40).map(frame),
        st.sampled_from([15, 61]).map(header),
        st.binary(max_size=20),
    )
    stream = b"".join(data.draw(st.lists(pieces, max_size=8)))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20).map(sorted))
    framer = Framer(limit=60)
    pieced = [
        one
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for one in framer.feed(stream[start:end])
    ]
    whole = Framer(limit=60).feed(stream)
    assert pieced == whole
    assert not any(isinstance(one, FramingError) for one in whole[:-1])


@given(st.lists(st.binary(max_size=50).map(frame), max_size=10))
def test_frames_are_the_stream(frames: list[bytes]) -> None:
    framer = Framer()
    stream = b"".join(frames)
    assert [one for at in range(len(stream)) for one in framer.feed(stream[at : at + 1])] == frames
