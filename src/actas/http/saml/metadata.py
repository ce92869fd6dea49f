"""Say who we are to a provider: our entity id, our doors, and the keys that sign and open, old and new together."""

from starlette.responses import Response

from actas import saml
from actas.http.saml import pages
from actas.http.saml.visit import OurKeys, Visit
from actas.identify.saml_preset import NAME_ID
from actas.identify.saml_profile import SamlProfile


async def metadata(visit: Visit) -> Response:
    """Give our metadata for one provider, signed."""
    response = Response(document(visit.profile, visit.house.keys(visit.at)), media_type="application/samlmetadata+xml")
    pages.secure(response, visit.call, https=visit.is_https)
    response.headers["cache-control"] = "max-age=300"
    return response


def document(profile: SamlProfile, keys: OurKeys) -> bytes:
    """Write our metadata."""
    return saml.sp_metadata(
        entity_id=profile.audience,
        acs=(profile.doors.acs, profile.doors.token),  # machines' assertions are for the second
        logout=profile.doors.logout,
        signing_certificates=keys.published,
        encryption_certificates=keys.encryption,
        name_id_formats=tuple(sorted(profile.name_id)) if profile.subject == NAME_ID else (),
        key=keys.signs,
    )
