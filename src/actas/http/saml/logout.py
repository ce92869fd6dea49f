"""Sign out, both ways: a person leaves here and their provider is told, or a provider ends somebody's session here.

What rests on the sign-in ends at once and at every replica, by a watermark; whether the provider could be told changes
nothing about that.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import timedelta

from starlette.responses import Response

from actas import saml
from actas.http.saml import cookies, forms, leaving, pages, pending
from actas.http.saml.errors import BadForm, CrossSite, NoSignIn, NotAsked, NoWayThere
from actas.http.saml.login import leads_to, signed_in
from actas.http.saml.visit import Visit, set_cookies
from actas.identify.errors import IdentifyError
from actas.identify.saml_errors import AssertionUsed, SamlRefused
from actas.identify.saml_metadata import Known
from actas.identify.saml_preset import NAME_ID
from actas.identify.sign_in import SignIn

_SLO = "SingleLogoutService"
_LEAVE = "leave"
_MOST = timedelta(seconds=60)


async def by_query(visit: Visit) -> Response:
    """Take a message of the Redirect binding; without one, offer the button."""
    query: bytes = visit.request.scope["query_string"]
    if not query or query.startswith(b"leave="):
        return await _offers(visit, forms.pairs(query).get("leave"))
    try:
        message = saml.read_redirect(query)
    except saml.SamlError as wrong:
        raise BadForm(why="the query holds no message of the Redirect binding") from wrong
    if message.is_response:
        return await _answered(visit, message, message.relay_state)
    return await _asked(visit, message, saml.REDIRECT, message.relay_state)


async def _offers(visit: Visit, ticket: str | None) -> Response:
    """Offer the button; a command's browser brings what it signs out with."""
    fields = {} if ticket is None else {_LEAVE: ticket}
    form = pages.Form(action=visit.profile.doors.logout, button="Sign out", fields=fields)
    slo = await leads_to(visit)
    return visit.page("Sign out", "Sign out here and at your identity provider.", form=form, leads_to=slo)


async def by_form(visit: Visit) -> Response:
    """Take a message of the POST binding; without one, a person's own wish."""
    form = {} if visit.head.content_length == 0 else await visit.form()  # without a length it may come in pieces
    relay = form.get("RelayState")
    if len({"SAMLRequest", "SAMLResponse"} & form.keys()) > 1:
        raise BadForm(why="it has two messages")
    if "SAMLRequest" in form:
        return await _asked(visit, _decoded(form["SAMLRequest"]), saml.POST, relay)
    if "SAMLResponse" in form:
        return await _answered(visit, _decoded(form["SAMLResponse"]), relay)
    return await _leave(visit, form.get(_LEAVE))


def _decoded(text: str) -> bytes:
    try:
        return saml.decode_post(text)
    except saml.SamlError as wrong:
        raise BadForm(why="its message is not base64") from wrong


async def _leave(visit: Visit, ticket: str | None) -> Response:
    """End the sign-in of this browser, or of the command that brings a *ticket*, and tell the provider."""
    site = [value for name, value in visit.request.scope["headers"] if name == b"sec-fetch-site"]
    if site and site != [b"same-origin"]:  # the cookie is not sent with another site's form either
        raise CrossSite
    try:
        found = _who_leaves(visit, ticket)
    except NoSignIn:
        raise
    except IdentifyError:  # over already
        return set_cookies(visit.page("Signed out", "You are signed out here."), cookies.gone(cookies.SIGN_IN))
    await visit.house.ends(
        provider=found.provider,
        subject=found.subject,
        session=found.session,
        at=found.issued_at or visit.at,  # by the provider's clock: who comes back at once is not turned away by ours
    )
    if ticket is None:
        return set_cookies(await _tell(visit, found), cookies.gone(cookies.SIGN_IN))
    if (
        visit.request.headers.get("accept") == "application/json"
    ):  # the command itself; a browser then tells the provider
        return await _leads_on(visit, found)
    return await _tell(visit, found)


def _who_leaves(visit: Visit, ticket: str | None) -> leaving.Leaving:
    if ticket is None:
        return leaving.leaving_of(signed_in(visit), now=visit.at)
    found = leaving.opened(visit.house.seals, ticket, provider=visit.profile.name, now=visit.at)
    if found is None:
        raise NoSignIn
    return found


async def _where(visit: Visit) -> saml.Endpoint | None:
    try:
        return await visit.endpoint(_SLO)
    except (NoWayThere, IdentifyError):
        return None


async def _leads_on(visit: Visit, found: leaving.Leaving) -> Response:
    """Tell a command whether there is a provider for its person's browser to tell."""
    leads_on = found.name_id is not None and await _where(visit) is not None
    response = Response(json.dumps({"leads_on": leads_on}), media_type="application/json")
    pages.secure(response, visit.call, https=visit.is_https)
    return response


async def _tell(visit: Visit, found: leaving.Leaving) -> Response:
    """Send the browser to the provider, where it has a place for that and we know whom to name."""
    endpoint = await _where(visit)
    if endpoint is None or found.name_id is None:
        return visit.page("Signed out", "You are signed out here. Your identity provider may still know you.")
    begun = pending.begin(visit.house.seals, visit.profile.name, now=visit.at, what="sign-out")
    message = saml.logout_request(
        id=begun.pending.request,
        issuer=visit.profile.audience,
        destination=endpoint.location,
        now=visit.at,
        name_id=found.name_id,
        name_id_format=found.name_id_format,
        name_qualifier=found.qualifiers[0],
        sp_name_qualifier=found.qualifiers[1],
        session_index=found.session,
        not_on_or_after=visit.at + pending.LASTS,
        binding=endpoint.binding,
        key=visit.house.keys(visit.at).signs,
        relay_state=begun.pending.relay if endpoint.binding == saml.REDIRECT else None,
    )
    response = visit.send_on(
        message, endpoint.location, endpoint.binding, parameter="SAMLRequest", relay=begun.pending.relay
    )
    return set_cookies(response, begun.cookie)


async def _answered(visit: Visit, message: bytes | saml.RedirectMessage, relay: str | None) -> Response:
    """Read the provider's answer to our request; it changes nothing but what the page says."""
    house, profile = visit.house, visit.profile
    asked = pending.found(house.seals, visit.cookies, relay, provider=profile.name, what="sign-out", now=visit.at)
    if asked is None:
        raise NotAsked
    sentence = "You are signed out here and at your identity provider."

    def read(known: Known) -> saml.LogoutResponse:
        return saml.read_logout_response(
            message,
            known.trust,
            destination=profile.doors.logout,
            in_response_to=asked.request,
            now=visit.at,
            leeway=profile.leeway,
            allow_sha1=profile.allow_sha1,
        )

    try:
        found = await house.identify.saml.signed(profile.name, read, size=_size(message), now=visit.at)
        if not found.is_success:
            sentence = "You are signed out here. Your identity provider could not sign you out everywhere."
    except saml.SamlError:
        sentence = "You are signed out here. What your identity provider answered cannot be verified."
    over = cookies.gone(cookies.pending_name(asked.relay))
    return set_cookies(visit.page("Signed out", sentence), over)


async def _asked(visit: Visit, message: bytes | saml.RedirectMessage, binding: str, relay: str | None) -> Response:
    """End what a provider says is over, and answer it."""
    house, profile = visit.house, visit.profile

    def read(known: Known) -> saml.LogoutRequest:
        return saml.read_logout_request(
            message,
            known.trust,
            destination=profile.doors.logout,
            now=visit.at,
            leeway=profile.leeway,
            allow_sha1=profile.allow_sha1,
            decryption_keys=house.identify.saml.decryption_keys(profile.name),
            old_ciphers=profile.old_ciphers,
        )

    try:
        request = await house.identify.saml.signed(profile.name, read, size=_size(message), now=visit.at)
    except saml.SamlError as wrong:
        raise SamlRefused(provider=profile.name, found=wrong.code, why=wrong.message) from wrong
    until = request.not_on_or_after + profile.leeway + _MOST
    if not await house.once(request.issuer, request.id, until):
        raise AssertionUsed(provider=profile.name)
    ours = _of_this_browser(visit)
    status = await _end(visit, request, ours)
    over = [cookies.gone(cookies.SIGN_IN)] if ours is not None and _of_this_browser(visit) is None else []
    return set_cookies(await _answer(visit, request, status, binding, relay), *over)


def _size(message: bytes | saml.RedirectMessage) -> int:
    return len(message.xml if isinstance(message, saml.RedirectMessage) else message)


async def _end(visit: Visit, request: saml.LogoutRequest, ours: SignIn | None) -> Sequence[str]:
    """End what is named; give the status to answer with."""
    profile = visit.profile
    subject = request.name_id if profile.subject == NAME_ID else None
    if subject is None and not request.session_indexes:
        if ours is None or ours.name_id != request.name_id:  # whom the NameID means is not known here
            return (saml.SUCCESS, saml.PARTIAL_LOGOUT)
        subject = ours.identity.subject
    sessions: tuple[str | None, ...] = request.session_indexes or (None,)
    for session in sessions:
        await visit.house.ends(provider=profile.name, subject=subject, session=session, at=request.issued_at)
    return (saml.SUCCESS,)


def _of_this_browser(visit: Visit) -> SignIn | None:
    try:
        return signed_in(visit)
    except (NoSignIn, IdentifyError):
        return None


async def _answer(
    visit: Visit, request: saml.LogoutRequest, status: Sequence[str], binding: str, relay: str | None
) -> Response:
    word = "redirect" if binding == saml.REDIRECT else "post"
    try:
        endpoint = await visit.endpoint(_SLO, binding=word)
    except NoWayThere:
        endpoint = await visit.endpoint(_SLO)
    where = endpoint.response_location or endpoint.location
    message = saml.logout_response(
        id=f"_{secrets.token_hex(16)}",
        issuer=visit.profile.audience,
        destination=where,
        now=visit.at,
        in_response_to=request.id,
        status=status,
        binding=endpoint.binding,
        key=visit.house.keys(visit.at).signs,
        relay_state=relay if endpoint.binding == saml.REDIRECT else None,
    )
    return visit.send_on(message, where, endpoint.binding, parameter="SAMLResponse", relay=relay)
