"""What the SAML commands share: the settings, a provider as the gateway knows it, and documents from files."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs

from actas import saml
from actas.cli import asking
from actas.cli.errors import BadFile
from actas.cli.places import Here
from actas.identify.fetch import Fetcher
from actas.identify.generation import Edges
from actas.identify.saml_aws import PREFIX
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_preset import NAME_ID
from actas.identify.saml_profile import SamlProfile
from actas.identify.saml_verifier import SamlProviders
from actas.model import clock
from actas.secrets.saml_keys import SamlKeys

KEYS = Path("keys") / "saml.json"
_MOST = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlAsked:
    """The rules to ask, the SAML providers, and our own keys as they are on disk."""

    asked: asking.Asked
    providers: SamlProviders
    keys: SamlKeys


def ask(place: Here) -> SamlAsked:
    """Read the settings; our own keys are read where there are any, and not made."""
    asked = asking.ask(place)
    gateway = asked.settings.gateway
    control_url = gateway.control_url
    keys = SamlKeys(place.state / KEYS, name=control_url, every=gateway.saml_keys.time)
    keys.refresh()
    edges = SamlEdges(control_url=control_url, decryption_keys=lambda: tuple(one.private for one in keys.keys))
    base = asked.loaded.path.parent
    outside = Edges(fetch=Fetcher(base=base), clock=clock.now, base=base)
    providers = SamlProviders(asked.settings.providers, edges, outside, before=None)
    return SamlAsked(asked=asked, providers=providers, keys=keys)


def read_document(file: Path) -> bytes:
    """Read XML as it is, in base64, or as the form of a browser that carries it; ``-`` is standard input."""
    try:
        raw = sys.stdin.buffer.read(_MOST * 4) if str(file) == "-" else file.read_bytes()
    except OSError as wrong:
        raise BadFile(file=file, why=wrong.strerror or "it cannot be read") from wrong
    text = raw.strip()
    if text.startswith((b"<", b"\xef\xbb\xbf")):
        return raw.strip(b" \t\r\n")
    if text.startswith((b"SAMLResponse=", b"RelayState=")):
        text = parse_qs(text.decode("latin-1")).get("SAMLResponse", [""])[0].encode("latin-1")
    try:
        return saml.decode_post(text.decode("latin-1"))
    except saml.SamlError as wrong:
        raise BadFile(file=file, why="it is neither XML nor base64 of it") from wrong


def uses_of(profile: SamlProfile) -> Mapping[str, str]:
    """Say what each attribute is read for, by its name in the settings or the preset."""
    uses: dict[str, str] = {}
    if profile.subject != NAME_ID:
        uses[profile.subject] = "the subject"
    for what, names in (("groups", profile.groups), ("roles", profile.roles), ("the tenant", profile.tenant)):
        uses |= dict.fromkeys(names.attributes, what)
    uses |= dict.fromkeys(profile.preset.methods, "how the person signed in")
    uses |= dict.fromkeys(profile.preset.overage, "whether groups are missing")
    uses |= {name: "what sort of caller it is" for name, _ in profile.service or ()}
    return uses


def uses_in(profile: SamlProfile, attributes: Mapping[str, tuple[str, ...]]) -> Mapping[str, str]:
    """Add what AWS reads, where it is there."""
    aws = {name: "AWS" for name in attributes if name.startswith(PREFIX)}
    return {**uses_of(profile), **aws}


def recipient(profile: SamlProfile, seen: saml.Seen) -> str:
    """Choose the door that a response is for; the one for browsers where it is for neither."""
    return profile.doors.token if profile.doors.token in seen.recipients else profile.doors.acs


def moment(at: str | None) -> datetime:
    """Read ``--at``."""
    return asking.moment(at, now=clock.now())
