"""Every way the trail cannot be kept or does not hold."""

from actas.errors import ActasError


class AuditError(ActasError):
    """What happened cannot be written down, so it must not happen."""

    status = 503


class DiskFull(AuditError):
    """No space, quota or allowed file size is left."""

    code = "audit.disk-full"
    hint = "Make room on the disk that holds the audit folder; calls are taken again by themselves."

    def __init__(self, *, why: str) -> None:
        """State what the system said."""
        super().__init__(f"the audit trail cannot grow: {why}")


class NotWritable(AuditError):
    """The disk takes no writes or fails."""

    code = "audit.not-writable"
    hint = "See why the disk that holds the audit folder takes no writes (read-only, failing, gone)."

    def __init__(self, *, why: str) -> None:
        """State what the system said."""
        super().__init__(f"the audit trail cannot be written: {why}")


class ReserveReached(AuditError):
    """Calls that run may still be closed; no new one is begun."""

    code = "audit.reserve-reached"
    hint = "Make room on the disk that holds the audit folder, or lower audit.reserve."

    def __init__(self, *, free: int, wanted: int) -> None:
        """State how much is free and how much is held back."""
        super().__init__(f"{free} bytes are free on the audit trail's disk; the reserve is {wanted}")


class TooSlow(AuditError):
    """The disk did not answer in time."""

    code = "audit.too-slow"
    hint = "See what holds up the disk of the audit folder; calls are taken again once it answers."

    def __init__(self, *, allowed: float) -> None:
        """State how long we waited."""
        super().__init__(f"the audit trail's disk did not answer within {allowed:g} s")


class QueueFull(AuditError):
    """More records wait than may wait."""

    code = "audit.queue-full"
    hint = "Try again; if it lasts, put the audit folder on a faster disk or run more gateways."

    def __init__(self, *, waiting: int) -> None:
        """State how many records wait."""
        super().__init__(f"{waiting} records wait to be kept")


class NotRunning(AuditError):
    """The trail is not open, or closing."""

    code = "audit.not-running"
    hint = "Wait until the gateway is ready, and call no gateway that is stopping."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the audit trail is not open")


class Unrecordable(AuditError):
    """One record has no written form."""

    code = "audit.unrecordable"
    hint = "Report this with the call id: a value in the record has no JSON form or is too long."

    def __init__(self, *, index: int, why: str) -> None:
        """State why; *index* tells the writer which record of its batch it was."""
        self.index = index
        super().__init__(f"a record cannot be written down: {why}")


class TrailInUse(AuditError):
    """Two writers would make two chains of one."""

    code = "audit.trail-in-use"
    hint = "Stop the other gateway, or give each its own audit folder."

    def __init__(self, *, folder: str) -> None:
        """State which folder, by its last name."""
        super().__init__(f"another process writes to the audit folder {folder}")


class TrailExposed(AuditError):
    """Others may read or change the trail."""

    code = "audit.trail-exposed"
    hint = "Give the folder mode 0700 and its files mode 0600, and own them: chmod -R u=rwX,go= FOLDER."

    def __init__(self, *, name: str, why: str) -> None:
        """State which file or folder, by its last name."""
        super().__init__(f"{name} cannot be trusted: {why}")


class TrailBroken(AuditError):
    """The trail on disk is not what was written; going on would hide that."""

    code = "audit.trail-broken"
    hint = "Run `actas audit verify`, keep the folder as it is, and start with another one: set audit.jsonl.path."

    def __init__(self, *, segment: str, why: str) -> None:
        """State where and what."""
        super().__init__(f"the audit trail does not hold at {segment}: {why}")


class TrailUnreadable(AuditError):
    """There is no trail there, or it cannot be read."""

    code = "audit.trail-unreadable"
    hint = "Name the folder that holds the segments, as a user who may read it."

    def __init__(self, *, name: str, why: str) -> None:
        """State which file or folder, by its last name."""
        super().__init__(f"{name} cannot be read as an audit trail: {why}")


class AnchorUnreadable(AuditError):
    """A receipt is not one of ours."""

    code = "audit.anchor-unreadable"
    hint = "Name a copy of head.json, or a folder of copies, made while the gateway ran."

    def __init__(self, *, name: str, why: str) -> None:
        """State which file and why."""
        super().__init__(f"{name} is no anchor of an audit trail: {why}")


class LineUnreadable(AuditError):
    """A line is no record of a trail."""

    code = "audit.line-unreadable"
    hint = "Run `actas audit verify` to see what else was changed."

    def __init__(self, *, why: str) -> None:
        """State why."""
        super().__init__(f"the line is no record: {why}")


class OfficerUnreadable(AuditError):
    """An officer's file is not one of ours."""

    code = "audit.officer-unreadable"
    hint = (
        "Name files made by `actas audit officer`; the public one stands in the settings, the private one stays away."
    )

    def __init__(self, *, name: str, why: str) -> None:
        """State which file and why."""
        super().__init__(f"the officer file {name} cannot be used: {why}")


class NobodyThere(AuditError):
    """No row stands behind a pseudonym: never given, or erased."""

    code = "audit.nobody-there"
    hint = "Check the pseudonym letter by letter; an erased person cannot be brought back."
    status = 404

    def __init__(self) -> None:
        """State it."""
        super().__init__("no person stands behind this pseudonym")


class CannotOpen(AuditError):
    """The officers' keys do not open this row."""

    code = "audit.cannot-open"
    hint = "Bring approvals of two different officers who were named in the settings when the pseudonym was given."
    status = 403

    def __init__(self, *, why: str) -> None:
        """State why."""
        super().__init__(f"the person cannot be unmasked: {why}")


class KeyUnreadable(AuditError):
    """The key that finds a person's row cannot be had."""

    code = "audit.key-unreadable"
    hint = "Restore the file from a copy, mode 0600; without it known people get new pseudonyms and none can be erased."

    def __init__(self, *, name: str, why: str) -> None:
        """State which file and why."""
        super().__init__(f"the key {name} cannot be used: {why}")


class PseudonymLate(AuditError):
    """The store did not give a pseudonym in time."""

    code = "audit.pseudonym-late"
    hint = "See what holds up the state store."

    def __init__(self, *, allowed: float) -> None:
        """State how long we waited."""
        super().__init__(f"no pseudonym came from the store within {allowed:g} s")


class NotRecorded(AuditError):
    """The gateway that holds the trail did not keep what a command must have kept first."""

    code = "audit.not-recorded"
    hint = "See whether the gateway runs and can write its trail, then try again: nothing was done."

    def __init__(self, *, allowed: float) -> None:
        """State how long we waited."""
        super().__init__(f"the gateway did not keep the record within {allowed:g} s")


class ApprovalUnreadable(AuditError):
    """An approval is not one of ours."""

    code = "audit.approval-unreadable"
    hint = "Ask the other officer for the whole text that `actas audit approve` printed."
    status = 400

    def __init__(self) -> None:
        """State it."""
        super().__init__("the text is no officer's approval")


class NotPruned(AuditError):
    """Old segments stay, because they or what is needed to account for them are not as they must be."""

    code = "audit.not-pruned"
    hint = "Run `actas audit verify` before anything is deleted; calls go on meanwhile."

    def __init__(self, *, why: str) -> None:
        """State what is wrong."""
        super().__init__(f"no segment of the trail was deleted: {why}")


class FollowerFailed(AuditError):
    """Somebody who keeps a copy of the trail does not take it now; the trail itself goes on."""

    code = "audit.follower-failed"
    hint = "Read the code it gave; what it did not take stays on disk and is handed on when it takes it again."

    def __init__(self, *, follower: str, found: str) -> None:
        """State who, and with which code."""
        super().__init__(f"{follower} does not take the trail: {found}")


class CloudTrailUnreadable(AuditError):
    """A file of CloudTrail records cannot be read."""

    code = "audit.cloudtrail-unreadable"
    hint = "Give CloudTrail's own log files, gzip or plain, or a JSON array or lines of its records."
    status = 400

    def __init__(self, *, name: str, why: str) -> None:
        """State which file and what is wrong with it."""
        super().__init__(f"{name} cannot be read: {why}")
