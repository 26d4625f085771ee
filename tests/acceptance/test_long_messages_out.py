"""The real daemon's long messages and marked messages, as simulated carriers get them."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, closing
from pathlib import Path
from time import time
from typing import Any

import pytest

from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.service.retry import VALIDITY
from smsgw.simulator import Smsc, SmscSettings, Submit
from smsgw.smpp.tables import Tlv
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

PATIENCE = 60.0  # seconds: machines are shared
PHONE = "359888123456"
CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
timezone: {zone}
notices: {{days: all}}
carriers:
{carriers}
http: {{listen: "127.0.0.1:0"}}
"""


@pytest.fixture
def play(tmp_path: Path, noon_zone: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a scenario with the daemon and a carrier for each of the given settings."""

    async def whole(
        ways: Mapping[str, str],
        scenario: Callable[[Mapping[str, Smsc]], Coroutine[Any, Any, None]],
    ) -> None:
        async with AsyncExitStack() as stack:
            smscs = {
                name: await stack.enter_async_context(Smsc(SmscSettings(name=name)))
                for name in ways
            }
            carriers = [
                f"  {name}: {{host: 127.0.0.1, port: {smscs[name].port}, system_id: cez,"
                f" password: secret, {way}}}"
                for name, way in ways.items()
            ]
            config = tmp_path / "smsgw.yaml"
            config.write_text(
                CONFIG.format(
                    data_dir=tmp_path / "data", zone=noon_zone, carriers="\n".join(carriers)
                ),
                encoding="utf-8",
            )
            run(config)
            for smsc in smscs.values():
                await smsc.bound(within=PATIENCE)
            await scenario(smscs)

    return lambda ways, scenario: asyncio.run(whole(ways, scenario))


def joins_by(submit: Submit) -> tuple[int, set[int]]:
    """Its esm_class, and the TLVs that say where its text is, or belongs."""
    return submit.esm_class, {tag for tag, _ in submit.tlvs} & {
        Tlv.MESSAGE_PAYLOAD,
        Tlv.SAR_MSG_REF_NUM,
        Tlv.SAR_TOTAL_SEGMENTS,
        Tlv.SAR_SEGMENT_SEQNUM,
    }


def test_each_carrier_gets_long_messages_as_it_wants_them(play: Callable[..., Any]) -> None:
    async def scenario(smscs: Mapping[str, Smsc]) -> None:
        answers = {}
        for name, smsc in smscs.items():
            smsc.send(PHONE, "помощ")
            answers[name] = await smsc.answer_to(PHONE, within=PATIENCE)
        assert len({answer.text for answer in answers.values()}) == 1
        assert "сметка" in answers["header"].text
        assert {name: answer.parts for name, answer in answers.items()} == {
            "header": 2,
            "tlvs": 2,
            "whole": 1,
        }
        sar = {Tlv.SAR_MSG_REF_NUM, Tlv.SAR_TOTAL_SEGMENTS, Tlv.SAR_SEGMENT_SEQNUM}
        assert {
            name: [joins_by(each) for each in smsc.submits] for name, smsc in smscs.items()
        } == {
            "header": [(0x40, set())] * 2,
            "tlvs": [(0, sar)] * 2,
            "whole": [(0, {Tlv.MESSAGE_PAYLOAD})],
        }
        assert smscs["header"].submits[0].octets[:3] == b"\x06\x08\x04"

    play(
        {
            "header": "long_messages: udh16",
            "tlvs": "long_messages: sar",
            "whole": "long_messages: payload",
        },
        scenario,
    )


KINDS = {
    kind.name.lower(): {
        "service_type": f"T{kind.value}",
        "source": {"address": f"17007{kind.value}"},
        "tlvs": {"0x1401": f"0{kind.value}"},
    }
    for kind in MessageKind
}
MARKS = f"kinds: {json.dumps(KINDS)}"


def test_each_kind_of_message_is_marked_and_valid_as_the_carrier_wants_it(
    play: Callable[..., Any], tmp_path: Path
) -> None:
    made = time()

    async def scenario(smscs: Mapping[str, Smsc]) -> None:
        with closing(open_gateway(tmp_path / "data")) as con, transaction(con):
            messages = [
                Mt(name, kind, Msisdn(f"35988812345{kind.value}"), "x", made)
                for name in smscs
                for kind in MessageKind
            ]
            enqueue(con, messages, {}, made)
        for smsc in smscs.values():
            for kind in MessageKind:
                await smsc.answer_to(f"35988812345{kind.value}", within=PATIENCE)
            submits = {submit.destination[-1]: submit for submit in smsc.submits}
            assert {
                number: (each.service_type, each.source, each.tlvs)
                for number, each in submits.items()
            } == {
                str(kind.value): (
                    f"T{kind.value}",
                    f"17007{kind.value}",
                    ((0x1401, bytes([kind.value])),),
                )
                for kind in MessageKind
            }
            for kind in MessageKind:
                submit = submits[str(kind.value)]
                if smsc is smscs["silent"]:
                    assert submit.validity_period == ""
                else:
                    assert submit.valid_until == pytest.approx(made + VALIDITY[kind], abs=PATIENCE)
        assert {submit.validity_period[-1] for submit in smscs["relative"].submits} == {"R"}
        assert {submit.validity_period[-1] for submit in smscs["absolute"].submits} <= {"+", "-"}

    play(
        {
            "relative": MARKS,
            "absolute": f"validity: absolute, {MARKS}",
            "silent": f"validity: none, {MARKS}",
        },
        scenario,
    )
