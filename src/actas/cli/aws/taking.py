"""Give a role's credentials: kept ones, or new ones taken before the old ones end, by one process at a time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from actas.cli import login_files as files
from actas.cli.aws.errors import NoSuchRole, StsFailed
from actas.cli.aws.kept import Kept
from actas.cli.aws.sts import Taken, Wanted, assume
from actas.cli.errors import NotEncrypted, NotReachable
from actas.cli.login_errors import ProviderSilent, SignInBusy
from actas.cli.login_web import is_safe
from actas.cli.places import Here, find_gateway
from actas.cli.signins import Clock, token_for
from actas.cli.signins_store import in_thread
from actas.model import clock

AHEAD: Final = timedelta(minutes=10, seconds=30)
"""botocore asks again for each request once its credentials end within ten minutes: give it longer ones then."""
USABLE: Final = timedelta(seconds=60)
"""Old credentials are good enough while new ones cannot be had, if they live that much longer."""
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The credentials of one role, for one who signed in, as one program after the other asks for them."""

    wanted: Wanted
    state: Path
    public: str | None = None
    """The gateway's public origin, where it is known."""
    region: str | None = None
    kept: Kept = field(init=False)
    fresh: bool = False
    """Take new ones though those that are kept would serve; they may have been revoked, which nobody told us."""
    now: Clock = clock.now

    def __post_init__(self) -> None:
        """Find where they are kept."""
        object.__setattr__(self, "kept", Kept(self.state))

    async def credentials(self) -> Taken:
        """Give credentials that will serve for a while."""
        found = None if self.fresh else await in_thread(lambda: self.kept.get(self.wanted))
        if found is not None and not is_due(found, self.now()):
            return found
        try:
            async with files.locked(
                self.kept.lock(self.wanted), name=self.wanted.who or "the sign-in", limit=_patience(found, self.now())
            ):
                found = None if self.fresh else await in_thread(lambda: self.kept.get(self.wanted))
                if found is not None and not is_due(found, self.now()):
                    return found
                return await self._take()
        except (NotReachable, StsFailed, ProviderSilent, SignInBusy):
            if found is not None and found.expires_at - self.now() > USABLE:
                return found
            raise

    async def _take(self) -> Taken:
        token = await token_for(self.wanted.who, self.state, now=self.now)
        taken = await assume(self.wanted, token, now=self.now())
        await in_thread(lambda: self.kept.put(self.wanted, taken))
        return taken


def is_due(taken: Taken, now: datetime) -> bool:
    """Say whether it is time for new ones: late in their life, but early enough for who holds them."""
    life = taken.expires_at - taken.taken_at
    return taken.expires_at - now <= max(life / 4, min(AHEAD, life * 3 / 4))


def _patience(found: Taken | None, now: datetime) -> float:
    """Wait for another process that takes new ones; hardly, where the old ones still serve."""
    return 0.05 if found is not None and found.expires_at - now > USABLE else _PATIENCE


def purse(
    where: Here,
    *,
    role: str,
    who: str | None,
    seconds: int | None = None,
    gateway: str | None = None,
    fresh: bool = False,
) -> Purse:
    """Work out from a command's options which credentials are meant."""
    place = find_gateway(where.state) if gateway is None else None
    control = gateway if place is None else place.control_url
    assert control is not None
    if not is_safe(control):
        raise NotEncrypted(url=control)
    region, arn = _told(where, role)
    return Purse(
        wanted=Wanted(control=control, who=who, role=arn, seconds=seconds),
        state=where.state,
        public=place.public_url if place else None,
        region=region,
        fresh=fresh,
    )


def _told(where: Here, role: str) -> tuple[str | None, str]:
    """Find the region and the role's ARN in the settings, where this machine has them."""
    from actas.settings.reader import read

    sketch = read(where.settings).sketch if where.settings.is_file() else None
    if sketch is None:
        if role.startswith("arn:"):
            return None, role
        raise NoSuchRole(found=role, known=())
    settings = sketch.settings
    if role.startswith("arn:"):
        return settings.gateway.region, role
    if role not in settings.roles:
        raise NoSuchRole(found=role, known=tuple(settings.roles))
    return settings.gateway.region, settings.roles[role].arn
