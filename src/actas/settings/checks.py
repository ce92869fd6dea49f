"""Check what the settings mean, after `reader` has seen that they have the right shape.

The checks are pure but for the file names they compare; everything they are told stands in `Surroundings`.
"""

from collections.abc import Callable
from typing import Final

from actas.settings.meaning import (
    absence,
    asynchronous,
    brokers,
    circumstances,
    events,
    files,
    functions,
    gateway,
    house,
    keyfiles,
    matching,
    providers,
    roles,
    routes,
    rules,
    saml,
    shadows,
    sources,
)
from actas.settings.meaning.view import FACTS, PresetFacts, Surroundings, View
from actas.settings.reader import Loaded

__all__ = ["CHECKS", "FACTS", "PresetFacts", "Surroundings", "check"]

CHECKS: Final[tuple[Callable[[View], None], ...]] = (
    gateway.check,
    files.check,
    providers.check,
    keyfiles.check,
    functions.check,
    asynchronous.check,
    routes.check,
    roles.check,
    brokers.check,
    rules.check,
    rules.check_lambda,
    saml.check,
    circumstances.check,
    matching.check,
    shadows.check,
    absence.check,
    events.check,
    sources.check,
    house.check,
)


def check(loaded: Loaded, around: Surroundings) -> Loaded:
    """Add to *loaded* every mistake in what it means; where its shape has mistakes too, as far as it can be read."""
    if loaded.sketch is None:
        return loaded
    view = View(loaded=loaded, sketch=loaded.sketch, around=around)
    for one in CHECKS:
        one(view)
    return loaded.with_mistakes(tuple(view.found))
