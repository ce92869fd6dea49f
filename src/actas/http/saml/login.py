"""Begin a sign-in: send the browser to its provider with a signed request, and remember in the browser what for."""

from datetime import datetime

from starlette.responses import Response

from actas import saml
from actas.http.saml import cookies, pages, pending
from actas.http.saml.errors import BadForm, NoSignIn, NoWayThere
from actas.http.saml.visit import Visit, set_cookies
from actas.identify.saml_profile import format_of
from actas.identify.sign_in import SignIn, opened
from actas.settings.schema import SamlRequest, many

_SSO = "SingleSignOnService"
_FOR_COMMANDS = frozenset({"redirect", "state", "challenge"})


async def login(visit: Visit) -> Response:
    """Ask the provider to sign this person in."""
    page, cli = _asked(visit)
    profile, request = visit.profile, visit.profile.request
    endpoint = await visit.endpoint(_SSO, binding=request.binding)
    begun = pending.begin(visit.house.seals, profile.name, now=visit.at, next_page=page, cli=cli)
    message = _message(visit, endpoint, begun.pending, request)
    response = visit.send_on(
        message, endpoint.location, endpoint.binding, parameter="SAMLRequest", relay=begun.pending.relay
    )
    crowded = [cookies.gone(name) for name in cookies.too_many(visit.cookies)]
    return set_cookies(response, *crowded, begun.cookie)


def _message(visit: Visit, endpoint: saml.Endpoint, asked: pending.Pending, request: SamlRequest) -> bytes:
    profile = visit.profile
    return saml.authn_request(
        id=asked.request,
        issuer=profile.audience,
        destination=endpoint.location,
        now=visit.at,
        acs=profile.doors.acs,
        binding=endpoint.binding,
        key=visit.house.keys(visit.at).signs,
        relay_state=asked.relay if endpoint.binding == saml.REDIRECT else None,
        force_authn=request.force,
        name_id_format=None if request.name_id is None else format_of(request.name_id),
        authn_contexts=many(request.authn_contexts),
    )


def _asked(visit: Visit) -> tuple[str | None, pending.Cli | None]:
    """Read where the person wants to go: a page of ours, or a command on their own machine."""
    query = visit.query()
    if query.keys() == _FOR_COMMANDS:
        cli = pending.cli_of(query["redirect"], query["state"], query["challenge"])
        if cli is None:
            raise BadForm(why="it asks for a code anywhere but at a loopback address")
        return None, cli
    if query.keys() - {"next"}:
        raise BadForm(why="the query has fields that a sign-in does not have")
    page = query.get("next")
    if page is not None and not pending.is_page(page):
        raise BadForm(why="next is no page of this gateway")
    return page, None


async def done(visit: Visit) -> Response:
    """Tell a person that they are signed in, and until when; the name of nobody is on the page."""
    found = signed_in(visit)
    doors = visit.profile.doors
    form = sign_out_form(doors.logout)
    slo = await leads_to(visit)
    return visit.page(
        "Signed in",
        f"You are signed in at {visit.profile.name} until {_moment(found.until)}.",
        form=form,
        leads_to=slo,
    )


def sign_out_form(action: str) -> pages.Form:
    """Give the button that signs out."""
    return pages.Form(action=action, button="Sign out", fields={})


def signed_in(visit: Visit) -> SignIn:
    """Give the sign-in that this browser shows, or raise why it is none."""
    shown = visit.cookies.get(cookies.SIGN_IN)
    if shown is None:
        raise NoSignIn
    found = opened(visit.house.seals, shown, now=visit.at)
    if found.identity.provider != visit.profile.name:
        raise NoSignIn
    visit.house.identify.stands(found.identity, found.profile, now=visit.at)
    return found


async def leads_to(visit: Visit) -> tuple[str, ...]:
    """Give where signing out goes on to: browsers want to know before."""
    try:
        endpoint = await visit.endpoint("SingleLogoutService")
    except NoWayThere:
        return ()
    return (endpoint.location,)


def _moment(at: datetime) -> str:
    return f"{at:%H:%M} UTC"
