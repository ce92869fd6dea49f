"""Make sources of events from the settings, with what they need around them."""

import os

from actas.events.interface import Making, Source
from actas.events.sources import make
from actas.identify.fetch import Fetcher
from actas.model import clock
from actas.settings.reader import Loaded
from actas.settings.resolve import resolve
from actas.settings.schema import Settings
from actas.settings.schema_events import EventSource


def made(name: str, source: EventSource, loaded: Loaded, settings: Settings) -> Source:
    """Make one; raise an `ActasError` where its settings lack something."""
    folder, key = loaded.path.parent, f"events.sources.{name}"
    making = Making(
        name=name,
        folder=folder,
        secret=lambda reference: resolve(reference, key=key, folder=folder, environment=os.environ).secret,
        clock=clock.now,
        fetch=Fetcher(base=folder),
        public_url=settings.gateway.public_url,
    )
    return make(source, settings.providers[source.provider], making)
