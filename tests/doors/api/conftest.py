"""What the tests of the API share."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from doors.bench import Bench, bench

Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Plays a scenario on a new gateway."""

    def played(scenario: Scenario, more: str = "") -> None:
        async def within() -> None:
            async with bench(tmp_path, more) as one:
                await scenario(one)

        asyncio.run(within())

    return played
