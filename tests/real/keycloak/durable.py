"""A real Keycloak on a PostgreSQL of its own: what it told somebody it did is there after a kill with -9.

Keycloak's own file database writes behind: what happened in the last second before a kill is gone there, which would
prove nothing. The extension keycloak-events is in it where it can be had.

Measured (26.7.3, Java 25, PostgreSQL 15): a start takes 9 s of processor time; build and import, 60 s, are done once.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import postgresql
from keycloak import server, webhooks


class DurableKeycloak(server.Keycloak):
    """One server with the realm ``corp``, which may be killed and started again."""

    def __init__(self) -> None:
        super().__init__()
        self.has_webhooks = webhooks.absent() is None
        self.kills = 0
        self._database: postgresql.PostgreSQL | None = None

    def kill(self) -> None:
        """End it with -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)
        self.kills += 1

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self._database is not None:
            self._database.__exit__()

    def _built(self) -> Path:
        return home(with_webhooks=self.has_webhooks)

    def _seed(self) -> None:
        """Start from a database that the realm was imported into once."""
        content = self._built().name.encode() + self._realm.read_bytes()
        seeded = server.cache() / f"seeded-{hashlib.sha256(content).hexdigest()[:16]}"
        self._database = postgresql.PostgreSQL(seeded if seeded.exists() else None)
        self._database.__enter__()
        if seeded.exists():
            return
        self._database.make("keycloak")
        (self._home / "data" / "import").mkdir(parents=True)
        shutil.copy(self._realm, self._home / "data" / "import" / "corp-realm.json")
        self.start(patience=400)
        self.stop(patience=90)
        self._database.stop()
        if self._process is not None and self._process.returncode != -signal.SIGKILL:
            draft = Path(tempfile.mkdtemp(dir=server.cache())) / "data"
            shutil.copytree(self._database.data, draft)
            draft.rename(seeded)
            draft.parent.rmdir()
        self._database.start()

    def _command(self) -> list[str]:
        java = webhooks.java() if self.has_webhooks else None
        assert self._database is not None
        return [
            str(java or "java"),
            *super()._command()[1:],
            f"--db-url=jdbc:postgresql://127.0.0.1:{self._database.port}/keycloak",
            *("--db-username=actas", "--db-password=none", "--db-pool-max-size=20"),
        ]


def home(*, with_webhooks: bool) -> Path:
    """Give a Keycloak that is built for PostgreSQL, and only ever copied."""
    built = server.cache() / f"built-postgres{f'-events-{webhooks.VERSION}' if with_webhooks else ''}"
    if not (built / ".done").exists():
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(webhooks.home() if with_webhooks else server.home(), built, symlinks=True)
        (built / ".done").unlink()
        environment = dict(os.environ)
        command = ["build", "--db=postgres", "--health-enabled=true"]
        if with_webhooks:
            command.append("--spi-events-store--provider=jpa")
            environment["JAVA_HOME"] = str(webhooks.java().resolve().parent.parent)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([built / "bin" / "kc.sh", *command], check=True, timeout=300, env=environment, **quiet)
        (built / ".done").touch()
    return built
