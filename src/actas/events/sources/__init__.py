"""Where identity events come from: one file for each kind of provider."""

from importlib import import_module
from typing import Final

from actas.events.interface import Making, Source
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource

SOURCES: Final = {
    "keycloak": "keycloak",
    "okta": "okta",
    "entra": "entra",
    "auth0": "auth0",
    "google": "google",
    "ssf": "ssf",
    "backchannel-logout": "backchannel_logout",
    "webhook": "webhook",
    "cloudevents": "cloudevents",
}
"""Each kind and its file, whose ``source`` makes one; it is imported when the settings name it."""


def make(settings: EventSource, provider: Provider, making: Making) -> Source:
    """Make the source that *settings* describe, for *provider*; raise an `ActasError` where they lack something."""
    made: Source = import_module(f"actas.events.sources.{SOURCES[settings.kind]}").source(settings, provider, making)
    return made
