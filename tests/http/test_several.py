"""Two gateways on one PostgreSQL: what one hears, both act on."""

import base64
import hashlib
import hmac
import json
import shutil
from datetime import timedelta

from actas.model import clock

SECRET = "a-secret-of-these-tests"


def subject_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]


def test_what_one_gateway_hears_ends_access_at_the_other(running, settings, idp, fresh_postgresql, tmp_path, waits_for):
    for name, text in (("db", fresh_postgresql.replace("+asyncpg", "")), ("hr", SECRET)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    source = {
        "kind": "webhook", "provider": "corp", "secret": {"file": str(tmp_path / "hr")},
        "signature": {"header": "X-Sig"}, "fields": {"subject": "who", "kinds": {"left": "user-disabled"}},
    }  # fmt: skip
    made = settings(gateway={"database": {"file": str(tmp_path / "db")}}, events={"sources": {"hr": source}})
    token = idp.token(person="ana")

    with running(made) as one:
        other = running(made)
        shutil.copytree(one.folder / ".actas" / "keys", other.folder / ".actas" / "keys")
        with other:
            before = [gateway.ask("GET", "/orders/1", token).status_code for gateway in (one, other)]
            at = clock.now() + timedelta(seconds=2)
            body = json.dumps({"id": "e1", "type": "left", "time": at.isoformat(), "who": subject_of(token)}).encode()
            signed = {"X-Sig": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
            waits_for(lambda: one.ask("POST", "/events/hr", content=body, headers=signed).status_code == 204)
            waits_for(lambda: other.ask("GET", "/orders/1", token).status_code == 401)
            here = one.ask("GET", "/orders/1", token).status_code
            files = [path.name for path in (one.folder / ".actas").iterdir()]

    assert before == [200, 200]
    assert here == 401
    assert "state.db" not in files
