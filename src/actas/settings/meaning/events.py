"""Check ``events`` and ``on``: that what they name is there, and that a rule grants what a subscription asks for."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from actas.settings.meaning.functions import backend
from actas.settings.meaning.gateway import span
from actas.settings.meaning.targets import named, targets
from actas.settings.meaning.view import View
from actas.settings.mistakes import nearest
from actas.settings.positions import Path
from actas.settings.schema import Rule, Texts, many
from actas.settings.schema_events import ENDING, EVENT_FACTS, EVENT_KINDS, SAYS_WHO, WHERE_FACTS, EventSource, On
from actas.settings.secrecy import quoted

_DAY = 86400


def check(view: View) -> None:
    """Check sources and subscriptions."""
    span(view, ("events", "keep"), view.settings.events.keep, least=_DAY, most=366 * _DAY)
    span(view, ("events", "remember"), view.settings.events.remember, least=_DAY, most=3660 * _DAY)
    for name, source in view.settings.events.sources.items():
        path: Path = ("events", "sources", name)
        _among(
            view,
            (*path, "provider"),
            source.provider,
            _Choice(known=view.names("providers"), what="provider", code="settings.no-such-provider"),
        )
        span(view, (*path, "every"), source.every, least=1, most=3600)
        for where, kind in _each(source.ends, (*path, "ends")):
            _among(view, where, kind, _Choice(known=ENDING, what="kind of event that ends access"))
        _matched(view, path, source)
        if name in view.names("providers"):
            message = f"{name} is the name of a provider too; rules could not tell the two apart"
            view.report("settings.source-named-provider", path, message, "Give the source another name.", at="key")
    for place, on in enumerate(view.settings.on):
        _subscription(view, ("on", place), on)
    for name, role in view.settings.roles.items():
        if role.cut is not None:
            path = ("roles", name, "cut")
            for where, kind in _each(role.cut.on, (*path, "on")):
                _among(view, where, kind, _Choice(known=ENDING, what="kind of event that ends access"))
            if not view.names("sources"):
                message = "there is no source of events, so nothing is ever cut"
                view.warn("settings.no-effect", path, message, "Add one to events.sources, or remove cut.", at="key")


def _matched(view: View, path: Path, source: EventSource) -> None:
    """Warn where a source takes away the access of people whom its provider's tokens name otherwise."""
    provider = view.settings.providers.get(source.provider)
    facts = None if provider is None else view.around.presets.get(provider.preset)
    if provider is None or facts is None or not many(source.ends) or source.kind in SAYS_WHO or provider.address:
        return
    read = provider.subject or facts.subject
    if facts.event_subject is None:
        why = "its assertions name people in a way that no event does"
        hint = f"Keep the sessions of {source.provider}'s callers short, or write ends: [] if that is meant."
    elif read != facts.event_subject:
        why = f"its events name people by {facts.event_subject}, and its tokens are read by {read}"
        hint = f"Remove subject from providers.{source.provider}, or write ends: [] if that is meant."
    else:
        return
    message = f"revocation: expiry only for callers of {source.provider}: {why}"
    view.warn("settings.expiry-only", (*path, "provider"), message, hint)


def _subscription(view: View, path: Path, on: On) -> None:
    for place, kind in _each(on.event, (*path, "event")):
        _among(view, place, kind, _Choice(known=EVENT_KINDS, what="kind of event"))
    if not many(on.event):
        message = "on has an empty list in event"
        view.report("settings.empty-list", (*path, "event"), message, "Name at least one, or remove the entry.")
    for key, value in on.where.items():
        where: Path = (*path, "where", key)
        _among(view, where, key, _Choice(known=WHERE_FACTS, what="fact to ask for", at="key"))
        if key == "source":
            for place, source in _each(value, where):
                _among(
                    view,
                    place,
                    source,
                    _Choice(known=view.names("sources"), what="source", code="settings.no-such-source"),
                )
    for number, fact in enumerate(on.payload):
        _among(view, (*path, "payload", number), fact, _Choice(known=EVENT_FACTS, what="fact"))
    if on.as_ is not None:
        _among(
            view, (*path, "as"), on.as_, _Choice(known=view.names("roles"), what="role", code="settings.no-such-role")
        )
    if not view.names("sources"):
        message = "there is no source of events, so nothing ever runs it"
        view.warn("settings.no-effect", path, message, "Add one to events.sources, or remove the entry.")
    if _among(
        view,
        (*path, "run"),
        on.run,
        _Choice(known=view.names("functions"), what="function", code="settings.names-nothing"),
    ):
        _granted(view, path, on)


def _granted(view: View, path: Path, on: On) -> None:
    """Report a subscription that no rule lets run: it would only fill the dead letters."""
    function = view.settings.functions.get(on.run)
    if function is None or any(spoiled[:1] == ("rules",) for spoiled in view.sketch.spoiled):
        return
    if backend(function) == "http":
        message = f"{on.run} runs on http, which knows routes only: an event has none"
        view.report("settings.event-without-route", (*path, "run"), message, "Name a function of another kind.")
        return
    asked = many(on.where.get("source")) or tuple(sorted(view.names("sources")))
    for source in asked:
        if source in view.names("sources") and not any(_lets(view, rule, on, source) for _, rule in view.rules()):
            role = "" if on.as_ is None else f" as {on.as_}"
            message = f"no rule lets {source} run {on.run}{role}"
            give = "" if on.as_ is None else f", as: {on.as_}"
            hint = f"Add a rule: who: {{provider: {source}, kind: service}}, may: [{on.run}]{give}."
            view.report("settings.event-ungranted", (*path, "run"), message, hint)


def _lets(view: View, rule: Rule, on: On, source: str) -> bool:
    """Tell whether *rule* can allow it: a source has no groups, roles, scopes or clients, and nobody else's name."""
    who = rule.who
    asks = (who.groups, who.roles, who.scopes, who.subjects, who.clients, who.tenants)
    if rule.may is None or any(one is not None for one in asks):
        return False
    if who.provider is not None and source not in many(who.provider):
        return False
    if who.kind is not None and "service" not in many(who.kind):
        return False
    if on.as_ is not None and on.as_ not in many(rule.as_):
        return False
    everything = targets(view.settings, ())
    return any(on.run in named(pattern, everything) for pattern in many(rule.may))


def _each(value: Texts | None, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    else:
        for place, text in enumerate(value or ()):
            yield (*path, place), text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What a text can be."""

    known: Collection[str]
    what: str
    code: str = "settings.wrong-value"
    at: str = "value"


def _among(view: View, path: Path, text: str, choice: _Choice) -> bool:
    """Report a text that is not among those it can be; tell whether it is."""
    known, what, code, at = choice.known, choice.what, choice.code, choice.at
    if text in known:
        return True
    near = nearest(text, known)
    options = ", ".join(sorted(known)[:16])
    hint = f"Write {near}." if near else f"Use one of: {options}." if options else f"Add the {what} first."
    view.report(code, path, f"there is no {what} {quoted(text)}", hint, nearest=near, at=at)
    return False
