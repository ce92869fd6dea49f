"""A gateway's trail under load, to be killed: prints each call once its decision was acknowledged.

Run as ``python killed_gateway.py STATE_FOLDER FIRST_CALL``; it runs until it is killed.
"""

import os
import sys
from itertools import count
from pathlib import Path

import anyio

from actas.audit import Audit
from actas.model import clock
from actas.model.record import Decided, Ended
from actas.settings.schema import Audit as Settings
from actas.settings.schema import Jsonl
from actas.settings.values import Size, Span

CALLERS = 64


def decision(number):
    now = clock.now()
    return Decided(
        call=f"{number:026d}",
        at=now,
        received_at=now,
        identified_us=1,
        decided_us=2,
        door="http",
        provider="corp",
        subject="p" + "a" * 26,
        actors=(),
        kind="human",
        evidence="bearer",
        evidence_id="e" * 43,
        function="report",
        qualifier="$LATEST",
        route=None,
        verdict="allow",
        role=None,
        rules=("everybody",),
        reasons=("allowed",),
        generation="g" * 16,
    )


async def main(state, first):
    numbers = count(first)
    # Small segments and frequent checkpoints, so that kills also hit their turns.
    settings = Settings(jsonl=Jsonl(segment=Size(200_000), checkpoint=Span.read("1s")), reserve=Size(0))
    audit = Audit(settings, state)
    await audit.open()

    async def caller():
        for number in numbers:
            record = decision(number)
            await audit.decided(record)
            os.write(1, f"{record.call}\n".encode())
            if number % 7:
                audit.ended(Ended(call=record.call, at=clock.now(), outcome="answered"))

    async with anyio.create_task_group() as tasks:
        await tasks.start(audit.run)
        for _ in range(CALLERS):
            tasks.start_soon(caller)


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]), backend_options={"use_uvloop": True})
