"""SAML, wired: our keys, the one store of what was shown before, and what our own tokens rest on."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actas import jose
from actas.audit import Audit
from actas.identify.own import OwnKeys
from actas.identify.presets import SAML_PRESETS
from actas.identify.saml_edges import SamlEdges
from actas.model import clock
from actas.model.replays import Replays
from actas.secrets import rings
from actas.secrets.errors import SecretsError
from actas.secrets.saml_keys import SamlKeys
from actas.secrets.sealing import Sealing
from actas.secrets.signing import Signing
from actas.settings.schema import Settings

if TYPE_CHECKING:
    from actas.http.saml.visit import OurKeys

KEYS = "saml.json"


def speaks(settings: Settings) -> bool:
    """Tell whether any provider speaks SAML."""
    return any(one.preset in SAML_PRESETS for one in settings.providers.values())


class SamlParts:
    """What lives as long as the process: our SAML keys, and what was shown before."""

    def __init__(self, settings: Settings, state: Path, audit: Audit) -> None:
        self._audit = audit
        self._replays: Replays | None = None
        gateway = settings.gateway
        self.keys = SamlKeys(state / "keys" / KEYS, name=gateway.control_url, every=gateway.saml_keys.time)
        if speaks(settings):
            self.keys.rotate(clock.now())
        self.edges = SamlEdges(
            control_url=settings.gateway.control_url, replays=self.replays, decryption_keys=self._private
        )

    async def replays(self) -> Replays:
        """Give the store of what was shown before, for all doors and all replicas."""
        if self._replays is None:
            from actas.store.replays import StoredReplays

            store = await self._audit.store()
            self._replays = StoredReplays(store, self._audit.people, clock.now)
        return self._replays

    async def once(self, issuer: str, name: str, until: datetime) -> bool:
        """Remember a name until then, and tell whether it is new."""
        return await (await self.replays()).first(issuer=issuer, id=name, until=until)

    def rotate(self, now: datetime) -> None:
        """Rotate our keys when they are due, where there are any."""
        if self.keys.keys:
            self.keys.rotate(now)

    def ours(self, now: datetime) -> "OurKeys":
        """Give our keys of this moment; a provider that came with a reload makes the first."""
        from actas.http.saml.visit import OurKeys

        if not self.keys.keys:
            self.keys.rotate(now)
        self.keys.refresh()
        return OurKeys(
            signs=self.keys.signing(now).private,
            published=tuple(one.certificate for one in self.keys.published(now)),
            encryption=tuple(one.certificate for one in self.keys.encryption(now)),
        )

    def _private(self) -> Sequence[Any]:
        self.keys.refresh()
        return tuple(one.private for one in reversed(self.keys.keys))


def own_keys(settings: Settings, sealing: Sealing, signing: Signing) -> OwnKeys:
    """Give what our own tokens rest on."""
    return OwnKeys(
        issuer=settings.gateway.control_url, newest=signing.newest, published=lambda: signing.keys, seals=sealing
    )


def own_keys_of(settings: Settings, state: Path) -> OwnKeys | None:
    """Read what our own tokens rest on from the state of the gateway that runs here; None where that may not be."""
    folder = state / "keys"
    try:
        found = rings.read(folder / "signing.json", "signing")
        keys = tuple(jose.KeySet.from_json(one.material).keys[0] for one in found)
    except (SecretsError, jose.JoseError, IndexError):
        return None
    if not keys:
        return None
    seals = Sealing(folder / "sealing.json")
    return OwnKeys(issuer=settings.gateway.control_url, newest=lambda: keys[-1], published=lambda: keys, seals=seals)
