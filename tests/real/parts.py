"""Which real parts this machine has: each probe gives None, or the sentence that a skipped test prints."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT_FOR_NODE = ROOT / ".cache/node/node_modules"
IAM_SIMULATE = ROOT / ".cache/iam-simulate"


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


def node_functions() -> str | None:
    if (why := node()) is not None:
        return why
    if "ACTAS_NODE_RIC" in os.environ or (CLIENT_FOR_NODE / "aws-lambda-ric/rapid-client.node").exists():
        return None
    missing = [program for program in ("cmake", "make", "c++") if shutil.which(program) is None]
    return f"the runtime client for Node is compiled with {' and '.join(missing)}, not here" if missing else None


def iam_simulate() -> str | None:
    if (why := node()) is not None:
        return why
    there = (IAM_SIMULATE / "node_modules/@cloud-copilot/iam-simulate/package.json").exists()
    return None if there else "npm's iam-simulate is not installed (tools/iam-simulate.sh does it)"


def browser() -> str | None:
    return None if Path("/usr/bin/chromium").exists() else "there is no /usr/bin/chromium (Debian: chromium)"


def moto() -> str | None:
    return None


def aws_program() -> str | None:
    """Find the AWS CLI: the one beside our own Python, else any."""
    own = Path(sys.executable).with_name("aws")
    return str(own) if own.exists() else shutil.which("aws")


def aws_cli() -> str | None:
    if (program := aws_program()) is None:
        return "there is no AWS CLI on this machine (PyPI: awscli)"
    found = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return None if found.returncode == 0 else "the AWS CLI on this machine does not start"


def curl() -> str | None:
    """Give None where curl signs by itself: since 7.75, and every header since 7.87."""
    if shutil.which("curl") is None:
        return "there is no curl on this machine"
    found = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in found.split(" ")[1].split("-")[0].split(".")[:2])
    return None if version >= (7, 87) else "the curl on this machine is older than 7.87 and signs too little"


def keycloak_webhooks() -> str | None:
    from keycloak.webhooks import absent

    return keycloak() or absent()


def postgresql() -> str | None:
    from postgresql import absent

    return absent()


def durable_keycloak() -> str | None:
    return keycloak() or postgresql()


def namespaces() -> str | None:
    from kills.network import absent

    return absent()


def simplesamlphp() -> str | None:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if (base / "actas" / "simplesamlphp" / "root" / ".done").exists():
        return None
    return "SimpleSAMLphp is not unpacked (tools/simplesamlphp.sh does it, from Debian's packages)"


def crewjam() -> str | None:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if (base / "actas" / "crewjam" / "idp").exists():
        return None
    return "the provider of Go's crewjam is not built (tools/crewjam.sh does it, where there is a go)"


def pysaml2() -> str | None:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if (base / "actas" / "pysaml2" / ".done").exists():
        return None
    return "pysaml2 is not installed (tools/pysaml2.sh does it, from PyPI and Debian's xmlsec1)"


def lemonldap() -> str | None:
    if shutil.which("perl") is None:
        return "LemonLDAP::NG needs Perl, and there is no perl on this machine"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if (base / "actas" / "lemonldap" / "root" / ".done").exists():
        return None
    return "LemonLDAP::NG is not unpacked (tools/lemonldap.sh does it, from Debian's packages)"


PARTS = {
    "keycloak": keycloak,
    "keycloak-webhooks": keycloak_webhooks,
    "keycloak-on-postgresql": durable_keycloak,
    "postgresql": postgresql,
    "namespaces": namespaces,
    "node": node,
    "node-functions": node_functions,
    "iam-simulate": iam_simulate,
    "browser": browser,
    "simplesamlphp": simplesamlphp,
    "crewjam": crewjam,
    "pysaml2": pysaml2,
    "lemonldap": lemonldap,
    "moto": moto,
    "aws-cli": aws_cli,
    "curl": curl,
}
