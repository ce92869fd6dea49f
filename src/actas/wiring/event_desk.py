"""The desk for events, opened by a command beside the gateway, or where none runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from actas.audit import Audit
from actas.errors import ActasError
from actas.events.desk import Desk
from actas.model import clock
from actas.secrets.resting import FILE, Resting
from actas.settings.reader import Loaded
from actas.wiring import database
from actas.wiring.sources import made


@asynccontextmanager
async def desk(loaded: Loaded, state: Path) -> AsyncIterator[tuple[Desk, dict[str, str]]]:
    """Open it; with it come the sources that cannot be made, and the codes of why."""
    from actas.http.lambda_api import later, telling
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
            others = {later.QUEUE: later.about, telling.QUEUE: telling.about}
            yield Desk(Outbox(store, clock.now, seals=resting), resting, sources, others), broken
    finally:
        for one in sources.values():
            await one.close()
