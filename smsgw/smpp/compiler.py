"""Compiles the tables, at import, into two small functions a PDU.

`read_deliver_sm` takes the mandatory part of a body apart, `write_submit_sm` puts one together.
They are generated as text from the snippets below, one row a kind of field, because they run
for every message and walking the tables each time costs several times as much. SOURCE keeps
the text for whoever wants to read it. Only well-formed input passes; what exactly is wrong with
the rest is for the codec to find out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from smsgw.smpp.names import Status
from smsgw.smpp.pdu import Destinations, DistributionList, FieldValue, SmeAddress, Unsuccessful
from smsgw.smpp.tables import COMMANDS, CommandTable, Kind

HEADER: Final = 16  # octets of command_length, command_id, command_status, sequence_number

Reader = Callable[[bytes], tuple[dict[str, FieldValue], int]]
Writer = Callable[[Mapping[str, FieldValue]], bytes]


class UnreadableError(Exception):
    """A field is too long or breaks off: `args` are the status to answer and the field's name."""


class Snippets(NamedTuple):
    """How a field of one kind is read and written.

    `read` takes it out of `octets` at `at` (`text` is the same octets in Latin-1; an integer
    beyond the end raises IndexError by itself). `place` stands for it in a bytes format, `value`
    is what goes there and `unfit` tells that it can't; wrong types, numbers above 255 and
    characters outside Latin-1 raise by themselves. `absent` is written if nothing is given.
    """

    read: str
    place: str
    value: str
    unfit: str
    absent: FieldValue


_READ_OCTET = """
    {name} = octets[at]
    at += 1"""
_READ_C_STRING = """
    end = text.find("\\0", at, at + {maximum} + 1)
    if end < 0:
        raise UnreadableError({fault}, "{name}")
    {name} = text[at:end]
    at = end + 1"""
_READ_OCTETS = """
    end = at + {before}
    if {before} > {maximum} or end > len(octets):
        raise UnreadableError({fault}, "{name}")
    {name} = octets[at:end]
    at = end"""
_READ_LIST = """
    {name}, at = read_{name}(octets, text, at, {before})"""

# A str's own `encode` is called, as a subclass of it may print as something else.
_ENCODE = '{name}.encode("latin-1")'

SNIPPETS: Final = {
    Kind.INTEGER: Snippets(_READ_OCTET, "%c", "{name}", "", 0),
    Kind.LENGTH: Snippets(_READ_OCTET, "%c", "len({after})", "", 0),
    Kind.TEXT: Snippets(
        _READ_C_STRING, r"%b\0", _ENCODE, r'len({name}) > {maximum} or "\0" in {name}', ""
    ),
    Kind.TIME: Snippets(
        _READ_C_STRING, r"%b\0", _ENCODE, r'len({name}) not in (0, {maximum}) or "\0" in {name}', ""
    ),
    Kind.OCTETS: Snippets(_READ_OCTETS, "%b", "{name}", "len({name}) > {maximum}", b""),
    Kind.LIST: Snippets(_READ_LIST, "%b", "write_{name}({name})", "len({name}) > {maximum}", ()),
}


def _rows(table: CommandTable) -> Iterator[Snippets]:
    """The snippets of a PDU's fields, filled in."""
    names = ["", *(field.name for field in table.fields), ""]
    for field, before, after in zip(table.fields, names, names[2:], strict=False):
        read, place, value, unfit, absent = SNIPPETS[field.kind]
        about = {
            "name": field.name,
            "before": before,
            "after": after,
            "maximum": field.maximum,
            "fault": field.fault.value,
        }
        yield Snippets(
            read.format(**about), place, value.format(**about), unfit.format(**about), absent
        )


def _source(table: CommandTable) -> str:
    """The text of a PDU's two functions."""
    names = [field.name for field in table.fields]
    rows = list(_rows(table))
    read = "".join(row.read for row in rows)
    result = ", ".join(f'"{name}": {name}' for name in names)
    absent = {name: row.absent for name, row in zip(names, rows, strict=True)}
    unfit = " or ".join(row.unfit for row in rows if row.unfit) or False
    places = "".join(row.place for row in rows)
    values = "".join(f"{row.value}, " for row in rows)
    return f"""
absent_{table.name} = {absent}

def read_{table.name}(octets):
    text = octets.decode("latin-1")
    at = {HEADER}{read}
    return {{{result}}}, at

def write_{table.name}(fields):
    [{", ".join(names)}] = {{**absent_{table.name}, **fields}}.values()
    if {unfit}:
        raise ValueError
    return b"{places}" % ({values})
"""


def _read_dest_address(octets: bytes, text: str, at: int, count: int) -> tuple[Destinations, int]:
    found: list[SmeAddress | DistributionList] = []
    for _ in range(count):
        flag = octets[at]
        start = at + (3 if flag == 1 else 1)
        end = text.find("\0", start, start + 21)
        if flag not in (1, 2) or end < 0:
            raise UnreadableError(Status.RINVDSTADR, "dest_address")
        if flag == 1:
            found.append(SmeAddress(octets[at + 1], octets[at + 2], text[start:end]))
        else:
            found.append(DistributionList(text[start:end]))
        at = end + 1
    return tuple(found), at


def _read_unsuccess_sme(
    octets: bytes, text: str, at: int, count: int
) -> tuple[tuple[Unsuccessful, ...], int]:
    found = []
    for _ in range(count):
        end = text.find("\0", at + 2, at + 23)
        if end < 0 or end + 5 > len(octets):
            raise UnreadableError(Status.RSYSERR, "unsuccess_sme")
        status = int.from_bytes(octets[end + 1 : end + 5])
        found.append(Unsuccessful(octets[at], octets[at + 1], text[at + 2 : end], status))
        at = end + 5
    return tuple(found), at


def _c_octets(text: str) -> bytes:
    """An address or a list's name inside submit_multi: 20 octets at most, and a NUL (4.5.1)."""
    if len(text) > 20 or "\0" in text:
        raise ValueError
    return text.encode("latin-1") + b"\0"


def _write_dest_address(destinations: Destinations) -> bytes:
    return b"".join(
        b"\2%b" % _c_octets(one.name)
        if isinstance(one, DistributionList)
        else b"\1%c%c%b" % (one.ton, one.npi, _c_octets(one.address))
        for one in destinations
    )


def _write_unsuccess_sme(failures: tuple[Unsuccessful, ...]) -> bytes:
    return b"".join(
        b"%c%c%b%b" % (ton, npi, _c_octets(address), status.to_bytes(4))
        for ton, npi, address, status in failures
    )


SOURCE: Final = "\n".join(map(_source, COMMANDS.values()))

_compiled: dict[str, Any] = {
    "UnreadableError": UnreadableError,
    "read_dest_address": _read_dest_address,
    "read_unsuccess_sme": _read_unsuccess_sme,
    "write_dest_address": _write_dest_address,
    "write_unsuccess_sme": _write_unsuccess_sme,
}
exec(SOURCE, _compiled)

READERS: Final[dict[int, Reader]] = {
    command: _compiled[f"read_{table.name}"] for command, table in COMMANDS.items()
}
WRITERS: Final[dict[int, Writer]] = {
    command: _compiled[f"write_{table.name}"] for command, table in COMMANDS.items()
}
