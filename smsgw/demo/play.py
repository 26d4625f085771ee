"""Plays the customers' part of the demo, checks every answer, and keeps the daemon up after it."""

import asyncio
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from textwrap import fill
from typing import Final

from rich.console import Console

from smsgw.demo.conversation import CONVERSATION, Step, expected
from smsgw.demo.show import Screen
from smsgw.demo.stage import LOG, Stage, stage
from smsgw.simulator import Mt, NotSeenError

PATIENCE: Final = 2.0  # seconds for an answer, many times what one takes
IN_ALL: Final = 6.0  # for all of them: a demo that fails says so within ten seconds


async def play(console: Console, *, once: bool) -> bool:
    """Play the conversation; then stay until a signal comes, unless `once`.

    True if every answer came, over its carrier and once. The demo's folder stays if it failed.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = Path(tempfile.mkdtemp(prefix="smsgw-demo-"))
    failed = False
    try:
        async with stage(folder) as running:
            _introduce(console, running)
            failed = not await _converse(console, running, stop)
            if not once:
                _point_out(console, running)
                await stop.wait()
    except Exception:
        failed = True
        raise
    finally:
        if failed and (folder / LOG).exists():
            console.print(f"What the daemon said of it: {folder / LOG}", soft_wrap=True)
        else:
            shutil.rmtree(folder)
    return not failed


def _introduce(console: Console, running: Stage) -> None:
    names = [carrier.name for carrier in running.settings.carriers.values()]
    _say(
        console,
        f"The daemon is bound to {len(names)} simulated carriers ({', '.join(names)}) over SMPP."
        f" Their customers write to {running.settings.shortcode}:",
    )


async def _converse(console: Console, running: Stage, stop: asyncio.Event) -> bool:
    """Play all steps; False if one failed, or if a signal came first."""
    names = {key: carrier.name for key, carrier in running.settings.carriers.items()}
    screen = Screen(console, names)
    deadline = time.monotonic() + IN_ALL
    took = []
    customer = None
    for step in CONVERSATION:
        if stop.is_set():
            return False
        if customer != (customer := (step.carrier, step.phone)):
            console.print()
        seconds = await _step(screen, running, step, deadline - time.monotonic())
        if seconds is not None:
            took.append(seconds)
    console.print()
    smscs = running.carriers.values()
    answers = sum(len(smsc.mts) for smsc in smscs)
    if len(took) < len(CONVERSATION) or answers != len(CONVERSATION):
        wrong = (
            f"{len(took)} of {len(CONVERSATION)} messages were answered as they should be;"
            f" there were {answers} answers."
        )
        _say(console, wrong, "bold red")
        return False
    try:
        for smsc in smscs:
            await smsc.receipted(within=PATIENCE)
    except NotSeenError as error:
        _say(console, str(error), "bold red")
        return False
    median = statistics.median(took) * 1000
    receipts = sum(len(smsc.receipts) for smsc in smscs)
    _say(
        console,
        f"All {answers} messages were answered, each over the carrier it came on, in {median:.0f}"
        f" ms (median); {receipts} receipts were taken.",
    )
    return True


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(fill(text, console.width), style=style, soft_wrap=True)


async def _step(screen: Screen, running: Stage, step: Step, left: float) -> float | None:
    """One message and its answer; the seconds it took, None if it isn't what it should be."""
    smsc = running.carriers[step.carrier]
    sent_at = time.time()
    smsc.send(step.phone, step.text)
    screen.said(sent_at, step.carrier, step.phone, step.text)
    try:
        answer = await smsc.answer_to(step.phone, within=max(0.0, min(PATIENCE, left)))
    except NotSeenError:
        screen.failed(time.time(), step.carrier, step.phone, "no answer")
        return None
    seconds = answer.at - sent_at
    screen.answered(answer.at, step.carrier, step.phone, answer.text, _measured(answer, seconds))
    wanted = expected(step, running.today)
    if wanted in answer.text and step.parts in (None, answer.parts):
        return seconds
    why = f"expected: {wanted}" + (f" in {step.parts} parts" if step.parts else "")
    screen.failed(answer.at, step.carrier, step.phone, why)
    return None


def _measured(answer: Mt, seconds: float) -> str:
    parts = "1 part" if answer.parts == 1 else f"{answer.parts} parts"
    return f"{parts}, {max(1, round(seconds * 1000))} ms"


def _point_out(console: Console, running: Stage) -> None:
    """Where to look on."""
    pages = {"": "links", "healthz": "the process lives", "readyz": "it can answer", "metrics": ""}
    console.print("\nThe daemon goes on. To look at it:")
    for page, what in pages.items():
        console.print(f"  {running.url + page:<40}{what}".rstrip(), soft_wrap=True)
    program = sys.argv[0] if Path(sys.argv[0]).name == "smsgw" else "smsgw"
    console.print(f"  {program} subscribers list -c {running.config}", soft_wrap=True)
    console.print(f"  tail -f {running.log}", soft_wrap=True)
    console.print("Ctrl-C ends it.")
