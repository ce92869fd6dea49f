"""Settings files that are written where the test stands, and what is said of them."""

import textwrap
from datetime import date

import pytest

from actas.settings.checks import FACTS, PresetFacts, Surroundings, check
from actas.settings.reader import read

AROUND = Surroundings(
    presets={
        "keycloak": PresetFacts(
            needs=("issuer", "audience"),
            issuer_path=r"(/[^/?#]+)*/realms/[^/?#]+",
            issuer_example="https://sso.example.com/realms/corp",
            carries=frozenset(FACTS) - {"tenants"},
            lookup="keycloak-admin",
        ),
        "entra": PresetFacts(needs=("tenant", "audience"), empty_when_absent=frozenset({"roles"}), lookup="graph"),
        "github-actions": PresetFacts(
            needs=("audience",), carries=frozenset(), empty_when_absent=frozenset({"groups", "roles"})
        ),
        "oidc": PresetFacts(needs=("issuer", "audience"), issuer_example="https://id.example.com"),
    },
    admin_actions=("sessions.revoke", "who"),
    today=date(2026, 6, 15),
)

SOUND = """\
gateway: {public_url: "https://functions.example", control_url: "https://actas.example"}
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}
functions:
  report: {python: "report.py:handler"}
  orders: {http: "https://orders.example", routes: ["GET /orders/{id}", "POST /orders"]}
roles:
  reader: {arn: "arn:aws:iam::111122223333:role/reader"}
rules:
  - id: finance-reads
    who: {provider: corp, groups: [finance]}
    may: [report, orders]
    as: reader
"""


class Desk:
    """A folder with a settings file."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "actas.yaml"
        (folder / "report.py").write_text("def handler(event, context):\n    return event\n")

    def write(self, text):
        self.file.write_text(textwrap.dedent(text), encoding="utf-8")
        return self.file

    def read(self, text):
        return read(self.write(text))

    def check(self, text, around=AROUND):
        return check(self.read(text), around)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def sound():
    return SOUND


@pytest.fixture(scope="session")
def around():
    return AROUND
