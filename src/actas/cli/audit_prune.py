"""``actas audit prune``: take old segments off the trail, so that it still verifies."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from actas.cli import DONE, output
from actas.cli.asking import moment
from actas.cli.audit_officers import audit_of
from actas.cli.errors import NothingSaysWhen
from actas.cli.options import HERE, Where
from actas.model import clock

if TYPE_CHECKING:
    from actas.audit.pruning import Plan


def prune(*, before: str | None = None, dry_run: bool = False, where: Where = HERE, json: bool = False) -> int:
    """Take the oldest whole segments off the trail: into the archive, into a signed record, then from the disk.

    The gateway does it by itself where the settings have audit.keep; they need not for this command. Records of the
    last day stay, whatever is asked.

    For example:
        actas audit prune --dry-run
        actas audit prune --before 2026-01-01

    Parameters
    ----------
    before:
        Segments in which every record is from before this time; by default as long ago as audit.keep says.
    dry_run:
        Say what would go, and leave it.
    json:
        Print one JSON object.
    """
    import anyio

    async def pruned() -> "Plan | None":
        audit = audit_of(where)
        limit = audit.keeps_since if before is None else moment(before, now=clock.now())
        if limit is None:
            raise NothingSaysWhen
        async with audit.attended():
            plan = await audit.prunable(limit)
            if plan is not None and not dry_run:
                await audit.prune(plan)
        return plan

    plan = anyio.run(pruned)
    print(output.json_line(_data(plan, dry_run)) if json else _text(plan, dry_run))
    return DONE


def _data(plan: "Plan | None", dry_run: bool) -> dict[str, Any]:  # noqa: FBT001 - private
    if plan is None:
        return {"pruned": 0, "dry_run": dry_run}
    named = [path.name for path in plan.paths]
    return {
        "pruned": 0 if dry_run else len(named),
        "dry_run": dry_run,
        "segments": named,
        "first": plan.first,
        "last": plan.head.seq,
        "bytes": plan.size,
        "before": _written(plan.before),
    }


def _text(plan: "Plan | None", dry_run: bool) -> str:  # noqa: FBT001 - private
    if plan is None:
        return "no whole segment is that old"
    count = len(plan.paths)
    what = f"{count} {'segment' if count == 1 else 'segments'}, records {plan.first} to {plan.head.seq}"
    told = "would prune" if dry_run else "pruned"
    return f"{told} {what}, {plan.size:,} bytes, all from before {_written(plan.before)}"


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
