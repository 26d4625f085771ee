"""`smsgw simulate`: an SMSC on its own, for trying a gateway, and for carriers' engineers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smsgw.cli.common import Json, fail, noun, print_json
from smsgw.cli.simulate_options import (
    address,
    choice,
    file,
    message,
    number,
    numbers,
    option,
    picks,
    seconds,
    status,
    word,
)
from smsgw.cli.words import number_from, whole_number

if TYPE_CHECKING:
    from smsgw.simulator.errand import Errand, Message, Run
    from smsgw.simulator.faults import Faults
    from smsgw.simulator.happenings import Happening
    from smsgw.simulator.settings import SmscSettings
    from smsgw.simulator.smsc import Smsc

MOST_NAMED: Final = 20  # messages that --once names on stderr

app = noun()


@app.command()
def simulate(
    *,
    port: Annotated[
        int,
        option("Listen here; 0: a free port.", parser=whole_number(0, 65535), metavar="PORT"),
    ] = 2775,
    host: Annotated[str, word("The address to listen on.", "HOST")] = "127.0.0.1",
    system_id: Annotated[
        str | None,
        word("Who may bind; if not given: anyone. With --connect: who we bind as [smsc].", "ID"),
    ] = None,
    password: Annotated[
        str | None, word("If not given: any. With --connect: ours.", "WORD")
    ] = None,
    outbind: Annotated[
        Any, address("Don't listen: dial the gateway and send outbind, then be its SMSC.")
    ] = None,
    outbind_system_id: Annotated[str, word("Who we say we are in it.", "ID")] = "smsc",
    outbind_password: Annotated[str, word("And our password there.", "WORD")] = "",
    connect: Annotated[
        Any,
        address("Don't listen: dial the gateway and bind as an ESME; our messages are submit_sm."),
    ] = None,
    redial: Annotated[float, seconds("Between two connections that we dialled.", 0.01)] = 1.0,
    tls_cert: Annotated[Path | None, file("TLS: our certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, file("Its key, if not in the same file.")] = None,
    tls_ca: Annotated[Path | None, file("TLS: whose certificates the gateway has to show.")] = None,
    version: Annotated[
        Any,
        choice(
            "3.3: refuses transceivers by generic_nack, says no version, sends no TLVs.",
            "3.3",
            "3.4",
        ),
    ] = "3.4",
    mo: Annotated[
        list[Any] | None,
        message("A customer's message."),
    ] = None,
    mo_file: Annotated[
        Path | None,
        option(
            "Customers' messages, one a line: the number, a tab or semicolon, the text."
            " -: from stdin, each line as it comes.",
            allow_dash=True,
            metavar="FILE",
        ),
    ] = None,
    to: Annotated[str, word("The number that customers write to.", "NUMBER")] = "170077",
    rate: Annotated[
        float,
        option("Customers' messages a second; 0: no limit.", parser=number_from(0), metavar="N"),
    ] = 0.0,
    window: Annotated[int, number("deliver_sm unanswered at once, per session.", 1)] = 10,
    long_messages: Annotated[
        Any, choice("How a customer's long text is sent.", "udh", "udh16", "sar", "payload")
    ] = "udh",
    parts: Annotated[
        Any, numbers("Of a long text, send these parts in this order: 3,1,1. If not given: all.")
    ] = None,
    default_alphabet: Annotated[
        Any, choice("What data_coding 0 means.", "gsm7", "latin1", "ascii")
    ] = "gsm7",
    ids: Annotated[
        Any,
        choice(
            "How message ids are written.", "decimal", "hex", "hex_in_response", "hex_in_receipt"
        ),
    ] = "decimal",
    receipt_delay: Annotated[float, seconds("Before a receipt.")] = 0.05,
    receipt_stat: Annotated[
        str, word("What receipts say: DELIVRD, UNDELIV, …", "STATE")
    ] = "DELIVRD",
    receipt_err: Annotated[str, word("Their error code.", "CODE")] = "000",
    retry_interval: Annotated[float, seconds("Between two tries of a deliver_sm.", 0.01)] = 1.0,
    tries: Annotated[int, number("Refusals for now before one is given up.", 1)] = 100,
    refuse: Annotated[Any, picks("Fault: refuse these submit_sm.")] = None,
    refuse_status: Annotated[Any, status("With this.")] = "RSYSERR",
    throttle: Annotated[
        int, number("Fault: throttle more submit_sm than these a second. 0: none.")
    ] = 0,
    throttle_burst: Annotated[
        int, number("Taken at once after a rest. 0: as many as in a second.")
    ] = 0,
    queue: Annotated[
        int,
        number("Fault: RMSGQFUL while so many wait for --receipt-delay to be over. 0: never."),
    ] = 0,
    lose: Annotated[Any, picks("Fault: take these submit_sm and never answer.")] = None,
    freeze_after: Annotated[
        int,
        number("Fault: leave a session's submit_sm from number N on unanswered. 0: never."),
    ] = 0,
    delay: Annotated[float, seconds("Fault: wait before each submit_sm_resp.")] = 0.0,
    refuse_binds: Annotated[Any, picks("Fault: refuse these binds.")] = None,
    refuse_bind_status: Annotated[Any, status("With this.")] = "RBINDFAIL",
    drop_after: Annotated[int, number("Fault: cut each connection at PDU N. 0: never.")] = 0,
    reset: Annotated[bool, option("Cut by RST instead of FIN.", "--reset")] = False,
    no_receipts: Annotated[bool, option("Fault: no receipts.", "--no-receipts")] = False,
    lose_receipts: Annotated[Any, picks("Fault: these receipts never come.")] = None,
    no_queries: Annotated[bool, option("Fault: query_sm is unknown.", "--no-queries")] = False,
    early_receipts: Annotated[
        bool, option("Fault: receipts before the submit_sm_resp.", "--early-receipts")
    ] = False,
    mute: Annotated[
        bool, option("Fault: accept connections and never say a word.", "--mute")
    ] = False,
    no_enquire_link_resp: Annotated[
        bool, option("Fault: no enquire_link is answered.", "--no-enquire-link-resp")
    ] = False,
    stop_reading: Annotated[
        bool, option("Fault: read nothing more once bound.", "--stop-reading")
    ] = False,
    unbind_after: Annotated[
        float, seconds("Fault: unbind each session after so long. 0: never.")
    ] = 0.0,
    sequences: Annotated[
        Any,
        choice("Fault: the sequence numbers of our requests.", "plain", "zero", "same", "large"),
    ] = "plain",
    bodies: Annotated[
        Any,
        choice(
            "Fault: the bodies of our submit_sm_resp; nul: one NUL; always: with errors too.",
            "plain",
            "none",
            "nul",
            "always",
        ),
    ] = "plain",
    malform: Annotated[
        Any, picks("Fault: a malformed PDU before these deliver_sm, of each sort in turn.")
    ] = None,
    seed: Annotated[int, number("Of the faults that strike by chance.")] = 0,
    once: Annotated[
        bool,
        option("End when each message is acknowledged and answered; 1 if one isn't.", "--once"),
    ] = False,
    no_answers: Annotated[
        bool, option("With --once: acknowledged is enough.", "--no-answers")
    ] = False,
    patience: Annotated[
        float, seconds("With --once: end after so long without any progress.", 0.1)
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
    from smsgw.simulator.faults import NONE, Bodies, Faults, Sequences
    from smsgw.simulator.settings import (
        Connect,
        IdForm,
        LongMessages,
        Outbind,
        SmscSettings,
        TlsFiles,
        Version,
    )
    from smsgw.smpp.session import Limits

    if outbind is not None and connect is not None:
        raise typer.BadParameter("--outbind or --connect, not both")
    dials: Outbind | Connect | None = None
    if outbind is not None:
        dials = Outbind(outbind[0], outbind[1], outbind_system_id, outbind_password)
    elif connect is not None:
        dials = Connect(connect[0], connect[1], system_id or "smsc", password or "")
    elif tls_cert is None and (tls_ca or tls_key) is not None:
        raise typer.BadParameter("who listens has to show a certificate: --tls-cert")
    if version == "3.3" and long_messages in ("payload", "sar"):
        raise typer.BadParameter(f"--long-messages {long_messages} takes TLVs: 3.3 knows none")
    settings = SmscSettings(
        host=host,
        port=port,
        dials=dials,
        redial=redial,
        tls=TlsFiles(tls_cert, tls_key, tls_ca) if tls_cert or tls_ca else None,
        version=Version(version),
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
        parts=parts or (),
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
        throttle_burst=throttle_burst,
        queue=queue,
        freeze_after=freeze_after,
        lose=lose or NONE,
        refuse_binds=refuse_binds or NONE,
        refuse_bind_status=refuse_bind_status,
        no_receipts=no_receipts,
        lose_receipts=lose_receipts or NONE,
        no_queries=no_queries,
        early_receipts=early_receipts,
        receipt_stat=receipt_stat,
        receipt_err=receipt_err,
        mute=mute,
        no_enquire_link_resp=no_enquire_link_resp,
        stop_reading=stop_reading,
        unbind_after=unbind_after,
        sequences=Sequences(sequences),
        bodies=Bodies(bodies),
        malform=malform or NONE,
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
    for place, line in enumerate(lines, 1):
        try:
            if line.strip():
                messages.append(Message.parse(line))
        except ValueError as error:
            problems.append(f"{path}:{place}: {error}")
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
        fail(f"{_place(settings)}: {error.strerror or error}")
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, run.stop)
    try:
        _announce(smsc, json=json)
        await run.run(smsc)
    except ValueError as error:
        fail(f"a message can't be sent: {error}")
    finally:
        await smsc.stop()
    return _conclude(smsc, run, json=json)


def _place(settings: "SmscSettings") -> str:
    where = settings.dials or settings
    return f"{where.host}:{where.port}"


def _announce(smsc: "Smsc", *, json: bool) -> None:
    if smsc.settings.dials is not None:
        if json:
            host, port = smsc.settings.dials.host, smsc.settings.dials.port
            print_json({"event": "dialling", "host": host, "port": port})
        else:
            typer.echo(f"dialling {_place(smsc.settings)}")
        return
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
