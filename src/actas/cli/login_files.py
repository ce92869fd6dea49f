"""Files that only their owner may read: 0600 in a folder of 0700, replaced in one step, never followed by a link."""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from actas.cli.login_errors import SignInBusy, SignInsUnsafe

LARGEST = 256 * 1024
"""Bytes; a sign-in with the largest tokens in use is a tenth of this."""
LONGEST_WAIT = 30.0
"""Seconds that we wait for another process to finish with a sign-in."""


def safe_folder(folder: Path) -> Path:
    """Make *folder*, or see to it that the one there is ours alone."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _refuse_open(folder, folder.lstat(), stat.S_IFDIR)
    return folder


def _refuse_open(path: Path, found: os.stat_result, kind: int) -> None:
    if stat.S_IFMT(found.st_mode) != kind:
        raise SignInsUnsafe(path=path, why="it is a link or another kind of thing")
    if found.st_uid != os.geteuid():
        raise SignInsUnsafe(path=path, why="it belongs to somebody else")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SignInsUnsafe(path=path, why=f"others may use it; its mode is {stat.S_IMODE(found.st_mode):04o}")


def read(path: Path) -> bytes | None:
    """Read a private file; None where there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        why = "it is a link" if wrong.errno == errno.ELOOP else wrong.strerror or "it cannot be opened"
        raise SignInsUnsafe(path=path, why=why) from wrong
    with os.fdopen(handle, "rb") as file:
        _refuse_open(path, os.fstat(handle), stat.S_IFREG)
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise SignInsUnsafe(path=path, why=f"it is longer than {LARGEST} bytes")
    return found


@contextlib.asynccontextmanager
async def locked(path: Path, *, name: str, limit: float = LONGEST_WAIT) -> AsyncIterator[None]:
    """Be the only process that is in here with *path*."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        await _take(handle, name, limit)
        yield
    finally:
        os.close(handle)


async def _take(handle: int, name: str, limit: float) -> None:
    try:
        with anyio.fail_after(limit):
            while not _is_taken(handle):  # noqa: ASYNC110 - another process holds it
                await anyio.sleep(0.02)
    except TimeoutError as late:
        raise SignInBusy(name=name, seconds=limit) from late


def _is_taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
