"""Read the settings and check them against all that this build has: presets, policies, admin actions."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from actas.audit.errors import AuditError
from actas.audit.officers import read_public
from actas.decide.compiled import role_of
from actas.decide.targets import ADMIN_ACTIONS
from actas.decide.trust import Trust
from actas.identify.presets import names as presets
from actas.identify.requirements import requirements
from actas.identify.told import preset_facts
from actas.model.secret import Secret
from actas.settings import checks
from actas.settings.checks import Surroundings
from actas.settings.mistakes import Mistake
from actas.settings.reader import Loaded, read
from actas.settings.resolve import check_secrets, resolve
from actas.settings.schema import Settings
from actas.wiring import database


def load(
    path: Path, *, weak: bool = False, today: date | None = None, isolation: Literal["weak"] | None = None
) -> Loaded:
    """Read and check the settings at *path*; what is wrong is in what comes back.

    *isolation* stands for what the file says of it: `up` has it weak where the machine allows nothing better.
    """
    around = Surroundings(presets=preset_facts(), admin_actions=ADMIN_ACTIONS, weak_isolation=weak, today=today)
    loaded = check_secrets(checks.check(read(path), around))
    loaded = loaded.with_others(
        (*_providers(loaded), *_officers(loaded), *_trusted(loaded), *database.mistakes(loaded))
    )
    if isolation is None or loaded.settings is None:
        return loaded
    gateway = msgspec.structs.replace(loaded.settings.gateway, isolation=isolation)
    return replace(loaded, settings=msgspec.structs.replace(loaded.settings, gateway=gateway))


def _providers(loaded: Loaded) -> tuple[Mistake, ...]:
    """Ask `identify` what each provider's settings lack."""
    if loaded.sketch is None:
        return ()
    return tuple(
        loaded.source.mistake(
            "settings.provider-incomplete", ("providers", name, one.key), f"{one.key} {one.message}", one.hint
        )
        for name, provider in loaded.sketch.settings.providers.items()
        if provider.preset in presets() and not loaded.sketch.is_spoiled(("providers", name))
        for one in requirements(provider)
    )


def _officers(loaded: Loaded) -> tuple[Mistake, ...]:
    """Read the officers' keys; say where there are too few for anybody ever to be unmasked."""
    if loaded.sketch is None:
        return ()
    listed = loaded.sketch.settings.audit.officers
    found: list[Mistake] = []
    for place, file in enumerate(listed):
        try:
            read_public(loaded.locate(file))
        except AuditError as wrong:
            found.append(
                loaded.source.mistake("settings.bad-officer", ("audit", "officers", place), str(wrong), wrong.hint)
            )
    if len(listed) == 1:
        message = "one officer alone can unmask nobody; it takes two"
        hint = "Make another with `actas audit officer`, and list both public keys."
        found.append(
            loaded.source.mistake("settings.too-few-officers", ("audit", "officers"), message, hint, severity="warning")
        )
    return tuple(found)


def _trusted(loaded: Loaded) -> tuple[Mistake, ...]:
    """Ask `decide` which trust policies rest on what this gateway cannot see, or let nobody in."""
    if loaded.broken or loaded.settings is None:  # what is wrong with a policy itself has been said
        return ()
    found: list[Mistake] = []
    texts = trusts(loaded, loaded.settings)
    for name, text in texts.items():
        path = ("roles", name, "trust")
        trust = Trust(role_of(name, loaded.settings.roles[name], None, text), loaded.settings)
        for key in trust.blind():
            message = f"the trust policy of {name} looks at {key}, which this gateway cannot see"
            hint = "Use a key of docs/rules/trust.md: an Allow that rests on another lets nobody in."
            found.append(loaded.source.mistake("settings.trust-blind", path, message, hint, severity="warning"))
        if trust.names_nobody():
            message = f"the trust policy of {name} names neither this gateway nor the issuer of a provider"
            hint = "Name one as Federated, as docs/rules/trust.md shows; until then nobody takes the role."
            found.append(loaded.source.mistake("settings.trust-nobody", path, message, hint, severity="warning"))
    return tuple(found)


def policies(loaded: Loaded, settings: Settings) -> dict[str, str]:
    """Give the text of each role's policy file."""
    return _texts(loaded, {name: role.policy for name, role in settings.roles.items()})


def trusts(loaded: Loaded, settings: Settings) -> dict[str, str]:
    """Give the text of each role's trust policy file."""
    return _texts(loaded, {name: role.trust for name, role in settings.roles.items()})


def managed(loaded: Loaded, settings: Settings) -> dict[str, str]:
    """Give the text of each policy that may be passed by its ARN."""
    return _texts(loaded, dict(settings.policies))


def _texts(loaded: Loaded, files: Mapping[str, str | None]) -> dict[str, str]:
    return {name: (loaded.content(file) or b"").decode() for name, file in files.items() if file is not None}


def environment(loaded: Loaded, settings: Settings, function: str) -> dict[str, Secret | str]:
    """Fetch what a function's environment holds; secrets come from where the settings point."""
    folder = loaded.path.parent
    return {
        name: value
        if isinstance(value, str)
        else resolve(
            value, key=f"functions.{function}.environment.{name}", folder=folder, environment=os.environ
        ).secret
        for name, value in settings.functions[function].environment.items()
    }
