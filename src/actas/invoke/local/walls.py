"""Build a sandbox's walls around the process that runs this: namespaces, its view of the files, no privileges.

The plan comes from the gateway (`view`); this only carries it out. With root, mounts are made first and the uid is
given up after; without, a user namespace lends the privileges that the mounts need, for as long as they need them.
"""

import os
import signal
import socket
from pathlib import Path
from typing import Any

from actas.invoke.local import syscalls
from actas.invoke.local.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
)

_OWN = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
_FIRST_UID = 0x70000000
"""Where root gateways take their functions' uids from, far above any that a person or a service has."""
INNER_UID = 993
"""The function's uid inside a user namespace."""
_STAGE = "/tmp"  # noqa: S108 - any folder that exists everywhere; it becomes the root of a mount namespace of its own
_OLD = "/.old"


def enter_namespaces() -> None:
    """Leave the machine's namespaces for new ones; as an ordinary user by way of a user namespace."""
    if os.geteuid() == 0:
        syscalls.unshare(_OWN)
        return
    uid, gid = os.geteuid(), os.getegid()
    syscalls.unshare(_OWN | CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{INNER_UID} {uid} 1"), ("gid_map", f"{INNER_UID} {gid} 1")):
        _write(f"/proc/self/{name}", text)


def give_up(plan: dict[str, Any]) -> None:
    """Give up every privilege, for good."""
    if plan["own_uid"]:
        uid = _own_uid(plan)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    syscalls.drop_capabilities()
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)  # nobody with our uid may look into the init
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _own_uid(plan: dict[str, Any]) -> int:
    return _FIRST_UID + int(plan["number"]) if plan["own_uid"] else os.geteuid()


def build_view(plan: dict[str, Any]) -> None:
    """Make a root that holds what the plan lists, and go there; the old one is in sight until `close_off`."""
    uid = _own_uid(plan)
    socket.sethostname("localhost")
    syscalls.mount("none", "/", None, MS_REC | MS_PRIVATE)
    syscalls.mount("view", _STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=4k")
    Path(_STAGE + _OLD).mkdir()
    syscalls.pivot_root(_STAGE, _STAGE + _OLD)
    os.chdir("/")
    Path("/tmp").mkdir()  # noqa: S108 - the function's own
    syscalls.mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={plan['tmp']},nr_inodes=16k")  # noqa: S108 - as above
    for kind, source, target in plan["view"]:
        _VIEWS[kind](source, target)
    for path, text in plan["files"]:
        _write(_parent_made(path), text.format(uid=uid))
    Path("/proc").mkdir(exist_ok=True)
    # while the old /proc is still in sight, or the kernel refuses a new one to a user namespace
    syscalls.mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def close_off() -> None:
    """Take the old root out of sight for all processes of the sandbox; the kernel takes its time over that."""
    syscalls.unmount(_OLD)
    Path(_OLD).rmdir()
    syscalls.mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _bind(source: str, target: str) -> None:
    if Path(_OLD + source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        _write(_parent_made(target), "")
    syscalls.mount(_OLD + source, target, None, MS_BIND | MS_REC)
    syscalls.make_read_only(target, devices=False)


def _device(source: str, target: str) -> None:
    _write(_parent_made(target), "")
    syscalls.mount(_OLD + source, target, None, MS_BIND)


def _link(source: str, target: str) -> None:
    Path(_parent_made(target)).symlink_to(source)


def _hide(_source: str, target: str) -> None:
    """Put something empty over *target*, where it is in view at all."""
    if Path(target).is_dir():
        syscalls.mount("hidden", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=000,size=4k,nr_inodes=2")
    elif os.path.lexists(target):
        syscalls.mount("/dev/null", target, None, MS_BIND)


_VIEWS = {"bind": _bind, "device": _device, "link": _link, "hide": _hide}


def _parent_made(path: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
