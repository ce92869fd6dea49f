"""A call by a person, the envelope that the gateway mints for it, and what the function gets."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from actas import jose
from actas.invoke.envelope import Minter
from actas.model.facts import Known, Missing
from actas.model.identity import Actor
from actas.testing.contracts.backend import delivery

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
ISSUER = "https://actas.example"
KEY = jose.Key.generate("ES256", kid="first")


class Scene:
    """Everything that may differ, and both ends of the way."""

    def __init__(self):
        self.key, self.now = KEY, NOW
        made = delivery(b'{"order": 7}')
        identity = replace(
            made.grant.identity,
            groups=Known(frozenset({"finance", "staff"})),
            roles=Missing.OVERFLOWED,
            scopes=Missing.UNKNOWN,
            client=Known("portal"),
            mfa=Known(True),
            actors=(Actor(issuer="https://sso.example", subject="assistant", client="agent-7"),),
        )
        self.call = made.call
        self.grant = replace(made.grant, identity=identity, expires_at=NOW + timedelta(hours=1))
        self.keys = jose.KeySet.from_json({"keys": [KEY.to_json()]})

    def change(self, **facts):
        self.grant = replace(self.grant, identity=replace(self.grant.identity, **facts))

    def mint(self, event=None, *, issuer=ISSUER):
        mint = Minter(issuer=issuer, newest=lambda: self.key)
        return mint(self.call, self.grant, self.call.payload if event is None else event, self.now)

    def context(self, token=None, *, arn=None, version="$LATEST"):
        custom = {} if token is None else {"actas": token}
        client = SimpleNamespace(custom=custom)
        arn = self.grant.function_arn if arn is None else arn
        return SimpleNamespace(client_context=client, invoked_function_arn=arn, function_version=version)

    def event(self):
        return json.loads(self.call.payload)


@pytest.fixture
def scene():
    return Scene()
