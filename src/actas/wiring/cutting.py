"""Cuts of AWS sessions, wired: each role that allows it, by whose credentials, and what follows here."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from actas.assume.cutting import Cutter
from actas.assume.sts import endpoint
from actas.assume.vouching import Voucher
from actas.errors import ActasError
from actas.events.cuts import CutRole
from actas.model import clock
from actas.settings.reader import Loaded
from actas.settings.schema import Settings
from actas.store.outbox import Again, Dead, Done, Job, Verdict
from actas.store.watermarks import EVERYBODY
from actas.wiring.aws_base import base
from actas.wiring.parts import Parts

_TRIES = 20
_LONGEST = 300.0


class Cuts:
    """Works on the queue of cuts."""

    def __init__(self, parts: Parts, now: Callable[[], tuple[Loaded, Settings]]) -> None:
        """Take what gives the settings of the moment."""
        self._parts, self._now = parts, now
        self._cutters: dict[str, tuple[Settings, Cutter]] = {}
        self.done = 0

    async def work(self, job: Job) -> Verdict:
        """Cut one role's sessions: those that this gateway holds are ended with them, and made anew when asked for."""
        try:
            wanted = msgspec.json.decode(job.body, type=CutRole)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Dead("the cut was kept by another version of Actas, which this one cannot read")
        cutter = self._cutter(wanted.role)
        if cutter is None:
            return Dead("the role is not there any more, or is not cut")
        try:
            await self._parts.marks.append(
                await self._parts.audit.store(),
                provider=EVERYBODY,
                at=wanted.before,
                reason="event:cut",
                role_arn=cutter.role_arn,
            )
            await cutter.cut(wanted.before, now=clock.now())
        except ActasError as wrong:
            if job.attempt >= _TRIES:
                return Dead(f"{wrong.code}, after {job.attempt} attempts")
            return Again(timedelta(seconds=min(_LONGEST, 2.0**job.attempt)), wrong.code)
        self.done += 1
        return Done()

    def _cutter(self, name: str) -> Cutter | None:
        loaded, settings = self._now()
        found = self._cutters.get(name)
        if found is not None and found[0] is settings:
            return found[1]
        role = settings.roles.get(name)
        if role is None or role.cut is None:
            return None
        partition, path = role.arn.split(":")[1], ("roles", name, "cut", "by")
        voucher = Voucher(issuer=settings.gateway.control_url, newest=self._parts.signing.newest)
        sts = role.sts or endpoint(settings.gateway.region, partition)
        credentials = base(loaded, path, role.cut.by, exchange=self._parts.exchange, voucher=voucher, sts=sts)
        made = Cutter(exchange=self._parts.exchange, base=credentials, role_arn=role.arn, endpoint=role.cut.iam)
        self._cutters[name] = settings, made
        return made
