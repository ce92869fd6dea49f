"""What lives as long as the process: keys, the trail, functions' processes, sessions."""

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import anyio
import msgspec

from actas import store
from actas.assume.cache import SessionCache
from actas.assume.exchange import Exchange
from actas.assume.passed_on import PassedOn
from actas.assume.vouching import Voucher
from actas.audit import Audit
from actas.identify.verifier import Identify
from actas.invoke.backends.local import LocalBackends
from actas.invoke.envelope import Minter
from actas.invoke.in_flight import InFlight
from actas.invoke.interface import Backend
from actas.invoke.origins import Origins
from actas.model import clock
from actas.secrets.resting import FILE as resting_keys  # noqa: N811 - a path, whose file it says
from actas.secrets.resting import Resting
from actas.secrets.sealing import Sealing
from actas.secrets.signing import Signing
from actas.settings.reader import Loaded
from actas.settings.schema import Gateway as GatewaySettings
from actas.settings.schema import Settings
from actas.store.watermarks import Watermarks
from actas.wiring import database as databases
from actas.wiring import start
from actas.wiring.followers import followers
from actas.wiring.logs import FunctionLogs
from actas.wiring.saml_parts import SamlParts, own_keys

if TYPE_CHECKING:  # SQLAlchemy takes the better part of a second: it is imported when the store is opened
    from actas.events.desk import Desk
    from actas.events.hearing import Hearing
    from actas.http.lambda_api.later import Later
    from actas.http.metrics import Spread
    from actas.store.outbox import Outbox

ROTATION = 3600.0
SWEEP = 30.0
PRIME = 1.0


class Hears(Protocol):
    """What hears identity events, as others see it."""

    hearing: "Hearing"
    ends: "Spread"
    broken: dict[str, str]

    def desk(self) -> "Desk":
        """Give what was heard, to be looked at."""
        ...

    def gauges(self) -> dict[str, float]:
        """Give the figures of all sources."""
        ...

    def by_source(self) -> dict[str, dict[str, float]]:
        """Give the figures of each source."""
        ...

    def ready(self) -> dict[str, Any]:
        """Tell how the sources do."""
        ...


@dataclass(slots=True, kw_only=True)
class Parts:
    """Everything that a change of settings leaves in place."""

    state: Path
    hidden: tuple[Path, ...]
    """What no function may see."""
    sealing: Sealing
    signing: Signing
    resting: Resting
    """Seals what lies in the database."""
    audit: Audit
    marks: Watermarks
    logs: FunctionLogs
    identify: Identify
    saml: SamlParts
    pool: LocalBackends
    sessions: SessionCache
    exchange: Exchange
    flights: InFlight = field(default_factory=InFlight)
    passed_on: PassedOn = field(default_factory=PassedOn)
    rsa: Signing
    """Keys for parties that take nothing but RSA; made when a role needs one."""
    envelope: Minter
    origins: Origins = field(default_factory=Origins)
    admin: Mapping[str, Backend] = field(default_factory=dict)
    outbox: "Outbox | None" = None
    """Durable jobs; None until the store is open, shortly after the start."""
    later: "Later | None" = None
    """What keeps events that are run later; likewise."""
    ears: "Hears | None" = None
    """Identity events; likewise."""
    _outbox_open: anyio.Event = field(default_factory=anyio.Event)

    async def opened_outbox(self) -> "Outbox":
        """Give the outbox as soon as the store is open."""
        await self._outbox_open.wait()
        assert self.outbox is not None
        return self.outbox

    async def serve_outbox(self) -> None:
        """Make the outbox, and hear what other gateways put into it."""
        opened = await self.audit.store()
        from actas.store.outbox import Outbox

        self.outbox = Outbox(opened, clock.now, seals=self.resting)
        self._outbox_open.set()
        await self.outbox.listen()

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Give every public key that something of ours is signed with."""
        return {"keys": [*self.signing.jwks()["keys"], *self.rsa.jwks()["keys"]]}

    def follow(self, loaded: Loaded, settings: Settings) -> None:
        """Let others keep a copy of the trail, where the settings say so."""
        if (cloudwatch := settings.audit.cloudwatch) is not None:
            voucher = Voucher(issuer=settings.gateway.control_url, newest=self.signing.newest)
            found = followers(loaded, settings, chain=self.audit.chain, exchange=self.exchange, voucher=voucher)
            self.audit.follow(found, every=cloudwatch.every.seconds)

    def rsa_voucher(self, issuer: str) -> Voucher:
        """Give what vouches for us by RSA."""
        if not self.rsa.keys:
            self.rsa.rotate(clock.now())
        return Voucher(issuer=issuer, newest=self.rsa.newest, algorithm=self.rsa.algorithm)


@asynccontextmanager
async def parts(loaded: Loaded, settings: Settings) -> AsyncIterator[Parts]:
    """Open everything, run what has to run in the background, and end it all when the block is left."""
    made = _made(loaded, settings)
    await made.audit.open()
    made.follow(loaded, settings)
    async with anyio.create_task_group() as tasks:
        await tasks.start(made.audit.run)
        tasks.start_soon(_read_marks, made)
        tasks.start_soon(made.serve_outbox)
        tasks.start_soon(made.identify.run)
        tasks.start_soon(_rotate, made)
        await tasks.start(made.sessions.run)
        tasks.start_soon(_sweep, made)
        try:
            yield made
        finally:
            with anyio.CancelScope(shield=True):
                await made.pool.close()
                made.logs.close()
                tasks.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        await made.audit.close()
        await made.exchange.close()


def _made(loaded: Loaded, settings: Settings) -> Parts:
    gateway, now = settings.gateway, clock.now()
    state = _state(loaded, settings)
    sealing, signing = Sealing(state / "keys" / "sealing.json"), Signing(state / "keys" / "signing.json")
    sealing.rotate(now)
    signing.rotate(now)
    logs = FunctionLogs(state / "logs", reserve=settings.audit.reserve.bytes)
    resting = Resting(state / resting_keys, clock.now)
    resting.rotate(now)
    database = databases.url(loaded, settings)
    audit = Audit(settings.audit, state, clock.now, base=loaded.path.parent, database=database)
    marks = Watermarks(audit.people, clock.now)
    if database is None:
        marks.prime(state / store.FILE)
    hidden = (state, audit.folder, *start.secret_files(loaded, settings))
    saml = SamlParts(settings, state, audit)
    return Parts(
        state=state,
        hidden=hidden,
        sealing=sealing,
        signing=signing,
        resting=resting,
        audit=audit,
        marks=marks,
        logs=logs,
        identify=Identify(
            settings.providers,
            base_dir=loaded.path.parent,
            watermarks=marks,
            saml=saml.edges,
            own=own_keys(settings, sealing, signing),
        ),
        saml=saml,
        pool=_pool(loaded, gateway, logs, signing, hidden),
        sessions=SessionCache(most=gateway.limits.sessions, most_per_subject=gateway.limits.sessions_per_subject),
        exchange=Exchange(),
        rsa=_rsa(state),
        envelope=Minter(issuer=gateway.control_url, newest=signing.newest),
    )


def _rsa(state: Path) -> Signing:
    """Read the ring of RSA keys, where a role ever needed one."""
    ring = Signing(state / "keys" / "signing-rsa.json", "RS256")
    if ring.is_there:
        ring.rotate(clock.now())
    return ring


def _pool(
    loaded: Loaded, gateway: GatewaySettings, logs: FunctionLogs, signing: Signing, hidden: tuple[Path, ...]
) -> LocalBackends:
    return LocalBackends(
        limits=gateway.limits,
        log=logs.line,
        isolation=gateway.isolation,
        hidden=hidden,
        region=gateway.region,
        account=gateway.account,
        domain_name=urlsplit(gateway.public_url).hostname or "localhost",
        base=loaded.path.parent,
        issuer=gateway.control_url,
        public_keys=lambda: msgspec.json.encode(signing.jwks()).decode(),
    )


def _state(loaded: Loaded, settings: Settings) -> Path:
    """Make the state folder, its owner's alone."""
    state = loaded.locate(settings.gateway.state)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    if settings.gateway.isolation == "weak":  # functions may read what the gateway reads: no key may be of use later
        shutil.rmtree(state / "keys", ignore_errors=True)
    return state


async def _read_marks(made: Parts) -> None:
    """Read the watermarks; until the store is open, which may take a library's import, by the short way."""
    async with anyio.create_task_group() as tasks:
        if made.audit.is_local:
            tasks.start_soon(_prime, made)
        opened = await made.audit.store()
        tasks.cancel_scope.cancel()
    await made.marks.run(opened)


async def _prime(made: Parts) -> None:
    while True:
        await anyio.sleep(PRIME)
        await anyio.to_thread.run_sync(made.marks.prime, made.state / store.FILE)


async def _rotate(made: Parts) -> None:
    """Rotate keys when they are due; what other replicas made is read on the way."""
    while True:
        await anyio.sleep(ROTATION)
        now = clock.now()
        await anyio.to_thread.run_sync(made.sealing.rotate, now)
        await anyio.to_thread.run_sync(made.signing.rotate, now)
        await anyio.to_thread.run_sync(made.saml.rotate, now)
        await anyio.to_thread.run_sync(made.resting.rotate, now)
        if made.rsa.is_there:
            await anyio.to_thread.run_sync(made.rsa.rotate, now)


async def _sweep(made: Parts) -> None:
    while True:
        await anyio.sleep(SWEEP)
        made.sessions.sweep(now=clock.now())
