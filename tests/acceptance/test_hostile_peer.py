"""SMSCs that say anything but what they should, against the real daemon, and one that is well."""

import asyncio
import json
import math
import socket
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

PDUS: Final = 200_000  # the first half warms the daemon up, the other may grow nothing
PEERS: Final = 10
SESSIONS: Final = 4  # of each, as planned; the pauses between them grow
CHUNK: Final = 100  # PDUs between two looks whether the daemon still answers
PATIENCE: Final = 30.0  # seconds for one answer
IN_TIME: Final = 5.0  # seconds from a well-behaved carrier's MO to the answer, 99 of 100
RSS_GROWTH: Final = 10_000  # kB, in the second half: 100 octets a PDU would show
COMPLAINTS: Final = 20  # lines a session that say what the peer did wrong

VECTORS: Final = [
    bytes.fromhex(vector["hex"])
    for path in sorted((Path(__file__).parent.parent / "vectors").glob("*.json"))
    for vector in json.loads(path.read_text("utf-8"))["vectors"]
]
DELIVERIES: Final = [pdu for pdu in VECTORS if pdu[4:8] == b"\0\0\0\5"]
UNBIND: Final = 6
ENQUIRE_LINK: Final = 0x15
RESPONSE: Final = 0x80000000
NUMBERS: Final = (0, 1, 2, 3, 50, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TLV_LIES: Final = (
    "0424ffff",
    "0424",
    "042400",
    "001e0005616263",
    "001e0003616263",
    "04270000",
    "0427000401020304",
    "020c000101",
    "14010000",
    "1401fffe00",
    "00000000",
    "ffffffff",
)
SECRETS: Final = ("hush-hush", "not-a-word")

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  calm: {{host: 127.0.0.1, port: {calm}, system_id: cez, password: not-a-word}}
{hostile}
duplicates: {{limit: 1000}}
http: {{listen: "127.0.0.1:0"}}
"""
HOSTILE = "  {id}: {{host: 127.0.0.1, port: {port}, system_id: cez, password: hush-hush}}"


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return b"".join(n.to_bytes(4) for n in (16 + len(body), command, status, sequence)) + body


class Malice:
    """Draws hostile PDUs. What it draws depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._ways: tuple[Callable[[], bytes], ...] = (
            self._flipped,
            self._flipped,
            self._cut,
            self._padded,
            self._scrambled,
            self._lying_tlv,
            self._out_of_place,
            self._renumbered,
            self._nonsense,
        )

    def draw(self) -> bytes:
        """A PDU that is framed well, whatever else is wrong with it. It ends no session."""
        while True:
            made = self._random.choice(self._ways)()
            made = len(made).to_bytes(4) + made[4:]
            if int.from_bytes(made[4:8]) != UNBIND:
                return made

    def last_words(self) -> bytes:
        """What ends a session: a length that can't be, rubbish, an unbind, half a PDU."""
        header = self._random.choice(VECTORS)[4:16]
        return self._random.choice(
            (
                self._random.randint(0, 15).to_bytes(4) + header,
                self._random.randint(70_001, 0xFFFFFFFF).to_bytes(4) + header,
                b"\xff" * 64,
                bytes(64),
                b"GET / HTTP/1.1\r\nHost: smsc\r\n\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self._random.randbytes(60),
                (69_000).to_bytes(4) + header + self._random.randbytes(500),
                self._random.choice(DELIVERIES)[:-3],
                pdu(UNBIND, 0, 0xFFFFFFFF),
            )
        )

    def _flipped(self) -> bytes:
        """A few bits, in header or body; mostly of a message to us."""
        base = self._random.choice(self._random.choice((VECTORS, DELIVERIES)))
        made = bytearray(base)
        for _ in range(self._random.randint(1, 8)):
            made[self._random.randrange(4, len(made))] ^= 1 << self._random.randrange(8)
        return bytes(made)

    def _cut(self) -> bytes:
        base = self._random.choice(VECTORS)
        return base[: self._random.randint(16, len(base))]

    def _padded(self) -> bytes:
        size = self._random.choice((1, 4, 20, 300)) if self._random.random() < 0.99 else 60_000
        return self._random.choice(VECTORS) + self._random.randbytes(size)

    def _scrambled(self) -> bytes:
        base = self._random.choice(DELIVERIES)
        at = self._random.randrange(16, len(base))
        run = self._random.randbytes(self._random.randint(1, 20))
        return base[:at] + run + base[at + len(run) :]

    def _lying_tlv(self) -> bytes:
        return self._random.choice(VECTORS) + bytes.fromhex(self._random.choice(TLV_LIES))

    def _out_of_place(self) -> bytes:
        """As it is: a request of the wrong side, or a response to nothing or to something."""
        return self._random.choice(VECTORS)

    def _renumbered(self) -> bytes:
        base = self._random.choice(VECTORS)
        sequence = self._random.choice((*NUMBERS, self._random.getrandbits(32)))
        return base[:12] + sequence.to_bytes(4) + base[16:]

    def _nonsense(self) -> bytes:
        command = self._random.choice((0x99, 0x80000099, self._random.getrandbits(32)))
        status, sequence = self._random.choices(NUMBERS, k=2)
        return pdu(command, status, sequence, self._random.randbytes(self._random.randint(0, 60)))


class HostileSmsc:
    """Lets the daemon bind, then sends it its share of hostile PDUs, session after session."""

    def __init__(self, listener: socket.socket, seed: int) -> None:
        self.sent = 0
        self.sessions = 0
        self.done = asyncio.Event()
        self._malice = Malice(seed)
        self._listener = listener
        self._enquiries = 0

    async def serve(self) -> None:
        server = await asyncio.start_server(self._session, sock=self._listener)
        async with server:
            await self.done.wait()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        try:
            await self._abuse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the daemon closed
        finally:
            writer.transport.abort()
            if self.sent >= PDUS // PEERS:
                self.done.set()

    async def _abuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bind = await read_pdu(reader)
        if self.sessions % 2:
            self._send(writer, 10)  # before the bind is answered
        command = int.from_bytes(bind[4:8]) | RESPONSE
        writer.write(pdu(command, 0, int.from_bytes(bind[12:16]), b"smsc\0"))
        until = min(self.sessions * PDUS // PEERS // SESSIONS, PDUS // PEERS)
        while self.sent < until:
            self._send(writer, min(CHUNK, until - self.sent))
            async with asyncio.timeout(PATIENCE):
                await self._enquire(reader, writer)
        self._send(writer, 1, self._malice.last_words)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            while await reader.read(65536):
                pass

    def _send(
        self, writer: asyncio.StreamWriter, count: int, draw: Callable[[], bytes] | None = None
    ) -> None:
        draw = draw or self._malice.draw
        writer.write(b"".join(draw() for _ in range(count)))
        self.sent += count

    async def _enquire(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Ask, and read on until that is answered: so all that came before has been read."""
        self._enquiries += 1
        sequence = 0x7000_0000 + self._enquiries
        writer.write(pdu(ENQUIRE_LINK, 0, sequence))
        answer = pdu(ENQUIRE_LINK | RESPONSE, 0, sequence)
        while (said := await read_pdu(reader)) != answer:
            if said[4:8] == UNBIND.to_bytes(4):  # it had enough: the right answer ends it
                writer.write(pdu(UNBIND | RESPONSE, 0, int.from_bytes(said[12:16])))


async def read_pdu(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(16)
    return header + await reader.readexactly(int.from_bytes(header[:4]) - 16)


def rss(process: Any) -> int:
    """Resident memory in kB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


async def attack(listeners: list[socket.socket], process: Any) -> tuple[list[HostileSmsc], int]:
    """Run all peers to their end; the second value is how the memory grew, in the second half."""
    peers = [HostileSmsc(listener, seed) for seed, listener in enumerate(listeners)]
    before = 0
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(peer.serve()) for peer in peers]
        while not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=0.2)
            if sum(peer.sent for peer in peers) <= PDUS // 2:
                before = max(before, rss(process))
    return peers, rss(process) - before


def answer_times(calm: Any) -> list[float]:
    """Seconds from each customer's message until now to its answer, shortest first."""
    sent = calm.of("mo_sent")
    calm.wait_for("mt", len(sent))
    answered = {each["destination"]: each["at"] for each in calm.of("mt")}
    return sorted(answered.get(each["source"], math.inf) - each["at"] for each in sent)


def texts(value: Any) -> Iterator[str]:
    """All text in a log line, keys included."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    else:
        yield str(value)


@pytest.fixture
def listeners() -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(PEERS)]


@pytest.mark.slow
def test_hostile_peers_harm_nobody(
    tmp_path: Path,
    simulate: Callable[..., Any],
    run: Callable[..., Any],
    listeners: list[socket.socket],
) -> None:
    customers = tmp_path / "customers"
    customers.write_text(
        "".join(f"35987{number:07d}\thelp\n" for number in range(100_000)), encoding="ascii"
    )
    calm = simulate("--mo-file", str(customers), "--rate", "20", "--password", "not-a-word")
    config = tmp_path / "smsgw.yaml"
    config.write_text(
        CONFIG.format(
            data_dir=tmp_path / "data",
            calm=calm.wait_for("listening")["port"],
            hostile="\n".join(
                HOSTILE.format(id=f"hostile{number}", port=listener.getsockname()[1])
                for number, listener in enumerate(listeners)
            ),
        ),
        encoding="utf-8",
    )
    daemon = run(config)
    calm.wait_for("mt", 20)
    asked = len(calm.of("mt"))

    peers, growth = asyncio.run(attack(listeners, daemon.process))

    times = answer_times(calm)
    sessions = sum(peer.sessions for peer in peers)
    assert sum(peer.sent for peer in peers) >= PDUS
    assert len(times) > asked + 100
    assert times[int(len(times) * 0.99)] < IN_TIME
    assert growth < RSS_GROWTH
    assert daemon.get("/healthz")[0] == 200
    assert daemon.terminate() == 0

    lines = daemon.events
    assert not [line for line in lines if "exception" in line]
    assert len(lines) <= sessions * (COMPLAINTS + 5) + 100
    assert len(daemon.of("link.violation")) >= sessions
    for text in (text for line in lines for text in texts(line)):
        assert not any(unicodedata.category(letter) in ("Cc", "Cf") for letter in text), text
        assert not any(secret in text for secret in SECRETS), text
