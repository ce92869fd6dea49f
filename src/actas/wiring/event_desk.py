"""The desk for events, opened by a command beside the gateway, or where none runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from actas.audit import Audit
from actas.errors import ActasError
from actas.events.desk import About, Desk
from actas.model import clock
from actas.secrets.resting import FILE, Resting
from actas.settings.reader import Loaded
from actas.wiring import database
from actas.wiring.sources import made


def others() -> Mapping[str, About]:
    """Say which other queues have dead letters, and what tells what lies in them."""
    from actas.http.lambda_api import later, telling

    return {later.QUEUE: later.about, telling.QUEUE: telling.about}


@asynccontextmanager
async def desk(loaded: Loaded, state: Path) -> AsyncIterator[tuple[Desk, dict[str, str]]]:
    """Open it; with it come the sources that cannot be made, and the codes of why."""
    from actas.store.outbox import Outbox

    settings = loaded.usable()
    audit = Audit(settings.audit, state, base=loaded.path.parent, database=database.url(loaded, settings))
    resting = Resting(state / FILE, clock.now)
    sources, broken = {}, {}
    for name, source in settings.events.sources.items():
        try:
            sources[name] = made(name, source, loaded, settings)
        except ActasError as wrong:
            broken[name] = wrong.code
    try:
        async with audit.attended() as store:
            outbox = Outbox(store, clock.now, seals=resting)
            yield Desk(outbox, resting, sources, others(), keep=settings.events.keep.time), broken
    finally:
        for one in sources.values():
            await one.close()
