"""`smsgw simulate`: an SMSC on its own, for trying a gateway, and for carriers' engineers."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from smsgw.cli.common import Json, fail, noun, print_json
from smsgw.cli.words import number_from, one_of, whole_number

if TYPE_CHECKING:
    from smsgw.simulator.errand import Errand, Message, Run
    from smsgw.simulator.faults import Faults
    from smsgw.simulator.happenings import Happening
    from smsgw.simulator.settings import SmscSettings
    from smsgw.simulator.smsc import Smsc

T = TypeVar("T")

MOST_NAMED: Final = 20  # messages that --once names on stderr

app = noun()


def _pick(words: str) -> Any:
    from smsgw.simulator.faults import Pick

    return _read(Pick.parse, words)


def _status(words: str) -> Any:
    from smsgw.simulator.faults import status_of

    return _read(status_of, words)


def _message(words: str) -> Any:
    from smsgw.simulator.errand import Message

    return _read(lambda words: Message.parse(words, ":"), words)


def _read(read: Callable[[str], T], words: str) -> T:
    try:
        return read(words)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _option(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, **more)


def _pick_option(text: str) -> Any:
    return _option(text, parser=_pick, metavar="PICK", show_default=False)


def _status_option(text: str) -> Any:
    return _option(text, parser=_status, metavar="STATUS")


def _seconds(text: str, least: float = 0.0) -> Any:
    return _option(text, parser=number_from(least), metavar="SECONDS")


def _number(text: str, least: int = 0) -> Any:
    return _option(text, parser=whole_number(least), metavar="N")


def _choice(text: str, *choices: str) -> Any:
    return _option(text, parser=one_of(*choices), metavar="|".join(choices))


def _word(text: str, metavar: str) -> Any:
    return _option(text, metavar=metavar)


@app.command()
def simulate(
    *,
    port: Annotated[
        int,
        _option("Listen here; 0: a free port.", parser=whole_number(0, 65535), metavar="PORT"),
    ] = 2775,
    host: Annotated[str, _word("The address to listen on.", "HOST")] = "127.0.0.1",
    system_id: Annotated[str | None, _word("Who may bind; if not given: anyone.", "ID")] = None,
    password: Annotated[str | None, _word("If not given: any.", "WORD")] = None,
    mo: Annotated[
        list[Any] | None,
        _option("A customer's message.", parser=_message, metavar="FROM:TEXT"),
    ] = None,
    mo_file: Annotated[
        Path | None,
        _option(
            "Customers' messages, one a line: the number, a tab or semicolon, the text."
            " -: from stdin, each line as it comes.",
            allow_dash=True,
            metavar="FILE",
        ),
    ] = None,
    to: Annotated[str, _word("The number that customers write to.", "NUMBER")] = "170077",
    rate: Annotated[
        float,
        _option("Customers' messages a second; 0: no limit.", parser=number_from(0), metavar="N"),
    ] = 0.0,
    window: Annotated[int, _number("deliver_sm unanswered at once, per session.", 1)] = 10,
    long_messages: Annotated[
        str, _choice("How a customer's long text is sent.", "udh", "payload")
    ] = "udh",
    default_alphabet: Annotated[
        Any, _choice("What data_coding 0 means.", "gsm7", "latin1", "ascii")
    ] = "gsm7",
    ids: Annotated[
        str,
        _choice(
            "How message ids are written.",
            "decimal",
            "hex",
            "hex_in_response",
            "hex_in_receipt",
        ),
    ] = "decimal",
    receipt_delay: Annotated[float, _seconds("Before a receipt.")] = 0.05,
    receipt_stat: Annotated[
        str, _word("What receipts say: DELIVRD, UNDELIV, …", "STATE")
    ] = "DELIVRD",
    receipt_err: Annotated[str, _word("Their error code.", "CODE")] = "000",
    retry_interval: Annotated[float, _seconds("Between two tries of a deliver_sm.", 0.01)] = 1.0,
    tries: Annotated[int, _number("Refusals for now before one is given up.", 1)] = 100,
    refuse: Annotated[Any, _pick_option("Fault: refuse these submit_sm.")] = None,
    refuse_status: Annotated[Any, _status_option("With this.")] = "RSYSERR",
    throttle: Annotated[int, _number("Fault: throttle more submit_sm in a second. 0: none.")] = 0,
    lose: Annotated[Any, _pick_option("Fault: take these submit_sm and never answer.")] = None,
    delay: Annotated[float, _seconds("Fault: wait before each submit_sm_resp.")] = 0.0,
    refuse_binds: Annotated[Any, _pick_option("Fault: refuse these binds.")] = None,
    refuse_bind_status: Annotated[Any, _status_option("With this.")] = "RBINDFAIL",
    drop_after: Annotated[int, _number("Fault: cut each connection at PDU N. 0: never.")] = 0,
    reset: Annotated[bool, _option("Cut by RST instead of FIN.", "--reset")] = False,
    no_receipts: Annotated[bool, _option("Fault: no receipts.", "--no-receipts")] = False,
    early_receipts: Annotated[
        bool, _option("Fault: receipts before the submit_sm_resp.", "--early-receipts")
    ] = False,
    mute: Annotated[
        bool, _option("Fault: accept connections and never say a word.", "--mute")
    ] = False,
    seed: Annotated[int, _number("Of the faults that strike by chance.")] = 0,
    once: Annotated[
        bool,
        _option("End when each message is acknowledged and answered; 1 if one isn't.", "--once"),
    ] = False,
    no_answers: Annotated[
        bool, _option("With --once: acknowledged is enough.", "--no-answers")
    ] = False,
    patience: Annotated[
        float, _seconds("With --once: end after so long without any progress.", 0.1)
    ] = 30.0,
    json: Json = False,
) -> None:
    """Simulate an SMSC until Ctrl-C, and print what happens.

    A PICK says which ones a fault strikes: all, first:5, each:3 or 10%. A STATUS is a name or a
    number: RTHROTTLED, 0x58.
    """
    import asyncio
    import time

    from smsgw.simulator.errand import Errand
    from smsgw.simulator.faults import NONE, Faults
    from smsgw.simulator.settings import IdForm, LongMessages, SmscSettings
    from smsgw.smpp.session import Limits

    settings = SmscSettings(
        host=host,
        port=port,
        system_id=system_id,
        password=password,
        shortcode=to,
        rate=rate,
        retry_interval=retry_interval,
        tries=tries,
        receipt_delay=receipt_delay,
        ids=IdForm(ids),
        first_id=int(time.time() * 1000),  # another start gives other ids
        default_alphabet=default_alphabet,
        long_messages=LongMessages(long_messages),
        limits=Limits(window=window),
        seed=seed,
    )
    faults = Faults(
        drop_after=drop_after,
        drop_by_reset=reset,
        delay=delay,
        refuse=refuse or NONE,
        refuse_status=refuse_status,
        throttle=throttle,
        lose=lose or NONE,
        refuse_binds=refuse_binds or NONE,
        refuse_bind_status=refuse_bind_status,
        no_receipts=no_receipts,
        early_receipts=early_receipts,
        receipt_stat=receipt_stat,
        receipt_err=receipt_err,
        mute=mute,
    )
    from_stdin = mo_file is not None and str(mo_file) == "-"
    messages = mo or []
    if mo_file is not None and not from_stdin:
        messages += _messages(mo_file)
    errand = Errand(messages, sys.stdin if from_stdin else None, once, not no_answers, patience)
    raise typer.Exit(asyncio.run(_serve(settings, faults, errand, json=json)))


def _messages(path: Path) -> "list[Message]":
    """The messages of a file, or the end: every line that can't be read is named."""
    from smsgw.simulator.errand import Message

    messages, problems = [], []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: {getattr(error, 'strerror', None) or error}")
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                messages.append(Message.parse(line))
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}")
    if problems:
        fail("\n".join(problems))
    return messages


async def _serve(
    settings: "SmscSettings", faults: "Faults", errand: "Errand", *, json: bool
) -> int:
    """Run the SMSC until the errand is done or a signal comes; the exit status."""
    import asyncio
    import signal

    from smsgw.simulator import transcript
    from smsgw.simulator.errand import Run
    from smsgw.simulator.smsc import Smsc

    def show(happening: "Happening") -> None:
        run.note(happening)
        if json:
            print_json(transcript.record(happening))
        else:
            typer.echo(transcript.line(happening))

    run = Run(errand, complain=lambda problem: typer.echo(problem, err=True))
    smsc = Smsc(settings, faults, watch=show)
    try:
        await smsc.start()
    except OSError as error:
        fail(f"{settings.host}:{settings.port}: {error.strerror or error}")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, run.stop)
    try:
        _announce(smsc, json=json)
        await run.run(smsc)
    except ValueError as error:
        fail(f"a message can't be sent: {error}")
    finally:
        await smsc.stop()
    return _conclude(smsc, run, json=json)


def _announce(smsc: "Smsc", *, json: bool) -> None:
    host, port = smsc.address
    if json:
        print_json({"event": "listening", "host": host, "port": port})
        return
    who = smsc.settings.system_id or "anyone"
    how = "any password" if smsc.settings.password is None else "the password given"
    typer.echo(f"listening on {host}:{port}; {who} may bind, with {how}")


def _conclude(smsc: "Smsc", run: "Run", *, json: bool) -> int:
    """Sum up, and give the exit status."""
    from collections import Counter

    states = Counter(mo.state.value for mo in smsc.mos)
    unserved = run.unserved(smsc) if run.errand.once else []
    if json:
        print_json(
            {
                "event": "summary",
                "mos": len(smsc.mos),
                **{state: states[state] for state in ("acknowledged", "refused", "given_up")},
                "mts": len(smsc.mts),
                "unserved": [mo.number for mo in unserved],
            }
        )
    else:
        told = ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
        typer.echo(f"customers' messages: {told}; messages to customers: {len(smsc.mts)}")
    for mo in unserved[:MOST_NAMED]:
        what = "no answer" if mo.state.value == "acknowledged" else mo.state.value
        typer.echo(f"MO {mo.number}  {mo.source}  {mo.text}: {what}", err=True)
    if len(unserved) > MOST_NAMED:
        typer.echo(f"and {len(unserved) - MOST_NAMED} more", err=True)
    return 1 if unserved or run.unreadable else 0
