"""A gateway with one SAML provider, at a control origin that the provider can be told beforehand."""

import base64
import subprocess
import sys

import httpx
from gateway import Gateway
from visitor import free_port

from actas import saml
from actas.identify.saml_profile import Doors
from actas.model import clock

ROLE = "arn:aws:iam::111122223333:role"


class House(Gateway):
    """The gateway."""

    def __init__(self, folder, provider, *, rules, name="corp", roles=("reader",)):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.doors = Doors.of(self.origin, name)
        super().__init__(
            folder,
            {
                "gateway": {"control_url": self.origin, "control_listen": f"127.0.0.1:{self.port}"},
                "providers": {name: provider},
                "functions": {"report": {"python": "echo.py:handler"}},
                "roles": {one: {"arn": f"{ROLE}/{one}"} for one in roles},
                "rules": rules,
            },
        )

    def metadata(self):
        """Give our entity as the provider reads it."""
        answer = httpx.get(self.doors.metadata, trust_env=False, timeout=30)
        assert answer.status_code == 200, answer.text
        return saml.Metadata.parse(answer.content, now=clock.now()).entities[0]

    def certificate(self):
        """Give the certificate that our requests are signed with, as providers' forms want it."""
        return base64.b64encode(self.metadata().signing_certificates[0]).decode()

    def verified(self):
        """Verify the chain of the trail, as an auditor would."""
        command = [sys.executable, "-m", "actas", "audit", "verify"]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
