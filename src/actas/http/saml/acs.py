"""Take a provider's answer from a browser: believe it, once, in the browser that asked, and sign the person in."""

import logging
from urllib.parse import urlencode

from starlette.responses import Response

from actas.http.saml import codes, cookies, leaving, pending
from actas.http.saml.errors import BadForm, NotAsked
from actas.http.saml.visit import Visit, set_cookies
from actas.identify.saml_verifier import Believed
from actas.identify.sign_in import seal, sign_in_of
from actas.model.evidence import SamlResponse
from actas.model.secret import Secret

log = logging.getLogger("actas.saml")
_RELAY = "relay state"


async def acs(visit: Visit) -> Response:
    """Sign in whoever the provider vouches for."""
    form = await visit.form()
    shown, relay = form.get("SAMLResponse"), form.get("RelayState")
    if not shown:
        raise BadForm(why="it has no SAMLResponse")
    asked = await _asked(visit, relay)
    profile = visit.profile
    evidence = SamlResponse(
        shown=Secret(shown),
        provider=profile.name,
        recipient=profile.doors.acs,
        answers=None if asked is None else asked.request,
    )
    believed = await visit.house.identify.signed_in(evidence, now=visit.at)
    log.info("call %s: sign-in at %s, evidence %s", visit.call, profile.name, believed.identity.evidence_id)
    over = [cookies.gone(cookies.pending_name(asked.relay))] if asked is not None else []
    if asked is not None and asked.cli is not None:
        return set_cookies(_to_command(visit, believed, asked.cli), *over)
    signed_in = sign_in_of(believed, now=visit.at)
    ours = cookies.sign_in(seal(visit.house.seals, signed_in).reveal(), signed_in.until - visit.at)
    page = profile.doors.done if asked is None or asked.next is None else _origin(profile.doors.done) + asked.next
    return set_cookies(visit.go(page), *over, ours)


async def _asked(visit: Visit, relay: str | None) -> pending.Pending | None:
    """Find the question of this browser; None where the provider began by itself and may do so."""
    found = pending.found(
        visit.house.seals, visit.cookies, relay, provider=visit.profile.name, what="sign-in", now=visit.at
    )
    if found is None:
        if not visit.profile.idp_initiated:
            raise NotAsked
        return None
    if not await visit.house.once(_RELAY, found.relay, found.until):  # a key opens once, whatever the browser keeps
        raise NotAsked
    return found


def _to_command(visit: Visit, believed: Believed, cli: pending.Cli) -> Response:
    """Send a one-time code to the command on the person's own machine."""
    own = visit.house.identify.own
    assert own is not None
    signed_in = sign_in_of(believed, now=visit.at)
    minted = own.mint(believed.identity, visit.profile.digest, until=signed_in.until, now=visit.at)
    code = codes.write(
        visit.house.seals,
        visit.profile.name,
        minted,
        leaving.seal(visit.house.seals, leaving.leaving_of(signed_in, now=visit.at)),
        redirect=cli.redirect,
        challenge=cli.challenge,
        now=visit.at,
    )
    return visit.go(f"{cli.redirect}?{urlencode({'code': code.reveal(), 'state': cli.state})}")


def _origin(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
