"""What every test stands on: the same examples in every run, no timed health checks, and a PostgreSQL.

The PostgreSQL is what ``ACTAS_TEST_PG_DSN`` names, else made of the programs on this machine, else a skip.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import create_async_engine

settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,  # a CI that fails now and then teaches people to look away; `make fuzz` looks for the new
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("house")


def programs():
    """Find the folder of initdb and pg_ctl."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    if path := shutil.which("pg_ctl"):
        found.append(Path(path).resolve().parent)
    return next((path for path in found if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgresql():
    """Give the URL of an empty database."""
    if url := os.environ.get("ACTAS_TEST_PG_DSN"):
        yield url
        return
    if (bin_ := programs()) is None:
        pytest.skip("no PostgreSQL here: install Debian's postgresql, or set ACTAS_TEST_PG_DSN")
    folder = Path(tempfile.mkdtemp(prefix="apg"))  # the path of a socket holds 107 bytes
    run = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # initdb refuses root
        user = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"})
        os.chown(folder, user.pw_uid, user.pw_gid)
        run |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    init = ["-D", "d", "-U", "actas", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    serve = f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        subprocess.run([bin_ / "initdb", *init], check=True, timeout=60, **run)
        start = ["-D", "d", "-w", "-s", "-l", "log", "-o", serve, "start"]
        subprocess.run([bin_ / "pg_ctl", *start], check=True, timeout=60, **run)
    except subprocess.CalledProcessError as wrong:
        shutil.rmtree(folder)
        pytest.skip(f"PostgreSQL does not start here: {wrong.cmd[0]} ended with {wrong.returncode}")
    yield f"postgresql+asyncpg://actas@/postgres?host={folder}"
    subprocess.run([bin_ / "pg_ctl", "-D", "d", "-s", "-m", "immediate", "stop"], check=True, timeout=60, **run)
    shutil.rmtree(folder)


@pytest.fixture
def fresh_postgresql(postgresql):
    """Give the URL of a database without tables."""
    asyncio.run(_wipe(postgresql))
    return postgresql


async def _wipe(url):
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("drop schema public cascade")
        await connection.exec_driver_sql("create schema public")
    await engine.dispose()
