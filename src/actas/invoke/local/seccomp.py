"""The system calls that no function needs and that reach out of a sandbox: a small deny-list as a seccomp program.

Pure. Everything else is left alone, because what runs here must run in Lambda unchanged. The mounts, the
namespaces and the foreign uid hold without it; this is the second wall.
"""

import errno
import struct
from typing import Final

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the filter finds the call's number, the architecture, and the lower halves of two arguments."""

_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32: Final = 0x40000000
_NEW_NAMESPACES: Final = 0x7E020080
"""Every CLONE_NEW* flag: time, mount, cgroup, uts, ipc, user, pid, net."""
_FAMILIES: Final = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK; AF_VSOCK above all would pass by the network namespace."""
_TERMINAL: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into somebody else's terminal."""

_DENIED: Final = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
"""Each call with its number on x86_64 and on aarch64."""
_ONLY_X86: Final = (172, 173, 154, 156, 177, 178, 180)
"""iopl, ioperm, modify_ldt, _sysctl, get_kernel_syms, query_module, nfsservctl."""
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
_CLONE3: Final = 435
_SOCKET: Final = {"x86_64": 41, "aarch64": 198}
_IOCTL: Final = {"x86_64": 16, "aarch64": 29}


def program(machine: str) -> bytes | None:
    """Give the filter for *machine* as its instructions; None where we have no numbers for it."""
    if machine not in _AUDIT:
        return None
    refused = _refuse(errno.EPERM)
    lines = [_step(_LOAD, _ARCHITECTURE), _step(_JUMP_EQUAL, _AUDIT[machine], 1, 0), _step(_RETURN, _KILL)]
    lines.append(_step(_LOAD, _NUMBER))
    if machine == "x86_64":  # the x32 numbers are a second way to each call
        lines += [_step(_JUMP_AT_LEAST, _X32, 0, 1), refused]
    column = 0 if machine == "x86_64" else 1
    numbers = [pair[column] for pair in _DENIED.values()] + [*(_ONLY_X86 if machine == "x86_64" else ())]
    for number in numbers:
        lines += [_step(_JUMP_EQUAL, number, 0, 1), refused]
    # glibc falls back from clone3, whose flags a filter cannot read, to clone, whose flags it can
    lines += [_step(_JUMP_EQUAL, _CLONE3, 0, 1), _refuse(errno.ENOSYS)]
    lines += _on(_CLONE[machine], [_step(_LOAD, _FIRST), _step(_AND, _NEW_NAMESPACES), *_only((0,), errno.EPERM)])
    lines += _on(_SOCKET[machine], [_step(_LOAD, _FIRST), *_only(_FAMILIES, errno.EAFNOSUPPORT)])
    lines += _on(_IOCTL[machine], [_step(_LOAD, _SECOND), *_none_of(_TERMINAL)])
    return b"".join([*lines, _step(_RETURN, _ALLOW)])


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _refuse(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)


def _on(number: int, lines: list[bytes]) -> list[bytes]:
    """Run *lines*, which end the filter, where the call is *number*."""
    return [_step(_JUMP_EQUAL, number, 0, len(lines)), *lines]


def _only(values: tuple[int, ...], otherwise: int) -> list[bytes]:
    allow = _step(_RETURN, _ALLOW)
    return [line for value in values for line in (_step(_JUMP_EQUAL, value, 0, 1), allow)] + [_refuse(otherwise)]


def _none_of(values: tuple[int, ...]) -> list[bytes]:
    refused = _refuse(errno.EPERM)
    denied = [line for value in values for line in (_step(_JUMP_EQUAL, value, 0, 1), refused)]
    return [*denied, _step(_RETURN, _ALLOW)]
