"""Read SAML metadata: who is there, where, and by which keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from actas.saml.algorithms import usable
from actas.saml.certificates import Certificate
from actas.saml.content_errors import BadCertificate, MetadataExpired, NoSuchEntity
from actas.saml.errors import AskedWrongly, MalformedDocument, NotSigned, UnexpectedStructure
from actas.saml.names import SAMLP, local, md
from actas.saml.parsing import METADATA, Element, base64_of, parse
from actas.saml.signature import has_signature, verify_enveloped
from actas.saml.times import read_time

_ENTITY, _ENTITIES = md("EntityDescriptor"), md("EntitiesDescriptor")
_IDP, _SP = md("IDPSSODescriptor"), md("SPSSODescriptor")
_MOST_NESTING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where somebody can be spoken to, about what, and how."""

    service: str
    """As metadata calls it: ``SingleSignOnService``, ``SingleLogoutService``, ``AssertionConsumerService``, …"""
    role: str
    """``idp`` or ``sp``."""
    binding: str
    location: str
    response_location: str | None = None
    index: int | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity of the metadata, with the roles that still are valid."""

    entity_id: str
    is_idp: bool
    is_sp: bool
    signing_certificates: tuple[bytes, ...]
    """DER, of the identity provider's role where there is one, else of the service provider's; all that are there."""
    encryption_certificates: tuple[bytes, ...]
    endpoints: tuple[Endpoint, ...]
    validity: datetime | None
    """The earliest ``validUntil`` of the entity, its role, and what it stands in."""
    cache_duration: str | None
    wants_signed_requests: bool
    name_id_formats: tuple[str, ...]

    def endpoint(self, service: str, *bindings: str, role: str = "idp") -> Endpoint | None:
        """Find where *service* is, by the first of *bindings* that it has; any where none is named."""
        found = [one for one in self.endpoints if one.service == service and one.role == role]
        for binding in bindings:
            for one in found:
                if one.binding == binding:
                    return one
        return found[0] if found and not bindings else None

    def expiring(self, before: datetime) -> tuple[Certificate, ...]:
        """Give the signing certificates that end before a moment: to be announced, not refused."""
        return tuple(one for one in self.readable_certificates() if one.not_after and one.not_after < before)

    def readable_certificates(self) -> tuple[Certificate, ...]:
        """Give the signing certificates that can be read."""
        return tuple(readable(self.signing_certificates))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a metadata document says; expired entities are left out."""

    entities: tuple[Entity, ...]
    validity: datetime | None
    cache_duration: str | None
    is_verified: bool
    """Whether the document's signature was checked with a key that the caller gave."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints, in document order."""
        return tuple(endpoint for entity in self.entities for endpoint in entity.endpoints)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """All different signing certificates, DER, in document order."""
        return tuple(dict.fromkeys(der for entity in self.entities for der in entity.signing_certificates))

    def idp(self, entity_id: str | None = None) -> Entity:
        """Give the identity provider called *entity_id*, or the only one there is."""
        providers = [entity for entity in self.entities if entity.is_idp]
        chosen = [entity for entity in providers if entity_id in {None, entity.entity_id}]
        if len(chosen) != 1:
            raise NoSuchEntity(wanted=entity_id, found=tuple(entity.entity_id for entity in providers))
        return chosen[0]

    @classmethod
    def parse(
        cls, xml: bytes, *, now: datetime, certificates: Sequence[bytes | str] = (), allow_sha1: bool = False
    ) -> "Metadata":
        """Read metadata; with *certificates*, only if its signature holds under one of them."""
        if getattr(now, "tzinfo", None) is None:
            raise AskedWrongly(argument="now", why="is not a time with a zone")
        root = parse(xml, METADATA)
        if root.tag not in {_ENTITY, _ENTITIES}:
            raise UnexpectedStructure(where=local(root.tag), why="is no metadata")
        if certificates:
            root = _verified(root, certificates, allow_sha1=allow_sha1)
        ends = _valid_until(root)
        if ends is not None and ends <= now:
            raise MetadataExpired(valid_until=ends, now=now)
        return cls(
            entities=tuple(_entities(root, None, now)),
            validity=ends,
            cache_duration=root.get("cacheDuration"),
            is_verified=bool(certificates),
        )


def readable(certificates: Sequence[bytes]) -> Iterator[Certificate]:
    """Read the certificates that can be read."""
    for der in certificates:
        try:
            yield Certificate.read(der)
        except BadCertificate:
            continue


def _verified(root: Element, certificates: Sequence[bytes | str], *, allow_sha1: bool) -> Element:
    if not has_signature(root):
        raise NotSigned(what="metadata")
    keys = usable([Certificate.read(one).key for one in certificates], allow_sha1=allow_sha1)
    return verify_enveloped(root, keys, allow_sha1=allow_sha1).element


def _valid_until(element: Element) -> datetime | None:
    text = element.get("validUntil")
    return None if text is None else read_time(text.strip(), what="validUntil")


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _entities(element: Element, ends: datetime | None, now: datetime, depth: int = 0) -> Iterator[Entity]:
    """Walk entities and groups of them; what has expired is not there any more."""
    ends = _earlier(ends, _valid_until(element))
    if (ends is not None and ends <= now) or depth > _MOST_NESTING:
        return
    if element.tag == _ENTITY:
        yield _entity(element, ends, now)
        return
    for child in element.iterchildren(_ENTITY, _ENTITIES):
        yield from _entities(child, ends, now, depth + 1)


def _entity(element: Element, ends: datetime | None, now: datetime) -> Entity:
    entity_id = element.get("entityID", "").strip()
    if not entity_id or len(entity_id) > 1024:  # SAML metadata 2.3.2
        raise UnexpectedStructure(where="EntityDescriptor", why="has no entityID, or one that is too long")
    roles = [role for role in element.iterchildren(_IDP, _SP) if _is_valid(role, now) and _speaks_saml_2(role)]
    idps = [role for role in roles if role.tag == _IDP]
    keyed = idps or roles
    for role in keyed:
        ends = _earlier(ends, _valid_until(role))
    return Entity(
        entity_id=entity_id,
        is_idp=bool(idps),
        is_sp=len(roles) > len(idps),
        signing_certificates=_certificates(keyed, "signing"),
        encryption_certificates=_certificates(keyed, "encryption"),
        endpoints=tuple(endpoint for role in roles for endpoint in _endpoints(role)),
        validity=ends,
        cache_duration=element.get("cacheDuration"),
        wants_signed_requests=any(_is_true(role.get("WantAuthnRequestsSigned")) for role in idps),
        name_id_formats=tuple(
            (one.text or "").strip() for role in keyed for one in role.iterchildren(md("NameIDFormat"))
        ),
    )


def _is_valid(role: Element, now: datetime) -> bool:
    ends = _valid_until(role)
    return ends is None or ends > now


def _speaks_saml_2(role: Element) -> bool:
    """Leave out what an entity does by other protocols, SAML 1.1 above all, with keys of its own (metadata 2.4.1)."""
    return SAMLP in role.get("protocolSupportEnumeration", SAMLP).split()


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip() in {"true", "1"}


def _certificates(roles: list[Element], use: str) -> tuple[bytes, ...]:
    """Collect the certificates for *use*; a key without a use is for both (SAML metadata 2.4.1.1)."""
    found: dict[bytes, None] = {}
    for role in roles:
        for descriptor in role.iterchildren(md("KeyDescriptor")):
            if descriptor.get("use", use) != use:
                continue
            for certificate in descriptor.iter("{*}X509Certificate"):  # some write KeyInfo in the wrong namespace
                try:
                    found[base64_of(certificate)] = None
                except MalformedDocument:
                    continue  # real metadata has such; the other certificates count
    return tuple(found)


def _endpoints(role: Element) -> Iterator[Endpoint]:
    for child in role.iterchildren("{*}*"):
        binding, location = child.get("Binding"), child.get("Location")
        if binding is None or location is None:
            continue
        index = child.get("index", "")
        yield Endpoint(
            service=local(child.tag),
            role="idp" if role.tag == _IDP else "sp",
            binding=binding.strip(),
            location=location.strip(),
            response_location=child.get("ResponseLocation"),
            index=int(index) if index.isascii() and index.isdigit() and len(index) < 6 else None,
            is_default=_is_true(child.get("isDefault")),
        )
