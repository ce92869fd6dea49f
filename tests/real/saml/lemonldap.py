"""LemonLDAP::NG out of Debian's packages, by Perl's own server; tools/lemonldap.sh unpacks it into the cache.

Measured (2.16, Lasso 2.8): start 1.5 s. Its people are those of its demonstration: dwho and rtyler, by their names.
"""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Self

import httpx
from keys import made_key
from visitor import free_port

SILENT = "package Image::Magick; our $VERSION = q(7.0); sub new { bless {}, shift } 1;"  # captchas are never shown
INI = """[all]
logLevel=error
checkTime=1
[configuration]
type=File
dirName={folder}/conf
localStorage=Cache::FileCache
localStorageOptions={{'namespace'=>'lmconf','default_expires_in'=>600,'directory_umask'=>'007','cache_root'=>'{folder}/cache','cache_depth'=>3}}
[portal]
staticPrefix=/static
templateDir={root}/usr/share/lemonldap-ng/portal/templates
languages=en
"""


def root() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "actas" / "lemonldap" / "root"


class LemonLdap:
    """One provider, which is started anew with what it is to know."""

    fields = ("user", "password")

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.metadata = f"{self.base}/saml/metadata"
        self.leaves = f"{self.base}/?logout=1"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for name in ("conf", "sessions/lock", "psessions/lock", "cache", "lib/Image"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "lib/Image/Magick.pm").write_text(SILENT)
        (self.folder / "lemonldap-ng.ini").write_text(INI.format(folder=self.folder, root=root()))
        self.key = made_key("lemonldap")
        self._start({})
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def knows(self, house, *, encryption: str = "none") -> None:
        """Tell it of a gateway by the gateway's own metadata: by starting it again."""
        self._end()
        self._start({"actas": (httpx.get(house.doors.metadata, trust_env=False, timeout=30).text, encryption)})

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def _start(self, known: dict[str, tuple[str, str]]) -> None:
        (self.folder / "conf/lmConf-1.json").write_text(json.dumps(self._settings(known)))
        libraries, modules = root() / "usr/lib", root() / "usr/share/perl5"
        (machine,) = libraries.glob("*-linux-gnu")
        versions = [str(one) for one in machine.glob("perl5/5.*")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "perl", root() / "usr/bin/plackup", "-s", "HTTP::Server::PSGI", "--host", "127.0.0.1",
                    "--port", str(self.port), "-E", "deployment",
                    root() / "usr/share/doc/liblemonldap-ng-portal-perl/examples/index.psgi",
                ],
                cwd=self.folder,
                env={
                    **os.environ,
                    "LD_LIBRARY_PATH": f"{libraries}:{machine}",
                    "PERL5LIB": ":".join([str(self.folder / "lib"), str(modules), *versions]),
                    "LLNG_DEFAULTCONFFILE": str(self.folder / "lemonldap-ng.ini"),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                if httpx.get(self.metadata, timeout=20, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self._end()
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def _settings(self, known: dict[str, tuple[str, str]]) -> dict:
        plain = json.loads((root() / "var/lib/lemonldap-ng/conf/lmConf-1.json").read_text())
        kept = {"Directory": f"{self.folder}/sessions", "LockDirectory": f"{self.folder}/sessions/lock"}
        kept["generateModule"] = "Lemonldap::NG::Common::Apache::Session::Generate::SHA256"
        persistent = {"Directory": f"{self.folder}/psessions", "LockDirectory": f"{self.folder}/psessions/lock"}
        return plain | {
            "cfgNum": 1,
            "portal": f"{self.base}/",
            "domain": "127.0.0.1",
            "securedCookie": 0,
            "cookieName": "llng",
            "authentication": "Demo",
            "userDB": "Same",
            "passwordDB": "Demo",
            "registerDB": "Null",
            "requireToken": 0,
            "checkXSS": 0,
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": kept,
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": persistent,
            "localSessionStorage": "",
            "localSessionStorageOptions": {},
            "notification": 0,
            "loginHistoryEnabled": 0,
            "issuerDBSAMLActivation": 1,
            "samlServicePrivateKeySig": self.key[0],
            "samlServicePublicKeySig": self.key[1],
            "samlServiceSignatureMethod": "RSA_SHA256",
            "samlServiceUseCertificateInResponse": 1,
            "samlSPMetaDataXML": {name: {"samlSPMetaDataXML": xml} for name, (xml, _) in known.items()},
            "samlSPMetaDataOptions": {name: _options(encryption) for name, (_, encryption) in known.items()},
            "samlSPMetaDataExportedAttributes": {name: {"groups": "1;groups;;"} for name in known},
        }


def _options(encryption: str) -> dict[str, object]:
    named = {
        "NameIDFormat": "persistent",
        "SignSSOMessage": 1,
        "SignSLOMessage": 1,
        "CheckSSOMessageSignature": 1,
        "CheckSLOMessageSignature": 1,
        "EncryptionMode": encryption,
        "SignatureMethod": "RSA_SHA256",
    }
    return {f"samlSPMetaDataOptions{name}": value for name, value in named.items()}
