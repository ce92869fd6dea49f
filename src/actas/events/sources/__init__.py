"""Where identity events come from: one file for each kind of provider, each switched on by one visible line."""

from actas.events.interface import Making, Source
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource


def source(settings: EventSource, provider: Provider, making: Making) -> Source:
    """Make the source that *settings* describe, or raise `SourceIncomplete`."""
    from actas.events.sources import (  # a gateway without events does without them
        auth0,
        backchannel_logout,
        cloudevents,
        entra,
        google,
        keycloak,
        okta,
        ssf,
        webhook,
    )

    match settings.kind:
        case "keycloak":
            return keycloak.source(settings, provider, making)
        case "okta":
            return okta.source(settings, provider, making)
        case "entra":
            return entra.source(settings, provider, making)
        case "auth0":
            return auth0.source(settings, provider, making)
        case "google":
            return google.source(settings, provider, making)
        case "ssf":
            return ssf.source(settings, provider, making)
        case "backchannel-logout":
            return backchannel_logout.source(settings, provider, making)
        case "webhook":
            return webhook.source(settings, provider, making)
        case "cloudevents":
            return cloudevents.source(settings, provider, making)
