"""Files that are their owner's alone: mode 0600 in a folder of 0700, read whole, replaced in one step, no link.

The one place that says what a private file is. Each room says in its own words what follows where one is not.
"""

import errno
import os
import secrets
import stat
from pathlib import Path


class NotPrivate(Exception):
    """Others may use it, or it is another kind of thing; its text is a clause for a room's own sentence."""


def read(path: Path, *, limit: int) -> bytes | None:
    """Read a private file of at most *limit* bytes; None where there is none.

    Raise `NotPrivate`, or the `OSError` for which it cannot be read; a file that is too long is one, too.
    """
    try:
        # Nothing is followed, and a pipe that somebody put there does not hold us up.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as wrong:
        if wrong.errno == errno.ELOOP:
            raise NotPrivate("it is a link") from wrong
        raise
    with os.fdopen(handle, "rb") as file:
        check(os.fstat(handle), stat.S_IFREG)
        found = file.read(limit + 1)
    if len(found) > limit:
        raise OSError(errno.EFBIG, f"it is longer than {limit} bytes")
    return found


def look(path: Path, kind: int | None = None) -> None:
    """See to it that *path* itself, and not what it may lead to, is ours alone."""
    check(path.lstat(), kind)


def check(found: os.stat_result, kind: int | None = None) -> None:
    """Refuse what is a link or not of this *kind* (`stat.S_IFREG`, `stat.S_IFDIR`), not ours, or open to others."""
    if stat.S_ISLNK(found.st_mode):
        raise NotPrivate("it is a link")
    if kind not in (None, stat.S_IFMT(found.st_mode)):
        raise NotPrivate("it is another kind of thing")
    if found.st_uid != os.geteuid():
        raise NotPrivate("it belongs to another user")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(found.st_mode)
        raise NotPrivate(f"others may use it, its mode is {mode:04o} and must be {mode & stat.S_IRWXU:04o}")


def why(wrong: OSError | NotPrivate) -> str:
    """Say what is wrong, in a clause."""
    return (wrong.strerror or "it cannot be read") if isinstance(wrong, OSError) else str(wrong)


def write(path: Path, content: bytes) -> None:
    """Replace a private file in one step, so that nobody ever reads half of it; durable when this returns."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See to it that the names in *folder* survive a crash too, not the contents alone."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
