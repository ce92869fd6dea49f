"""Which real parts this machine has: each probe gives None, or the sentence that a skipped test prints."""

import shutil
import subprocess
from pathlib import Path


def java() -> str | None:
    if shutil.which("java") is None:
        return "Keycloak needs Java 17 or newer, and there is no java on this machine"
    found = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    return None if found.returncode == 0 else "Keycloak needs Java, and the java on this machine does not start"


def keycloak() -> str | None:
    from keycloak.server import archive

    if (why := java()) is not None:
        return why
    if not archive().exists() and shutil.which("mvn") is None:
        return "Keycloak is fetched by Maven, and there is no mvn on this machine"
    return None


def node() -> str | None:
    return None if shutil.which("node") and shutil.which("npm") else "there is no node with npm on this machine"


def browser() -> str | None:
    return None if Path("/usr/bin/chromium").exists() else "there is no /usr/bin/chromium (Debian: chromium)"


PARTS = {"keycloak": keycloak, "node": node, "browser": browser}
