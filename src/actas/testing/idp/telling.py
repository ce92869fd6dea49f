"""What the provider tells of its people: each event a JWS, signed as its tokens are, for whoever listens."""

import json
from datetime import datetime
from uuid import uuid4

from actas import jose
from actas.testing.idp.keys import KeyRing
from actas.testing.idp.people import Person

TYPE = "idp-event+jwt"


def event(kind: str, person: Person, ring: KeyRing, now: datetime, **more: str) -> str:
    """Write one event; its facts stand below ``event``, where no token has anything."""
    told = {"id": uuid4().hex, "type": kind, "at": now.isoformat(), "who": person.id, **more}
    payload = json.dumps({"event": told}).encode()
    return jose.sign(payload, ring.signing, algorithm=ring.algorithm, header={"typ": TYPE})
