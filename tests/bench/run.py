"""`scripts/bench`: what the billing cache, answers and runs of notices cost here, as ratios."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import notices
from figures import (
    FIRST,
    Bench,
    bench,
    fdatasyncs,
    lookups,
    median,
    ms,
    new_folder,
    quantile,
    say,
    write_feed,
)


class Size(NamedTuple):
    few: int  # customers of the cache that is compared with
    many: int
    checks: int  # bill checks one by one
    quiet: int  # answers at 100 a second without an import
    burst: int  # messages at once
    bursts: int


FULL = Size(140_000, 10_000_000, 400, 2_000, 10_000, 5)
QUICK = Size(20_000, 300_000, 100, 500, 2_000, 3)
PHONES = 200
RATE = 100.0
PARTS = ("billing", *notices.PARTS)


def phone(number: int) -> str:
    return f"35988{number:07}"


async def measure(parts: Sequence[str], folder: Path, quick: bool, shuffled: bool) -> None:
    probe(folder, "fdatasync of 4 KB, median")
    for part in parts:
        print()
        place = new_folder(folder / part)
        if part == "billing":
            await billing(QUICK if quick else FULL, place, shuffled)
        else:
            await notices.PARTS[part](notices.QUICK if quick else notices.FULL, place)
    print()
    probe(folder, "fdatasync of 4 KB again, median")


def probe(folder: Path, what: str) -> None:
    disk = fdatasyncs(folder)
    say(what, ms(median(disk)), f"p99 {ms(quantile(disk, 0.99))}")


async def billing(size: Size, folder: Path, shuffled: bool) -> None:
    """The import of many customers, and answers beside it and after it."""
    disk = fdatasyncs(folder)
    async with bench(folder) as one:
        write_feed(folder / "feeds" / "few.csv", size.few, shuffled)
        small = await one.taken("few.csv")
        per_million = small["seconds"] / size.few * 1e6
        say(
            f"import of {size.few:,}", f"{small['seconds']:.1f} s", f"{per_million:.1f} s a million"
        )
        step = size.few // PHONES
        await one.answers(
            [(phone(number), str(FIRST + 1 + number * step)) for number in range(PHONES)], 0
        )
        asking = [(phone(number % PHONES), "smetka") for number in range(size.checks)]
        before = await one.one_by_one(asking)
        found = median(lookups(folder / "data", size.few, 10_000))
        say("bill check, median", ms(median(before)), f"the bills alone {ms(found)}")
        quiet = await one.answers(
            [(phone(number % PHONES), "smetka") for number in range(size.quiet)], RATE
        )
        say("answers at 100 MO/s, p99", ms(quantile(quiet, 0.99)), f"median {ms(median(quiet))}")

        write_feed(folder / "feeds" / "many.csv", size.many, shuffled)
        busy = await during(one, "many.csv")
        large = await one.taken("many.csv")
        print()
        seconds, memory = large["seconds"], large["memory_mb"]
        ratio = seconds / size.many * 1e6 / per_million
        say(f"import of {size.many:,}", f"{seconds:.1f} s", f"{ratio:.2f} times as long a row")
        say("its memory", f"{memory} MB", f"{memory / small['memory_mb']:.2f} times")
        p99 = quantile(busy, 0.99)
        again = p99 / quantile(quiet, 0.99)
        say("answers meanwhile, p99", ms(p99), f"{again:.2f} times; {len(busy)} answers")
        check = median(await one.one_by_one(asking))
        bills = median(lookups(folder / "data", size.many, 10_000))
        write_feed(folder / "feeds" / "few again.csv", size.few, shuffled)
        await one.taken("few again.csv")
        before += await one.one_by_one(asking)  # the machine may have got slower meanwhile
        ratio = check / median(before)
        say("bill check, median", ms(check), f"{ratio:.2f} times as with few; limit 1.5")
        say("the bills alone, median", ms(bills), f"{bills / found:.2f} times")
        print()
        speeds = [await burst(one, size.burst) for _ in range(size.bursts)]
        per_sync = median(speeds) * median(disk)
        say(
            "MO to answer, median", f"{median(speeds):.0f} a second", f"{per_sync:.2f} an fdatasync"
        )


async def during(one: Bench, feed: str) -> list[float]:
    """Seconds to the answers at 100 messages a second until a feed is taken."""
    taken: list[float] = []
    while one.report(feed) is None:
        taken += await one.answers([(phone(number), "smetka") for number in range(PHONES)], RATE)
    return taken


async def burst(one: Bench, count: int) -> float:
    """Answers a second to messages that come as fast as they are taken."""
    began = time.perf_counter()
    await one.answers([(phone(number % PHONES), "smetka") for number in range(count)], 0)
    return count / (time.perf_counter() - began)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, prog="scripts/bench")
    options.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all of them if none"
    )
    options.add_argument("--quick", action="store_true", help="small sizes, some minutes")
    options.add_argument(
        "--shuffled", action="store_true", help="feeds whose lines are in no order"
    )
    chosen = options.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        options.error(f"no part is called {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="smsgw-bench-") as folder:
        parts = chosen.parts or PARTS
        asyncio.run(measure(parts, Path(folder), chosen.quick, chosen.shuffled))


if __name__ == "__main__":
    main()
