"""``actas sessions revoke``: end sessions before their time, through the gateway's admin API."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from actas.cli import DONE, output
from actas.cli.asking import moment
from actas.cli.call import checked, failure_text, post, read
from actas.cli.errors import NobodysSessions
from actas.cli.options import HERE, As, Where
from actas.cli.places import find_gateway
from actas.cli.signins import token_for
from actas.model import clock

app = App(name="sessions", help="End sessions before their time.")
_PATH = "/admin/v1/revocations"


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose sessions are meant."""

    provider: str | None = None
    """Everything that rests on what this provider issued; needed with --subject and --session."""
    subject: str | None = None
    """One caller, by the provider's own identifier."""
    session: str | None = None
    """One session of the provider's (its sid)."""
    role: str | None = None
    """Every session of a role: its name in the settings, or its ARN."""
    before: str | None = None
    """What began up to then: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now. Alone, all sessions."""

    def asked(self) -> dict[str, Any]:
        """Say it as the admin API has it."""
        named = {"provider": self.provider, "subject": self.subject, "session": self.session, "role": self.role}
        found: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        if not found and self.before is None:
            raise NobodysSessions
        if not found:
            found["everybody"] = True
        if self.before is not None:
            found["before"] = moment(self.before, now=clock.now()).isoformat()
        return found


_NOBODY = Whose()


@app.command
def revoke(
    *,
    reason: str,
    whose: Whose = _NOBODY,
    as_: As = None,
    gateway: Annotated[str | None, Parameter(name="--gateway")] = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """End sessions at once, on every replica and for good; tokens too, where they are a provider's.

    Needs a rule that says may: [admin:sessions.revoke].

    For example:
        actas sessions revoke --as dalia --provider corp --subject b9d1f0 --reason "a lost laptop"
        actas sessions revoke --as dalia --role finance-reader --reason "its policy was too wide"
        actas sessions revoke --as dalia --before 2026-11-23T17:00:00Z --reason "keys may have leaked"

    Parameters
    ----------
    reason:
        Why; it is kept, so write no name into it.
    as_:
        Who asks: a stored sign-in (see 'actas login') or a person of the demo.
    gateway:
        The gateway's control URL; by default that of the one that runs here.
    json:
        Print one JSON object.
    """
    import json as encoding

    import anyio

    place = where.here()
    body = encoding.dumps({**whose.asked(), "reason": reason}).encode()
    base = checked(gateway) if gateway is not None else find_gateway(place.state).control_url
    token = anyio.run(token_for, as_, place.state)
    headers = {"Authorization": f"Bearer {token.reveal()}", "Content-Type": "application/json"}
    response = post(f"{base.rstrip('/')}{_PATH}", body, headers)
    answer = read(response.status_code, response.headers, response.text)
    if answer.outcome == "answered":
        told = f"revoked: what began up to {answer.found['before']} counts no more"
        print(output.json_line(answer.found) if json else output.plain(told))
        return DONE
    if json:
        print(output.json_line({"outcome": answer.outcome, "status": answer.status, "answer": answer.found}))
    elif answer.outcome == "denied":
        print(output.refusal_text(answer.found["reasons"]))
    else:
        import sys

        print(failure_text(answer), file=sys.stderr)
    return answer.exit_code
