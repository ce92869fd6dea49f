"""State that outlives the process: SQLite on one machine, PostgreSQL beyond it.

``await store.open(state_dir)`` gives a `Store`. SQLAlchemy takes the better part of a second to import, so it is
imported there, in a thread, and not with this package.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

if TYPE_CHECKING:
    from actas.store.database import Store

FILE = "state.db"

__all__ = ["FILE", "open"]


async def open(state_dir: Path, *, url: str | None = None) -> "Store":  # noqa: A001 - read as store.open
    """Open the state of this gateway: the file in *state_dir*, or the database at *url*."""
    database = await to_thread.run_sync(import_module, "actas.store.database")
    opened: Store = await database.open_store(state_dir / FILE, url)
    return opened
