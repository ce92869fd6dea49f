"""SimpleSAMLphp out of Debian's packages, by PHP's own server; tools/simplesamlphp.sh unpacks it into the cache.

Measured (1.19.7, PHP 8.2): start 0.3 s.
"""

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import httpx
from keys import made_key
from visitor import free_port

EXTENSIONS = (
    "ctype", "dom", "mbstring", "posix", "simplexml", "tokenizer", "xml", "xmlwriter", "xmlreader", "iconv", "curl",
    "fileinfo",
)  # fmt: skip
FIELDS = ("username", "password")


def root() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / "simplesamlphp" / "root"


class SimpleSamlPhp:
    """One provider with ana and ben; what it knows of us is written before each test."""

    fields = FIELDS

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}/simplesaml"
        self.metadata = f"{self.base}/saml2/idp/metadata.php"
        self.begins = f"{self.base}/saml2/idp/SSOService.php?spentityid="
        self.leaves = f"{self.base}/saml2/idp/initSLO.php?RelayState={self.base}/"

    def __enter__(self) -> Self:
        for name in ("config/metadata", "cert", "log", "data", "tmp", "docroot"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "docroot" / "simplesaml").symlink_to(root() / "usr/share/simplesamlphp/www")
        (self.folder / "config" / "attributemap").symlink_to(root() / "etc/simplesamlphp/attributemap")
        key, certificate = made_key("simplesamlphp")
        (self.folder / "cert/server.pem").write_text(key)
        (self.folder / "cert/server.crt").write_text(certificate)
        self._write("config.php", self._config())
        self._write("authsources.php", PEOPLE)
        self._write("metadata/saml20-idp-hosted.php", HOSTED)
        self._write("metadata/saml20-sp-remote.php", {})
        self._process = subprocess.Popen(
            self._command(),
            cwd=self.folder,
            env={**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(self.folder / "config"), "PHP_CLI_SERVER_WORKERS": "2"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                if httpx.get(self.metadata, timeout=20, trust_env=False).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError("SimpleSAMLphp did not start")

    def __exit__(self, *_error: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)  # PHP's workers outlive the server that made them
        self._process.wait(20)

    def knows(self, house, **more: object) -> None:
        """Tell it of a gateway."""
        entity = house.metadata()
        certificate = base64.b64encode(entity.encryption_certificates[0]).decode()
        bound = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
        left = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
        described = {
            "AssertionConsumerService": [
                {"Binding": bound, "Location": place, "index": index}
                for index, place in enumerate((house.doors.acs, house.doors.token))
            ],
            "SingleLogoutService": [{"Binding": left, "Location": house.doors.logout}],
            "NameIDFormat": PERSISTENT,
            "validate.authnrequest": True,
            "validate.logout": True,
            "sign.logout": True,
            "keys": [
                {"type": "X509Certificate", "encryption": True, "signing": True, "X509Certificate": certificate},
            ],
        }
        self._write("metadata/saml20-sp-remote.php", {entity.entity_id: described | more})

    def _write(self, name: str, value: dict) -> None:
        variable = "metadata" if name.startswith("metadata/") else "config"
        text = json.dumps(value).replace("\\", "\\\\").replace("'", "\\'")
        (self.folder / "config" / name).write_text(f"<?php\n${variable} = json_decode('{text}', true);\n")

    def _config(self) -> dict:
        folder = str(self.folder)
        return {
            "baseurlpath": f"{self.base}/",
            "certdir": f"{folder}/cert/",
            "loggingdir": f"{folder}/log/",
            "datadir": f"{folder}/data/",
            "tempdir": f"{folder}/tmp",
            "metadatadir": f"{folder}/config/metadata/",
            "attributenamemapdir": f"{folder}/config/attributemap/",
            "technicalcontact_email": "na@people.example",
            "timezone": "UTC",
            "secretsalt": "salt-of-the-tests-0123456789",
            "auth.adminpassword": "nobody-uses-this-1",
            "admin.checkforupdates": False,
            "enable.saml20-idp": True,
            "logging.handler": "file",
            "logging.level": 5,
            "logging.logfile": "ssp.log",
            "module.enable": {"exampleauth": True, "core": True, "saml": True},
            "session.cookie.secure": False,
            "session.phpsession.cookiename": "SSP",
            "session.phpsession.savepath": f"{folder}/tmp",
            "session.phpsession.httponly": True,
            "language.cookie.secure": False,
            "language.default": "en",
            "language.available": ["en"],
            "store.type": "phpsession",
            "metadata.sources": [{"type": "flatfile"}],
            "metadata.sign.enable": False,
            "production": True,
            "authproc.idp": [],
            "authproc.sp": [],
            "trusted.url.domains": [],
        }

    def _command(self) -> list[str]:
        (found,) = (root() / "usr/lib/php").glob("2*")
        settings = [f"extension_dir={found}", "error_reporting=0", "display_errors=0"]
        settings += [f"extension={one}" for one in EXTENSIONS if (found / f"{one}.so").exists()]
        flags = [part for one in settings for part in ("-d", one)]
        where = ["-S", f"127.0.0.1:{self.port}", "-t", str(self.folder / "docroot")]
        return [str(root() / "usr/bin/php8.2"), "-n", *flags, *where]


PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
PEOPLE = {
    "admin": ["core:AdminPassword"],
    "people": {
        "0": "exampleauth:UserPass",
        "ana:ana-pw": {"uid": ["ana-1"], "mail": ["ana@people.example"], "groups": ["finance", "analysts"]},
        "ben:ben-pw": {"uid": ["ben-1"], "mail": ["ben@people.example"], "groups": ["contractors"]},
    },
}
HOSTED = {
    "__DYNAMIC:1__": {
        "host": "__DEFAULT__",
        "privatekey": "server.pem",
        "certificate": "server.crt",
        "auth": "people",
        "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "saml20.sign.response": True,
        "saml20.sign.assertion": True,
        "sign.logout": True,
        "NameIDFormat": PERSISTENT,
        "authproc": {"3": {"class": "saml:AttributeNameID", "attribute": "uid", "Format": PERSISTENT}},
    }
}
