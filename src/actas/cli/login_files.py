"""Files that only their owner may read: 0600 in a folder of 0700, replaced in one step, never followed by a link."""

import contextlib
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from actas import private_files
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
    try:
        private_files.look(folder, stat.S_IFDIR)
    except private_files.NotPrivate as wrong:
        raise SignInsUnsafe(path=folder, why=str(wrong)) from wrong
    return folder


def read(path: Path) -> bytes | None:
    """Read a private file; None where there is none."""
    try:
        return private_files.read(path, limit=LARGEST)
    except (OSError, private_files.NotPrivate) as wrong:
        raise SignInsUnsafe(path=path, why=private_files.why(wrong)) from wrong


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
