"""The real command, killed with -9 in the middle of customers' messages, and started again."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

CARRIERS = ("mtel", "telenor", "vivacom")
PASSWORDS = ("from env", "from file", "plain")
MOS = 2_000
WINDOW = 50  # the default

SHORTEST = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel:     {{host: 127.0.0.1, port: {mtel}, system_id: cez, password: {{env: MTEL_PASSWORD}}}}
  telenor:  {{host: 127.0.0.1, port: {telenor}, system_id: cez, password: {{file: {secret}}}}}
  vivacom:  {{host: 127.0.0.1, port: {vivacom}, system_id: cez, password: "plain"}}
http: {{listen: "127.0.0.1:0"}}
"""


def messages(path: Path, carrier: int) -> Path:
    """One message each from phones of their own: checks, registrations, and what is neither."""
    texts = ("smetka", "30001234{:04d}", "СМЕТКА", "help", "dobar den")
    phones = range(carrier, MOS, len(CARRIERS))
    path.write_text(
        "".join(
            f"35988{phone:07d}\t{texts[phone % len(texts)].format(phone)}\n" for phone in phones
        ),
        encoding="utf-8",
    )
    return path


def test_every_acknowledged_mo_is_answered_over_two_kills(
    tmp_path: Path, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    simulators = [
        simulate(
            *("--system-id", "cez", "--password", password, "--rate", "800", "--once"),
            *("--retry-interval", "0.2", "--mo-file", str(messages(tmp_path / password, number))),
        )
        for number, password in enumerate(PASSWORDS)
    ]
    ports = [simulator.wait_for("listening")["port"] for simulator in simulators]
    secret = tmp_path / "secret"
    secret.write_text("from file\n", encoding="ascii")
    config = tmp_path / "smsgw.yaml"
    config.write_text(
        SHORTEST.format(
            data_dir=tmp_path / "data", secret=secret, **dict(zip(CARRIERS, ports, strict=True))
        ),
        encoding="utf-8",
    )
    for killed_at in (150, 400):
        daemon = run(config, MTEL_PASSWORD="from env")
        for simulator in simulators:
            simulator.wait_for("mo_answered", killed_at)
        daemon.kill()
    daemon = run(config, MTEL_PASSWORD="from env")
    codes = [simulator.end() for simulator in simulators]

    assert daemon.terminate() == 0
    assert codes == [0, 0, 0], [simulator.events[-1] for simulator in simulators]
    for simulator in simulators:
        acknowledged = {
            each["source"] for each in simulator.of("mo_answered") if each["status"] == 0
        }
        answers = Counter(each["destination"] for each in simulator.of("mt"))
        assert acknowledged == set(answers)
        assert len(acknowledged) in (MOS // 3, MOS // 3 + 1)
        # Claimed answers are sent once more, a window of them at a kill; nothing a third time.
        assert max(answers.values()) <= 2
        assert sum(count > 1 for count in answers.values()) <= 2 * WINDOW
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as con:
        states = dict(con.execute("SELECT state, count(*) FROM segment GROUP BY state"))
        assert set(states) <= {"accepted", "delivered", "unknown"}
        assert con.execute("SELECT count(*) FROM mo").fetchone() == (MOS,)
