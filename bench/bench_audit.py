"""Keep two records a call, the first awaited durable, beside a log file and a database that promise less or as much.

    python bench/bench_audit.py [--calls N] [--rounds N] [FOLDER]

FOLDER must lie on a real disk (a memory file system syncs for nothing). Rounds are interleaved, the median is told.
CPU time is this process's, of all its threads.
"""

import argparse
import asyncio
import json
import logging
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import uvloop

from actas.audit import read, records, segments
from actas.audit.checkpoints import Keys
from actas.audit.sinks.jsonl import Jsonl
from actas.audit.writer import Writer
from actas.model import clock
from actas.model.record import Decided, Ended

RESULTS = Path(__file__).parent / "results" / "audit.json"
CALLERS = (1, 8, 64, 512)


def call(number):
    """Make the two records of a call, as long as real ones are."""
    now = clock.now()
    decided = Decided(
        call=f"01JB{number:022d}",
        at=now,
        received_at=now,
        identified_us=41,
        decided_us=57,
        door="http",
        provider="corp",
        subject="p5ard6qwzubuza52ku4xorvxh7i",
        actors=(),
        kind="human",
        evidence="bearer",
        evidence_id="3q2-7wQkP0b1Yw6y1mVx1n3hH0Jc2o5Qm9m3T4c8b7A",
        function="report",
        qualifier="$LATEST",
        route=None,
        verdict="allow",
        role="finance-reader",
        rules=("finance-reads-reports",),
        reasons=("group-member", "within-hours"),
        generation="5f1d0c7a9b3e2d48",
        trace="0af7651916cd43dd8448eb211c80319c",
    )
    return decided, Ended(call=decided.call, at=now, outcome="answered", took_us=812)


async def trail(folder, callers, calls):
    """Keep *calls* calls in a chained trail; give seconds, CPU seconds and batches."""
    keys = Keys(folder / "keys.json")
    keys.rotate(clock.now())
    sink = Jsonl(folder / "audit", segment=64 << 20, reserve=1 << 20, signer=keys)
    sink.open(clock.now())
    writer = Writer(sink, clock=clock.now)
    numbers = iter([call(number) for number in range(calls)])

    async def caller():
        for decided, ended in numbers:
            await writer.decided(decided)
            writer.ended(ended)

    async with anyio.create_task_group() as tasks:
        await tasks.start(writer.run)
        start, cpu = time.perf_counter(), time.process_time()
        async with anyio.create_task_group() as group:
            for _ in range(callers):
                group.start_soon(caller)
        took, used = time.perf_counter() - start, time.process_time() - cpu
        tasks.cancel_scope.cancel()
    sink.close()
    return {"seconds": took, "cpu": used, "batches": writer.batches}


async def own_cost(folder, calls):
    """Measure what the event loop spends in a caller's own code: to hand over both records, and to wake it again."""
    keys = Keys(folder / "keys.json")
    keys.rotate(clock.now())
    sink = Jsonl(folder / "audit", segment=1 << 30, reserve=1 << 20, signer=keys)
    sink.open(clock.now())
    writer = Writer(sink, clock=clock.now)
    pairs = [call(number) for number in range(calls)]
    async with anyio.create_task_group() as tasks:
        await tasks.start(writer.run)
        waiting = []
        start = time.perf_counter()
        for decided, ended in pairs:
            waits = writer.decided(decided)
            waits.send(None)
            waiting.append(waits)
            writer.ended(ended)
        handed = time.perf_counter() - start
        while writer.kept < 2 * calls:  # noqa: ASYNC110 - the disk is not ours to be told by
            await asyncio.sleep(0.01)
        start = time.perf_counter()
        for waits in waiting:
            try:
                waits.send(None)
            except StopIteration:
                continue
        woken = time.perf_counter() - start
        tasks.cancel_scope.cancel()
    sink.close()
    return (handed + woken) / calls * 1e6


def log_file(folder, calls):
    """Write the same with the standard library's logging: no chain, no sync, nobody waits."""
    logger = logging.getLogger("bench")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler(folder / "log")
    logger.addHandler(handler)
    pairs = [call(number) for number in range(calls)]
    start, cpu = time.perf_counter(), time.process_time()
    for pair in pairs:
        for record in pair:
            logger.info("%s", records.encode(record).decode())
    took, used = time.perf_counter() - start, time.process_time() - cpu
    logger.removeHandler(handler)
    handler.close()
    return {"seconds": took, "cpu": used}


def database(folder, calls):
    """Write the same into SQLite, one durable commit a call, in one thread: no chain."""
    connection = sqlite3.connect(folder / "audit.db", isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    connection.execute("create table trail (seq integer primary key, record blob)")
    pairs = [call(number) for number in range(calls)]
    start, cpu = time.perf_counter(), time.process_time()
    for pair in pairs:
        connection.execute("begin immediate")
        for record in pair:
            connection.execute("insert into trail (record) values (?)", (records.encode(record),))
        connection.execute("commit")
    took, used = time.perf_counter() - start, time.process_time() - cpu
    connection.close()
    return {"seconds": took, "cpu": used}


def bare(folder, calls):
    """Write as many bytes as one call's records and sync them, again and again: the disk's own floor."""
    text = b"x" * 1112
    handle = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        os.write(handle, text)
        os.fdatasync(handle)
    took, used = time.perf_counter() - start, time.process_time() - cpu
    os.close(handle)
    return {"seconds": took, "cpu": used}


def measured(run, calls):
    """Give rates from one round."""
    found = run()
    rates = {"records_a_second": 2 * calls / found["seconds"], "cpu_us_a_call": found["cpu"] / calls * 1e6}
    if "batches" in found:
        rates["records_a_batch"] = 2 * calls / found["batches"]
    return rates


def verified(folder, calls):
    """Measure how fast a trail is proved, and a restart."""
    uvloop.run(trail(folder, 64, calls))
    start = time.perf_counter()
    report = read.verify_folder(folder / "audit")
    took = time.perf_counter() - start
    if not report.holds:
        raise SystemExit("the trail does not hold")
    start = time.perf_counter()
    segments.read_tail(segments.listed(folder / "audit")[-1])
    return {
        "records_verified_a_second": report.records / took,
        "bytes_a_record": sum(path.stat().st_size for path in segments.listed(folder / "audit")) / report.records,
        "records_reread_at_a_start_a_second": report.records / (time.perf_counter() - start),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="/var/tmp")
    parser.add_argument("--calls", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    cases = {
        f"actas, {callers} callers": (
            lambda folder, calls, callers=callers: uvloop.run(trail(folder, callers, calls)),
            min(asked.calls, callers * 400),
        )
        for callers in CALLERS
    }
    cases["logging to a file, nothing durable"] = (log_file, asked.calls)
    cases["the disk alone, a sync a call"] = (bare, 400)
    cases["SQLite, a commit a call"] = (database, min(asked.calls, 2000))
    found = {name: [] for name in cases}
    own = []
    for _ in range(asked.rounds):
        for name, (run, calls) in cases.items():
            with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
                found[name].append(measured(lambda run=run, calls=calls, where=Path(folder): run(where, calls), calls))
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            own.append(uvloop.run(own_cost(Path(folder), 4000)))
    medians = {
        name: {key: round(statistics.median(one[key] for one in rounds), 1) for key in rounds[0]}
        for name, rounds in found.items()
    }
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        proved = {key: round(value) for key, value in verified(Path(folder), 4 * asked.calls).items()}
    for name, rates in medians.items():
        batch = f"  {rates['records_a_batch']:7.1f} records a batch" if "records_a_batch" in rates else ""
        print(
            f"{name:36} {rates['records_a_second']:9,.0f} records/s  {rates['cpu_us_a_call']:7.1f} us CPU a call{batch}"
        )
    own_name = "a caller's own work, both records"
    print(f"{own_name:36} {statistics.median(own):9.2f} us")
    for name, value in proved.items():
        print(f"{name.replace('_', ' '):36} {value:9,}")
    at_64 = medians["actas, 64 callers"]
    ratios = {
        "records/s: actas at 1 caller / the disk alone": medians["actas, 1 callers"]["records_a_second"]
        / medians["the disk alone, a sync a call"]["records_a_second"],
        "records/s: actas at 64 callers / SQLite": at_64["records_a_second"]
        / medians["SQLite, a commit a call"]["records_a_second"],
        "CPU a call: actas at 64 callers / logging": at_64["cpu_us_a_call"]
        / medians["logging to a file, nothing durable"]["cpu_us_a_call"],
    }
    for name, ratio in ratios.items():
        print(f"{name:46} {ratio:5.2f} x")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
                "date": clock.now().date().isoformat(),
                "rounds": asked.rounds,
                "calls_a_round": {name: calls for name, (_, calls) in cases.items()},
                "medians": medians,
                "callers_own_us": round(statistics.median(own), 2),
                "proof": proved,
                "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
