"""Check each source of events: that it has what its kind cannot do without, and nothing that its kind knows not."""

from typing import Final

from actas.settings.meaning.addresses import is_loopback, is_private, url
from actas.settings.meaning.gateway import span
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import Provider
from actas.settings.schema_events import EventSource

_DAY: Final = 86400
KNOWS: Final = {
    "keycloak": frozenset({"client", "secret", "audience", "overlap"}),
    "okta": frozenset({"client", "token", "secret", "header", "overlap"}),
    "entra": frozenset({"client", "secret", "logs", "overlap"}),
    "auth0": frozenset({"client", "secret", "header", "overlap"}),
    "google": frozenset({"client", "overlap"}),
    "ssf": frozenset(
        {"client", "token", "secret", "header", "keys", "audience", "transmitter", "delivery", "subjects"}
    ),
    "backchannel-logout": frozenset({"audience", "keys"}),
    "webhook": frozenset({"secret", "header", "signature", "keys", "fields"}),
    "cloudevents": frozenset({"secret", "header", "signature", "keys", "fields"}),
}
"""What each kind reads, beside what all do."""
NEEDS: Final = {
    "keycloak": (("client", "secret", "audience"),),
    "okta": (("client", "token", "secret"),),
    "entra": (("client",),),
    "auth0": (("client", "secret"),),
    "google": (("client",),),
    "ssf": (("audience",),),
    "backchannel-logout": (("audience",),),
    "webhook": (("secret", "keys"),),
    "cloudevents": (("secret", "keys"),),
}
"""What each kind needs: of each group at least one."""
_HINTS: Final = {
    "client": "client: {id: …, secret: {env: NAME}}",
    "secret": "secret: {env: NAME}",
    "token": "token: {env: NAME}",
    "audience": "audience: …",
    "keys": "keys: {file: …}",
}


def check(view: View) -> None:
    """Check every source."""
    for name, source in view.settings.events.sources.items():
        path: Path = ("events", "sources", name)
        _needed(view, path, source)
        _known(view, path, source)
        provider = view.settings.providers.get(source.provider)
        _urls(view, path, source, provider)
        if provider is not None:
            _whom(view, path, source, provider)
        _signature(view, path, source)
        span(view, (*path, "oldest"), source.oldest, least=60, most=366 * _DAY)
        if source.oldest.time > view.settings.events.keep.time:
            message = f"oldest is longer than events.keep ({view.settings.events.keep}): what is forgotten counts anew"
            view.report("settings.out-of-range", (*path, "oldest"), message, "Make oldest shorter, or keep longer.")
        span(view, (*path, "overlap"), source.overlap, least=0, most=_DAY)


def _whom(view: View, path: Path, source: EventSource, provider: Provider) -> None:
    """See that whom the source speaks of can be found."""
    if source.kind == "entra" and provider.tenants is not None:
        message = "a source of kind entra reads one tenant, and the provider takes several"
        hint = "Give each tenant a provider and a source of its own."
        view.report("settings.source-incomplete", (*path, "provider"), message, hint)
    named = source.fields is not None and source.fields.address is not None
    if named and provider.address is None and source.unmatched == "nobody":
        message = f"address ends nobody's access: providers.{source.provider} does not say where people's addresses are"
        hint = f"Add address: email to providers.{source.provider}, where an address is one person's for good."
        view.warn("settings.no-effect", (*path, "fields", "address"), message, hint, at="key")


def _needed(view: View, path: Path, source: EventSource) -> None:
    for group in NEEDS[source.kind]:
        if not any(getattr(source, key) not in (None, ()) for key in group):
            message = f"a source of kind {source.kind} needs {' or '.join(group)}"
            hint = f"Add {' or '.join(_HINTS[key] for key in group)}; docs/sources/{source.kind}.md says how to get it."
            view.report("settings.source-incomplete", path, message, hint, at="key")
    if source.kind == "google" and source.client is not None and source.client.admin is None:
        message, hint = "a source of kind google needs the administrator in whose name it reads", "Add admin to client."
        view.report("settings.source-incomplete", (*path, "client"), message, hint, at="key")
    if source.kind == "ssf" and source.delivery == "poll" and source.token is None and source.client is None:
        message = "a source that polls needs a token or a client"
        view.report("settings.source-incomplete", path, message, f"Add {_HINTS['token']}.", at="key")
    if source.kind == "ssf" and source.client is not None and source.client.token_url is None:
        message, hint = "a client of a transmitter has to say where it gets its token", "Add token_url to client."
        view.report("settings.source-incomplete", (*path, "client"), message, hint, at="key")


def _known(view: View, path: Path, source: EventSource) -> None:
    """Warn of keys that a source of this kind does not look at."""
    every = set().union(*KNOWS.values())
    for key in sorted(every - KNOWS[source.kind]):
        if view.says(*path, key):
            message = f"{key} has no effect on a source of kind {source.kind}"
            view.warn("settings.no-effect", (*path, key), message, f"Remove {key}.", at="key")
    if view.says(*path, "signature") and source.keys is not None:
        message = "signature has no effect where deliveries are signed by keys"
        view.warn("settings.no-effect", (*path, "signature"), message, "Remove signature or keys.", at="key")
    if view.says(*path, "header") and source.signature is not None:
        message = "header has no effect where deliveries are signed"
        view.warn("settings.no-effect", (*path, "header"), message, "Remove header.", at="key")


def _urls(view: View, path: Path, source: EventSource, provider: Provider | None) -> None:
    private = provider is not None and provider.private
    client = source.client
    places = {(*path, "transmitter"): source.transmitter}
    if client is not None:
        places |= {(*path, "client", key): getattr(client, key) for key in ("url", "token_url")}
    for where, text in places.items():
        if text is None:
            continue
        read = url(text)
        if isinstance(read, str):
            view.report("settings.bad-url", where, f"{where[-1]} {read}", "Give its https URL.")
        elif read.scheme != "https" and not (private or is_loopback(read.host)):
            message = f"{where[-1]} is not https: whoever is on the way could read and change what is said"
            view.report("settings.insecure-url", where, message, "Write https://.")
        elif is_private(read.host) and not private:
            hint = f"Add private: true to providers.{source.provider} if that is meant."
            view.report("settings.private-address", where, f"{where[-1]} is at a private address", hint)


def _signature(view: View, path: Path, source: EventSource) -> None:
    how = source.signature
    if how is None:
        return
    where = (*path, "signature")
    span(view, (*where, "tolerance"), how.tolerance, least=1, most=_DAY)
    if how.signed.count("{body}") != 1 or how.signed.count("{timestamp}") > 1:
        message = "signed has to have {body} once, and may have {timestamp} once"
        view.report("settings.wrong-value", (*where, "signed"), message, 'Write "{body}" or "{timestamp}.{body}".')
    elif ("{timestamp}" in how.signed) != (how.timestamp is not None):
        message = "a time of signing counts only where it is in a header and is signed too"
        hint = 'Write timestamp: X-Time and signed: "{timestamp}.{body}", or neither.'
        view.report("settings.wrong-value", where, message, hint, at="key")
    elif how.timestamp is None:
        message = "no time is signed, so what was sent once can be sent again until its event is too old"
        hint = "Where the sender can sign the time too, add timestamp and signed."
        view.warn("settings.replayable", where, message, hint, at="key")
