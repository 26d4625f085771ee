"""Lays a text out in segments as its carrier wants long messages."""

from collections.abc import Callable
from typing import NamedTuple

from smsgw.service.message import Encoding, Layout
from smsgw.text.segmentation import headed, pieces


class LaidOut(NamedTuple):
    """A text as it goes out, one submit a segment."""

    layout: Layout
    reference: int  # 0 where the layout needs none
    data_coding: int
    segments: tuple[bytes, ...]  # user data headers included


def lay_out(text: str, encoding: Encoding, next_reference: Callable[[], int]) -> LaidOut:
    """The segments of `text`; `next_reference` is asked once if there are several.

    Raises ValueError where there would be over 255 parts, or where the text has half a surrogate
    pair.
    """
    cut = pieces(text, encoding.ref_bits, encoding.default_alphabet)
    if len(cut.parts) == 1:
        return LaidOut(Layout.PLAIN, 0, cut.data_coding, cut.parts)
    if encoding.long_messages == "payload":
        return LaidOut(Layout.PAYLOAD, 0, cut.data_coding, (b"".join(cut.parts),))
    reference = next_reference() % (1 << encoding.ref_bits)
    if encoding.long_messages == "sar":
        return LaidOut(Layout.SAR, reference, cut.data_coding, cut.parts)
    parts = headed(cut, reference, encoding.ref_bits).parts
    return LaidOut(Layout.UDH, reference, cut.data_coding, parts)
