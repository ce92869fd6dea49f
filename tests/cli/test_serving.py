"""A gateway that serves for weeks keeps no more memory than it uses."""

import platform
import subprocess
import sys

import pytest

HELD = """
import sys
from pathlib import Path
from actas.cli.serving import hand_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "handed back":
    hand_back()
bytes(4 << 20)  # the first large piece that is freed tells glibc what is not large
before, large, small = resident(), [], []
for _ in range(40):
    large.append(b"x" * (3 << 20))
    small.append(b"y" * 100_000)  # what stays lies between what goes
del large
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such threshold")
@pytest.mark.parametrize(("how", "keeps"), [("handed back", False), ("left to glibc", True)])
def test_large_bodies_are_the_systems_again_when_they_are_free(how, keeps):
    held = subprocess.run([sys.executable, "-c", HELD, how], capture_output=True, check=True, timeout=60)

    assert (int(held.stdout) > 30 << 20) is keeps
