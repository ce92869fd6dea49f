"""Every way a caller is not believed."""

from collections.abc import Collection
from datetime import datetime

from actas.errors import ActasError


def _listed(values: Collection[str]) -> str:
    return ", ".join(sorted(values)[:8]) or "nothing"


class IdentifyError(ActasError):
    """We do not know who is calling."""

    status = 401


class Refused(IdentifyError):
    """The token itself is not good; what the library of tokens found is passed on."""

    def __init__(self, *, why: str) -> None:
        self.why = why
        super().__init__(why)


class MalformedToken(Refused):
    """The evidence is no signed token."""

    code = "identify.malformed-token"
    hint = (
        "Send the access token exactly as the provider issued it; an opaque or encrypted token cannot be verified here."
    )


class AlgorithmRefused(Refused):
    """The token is signed by an algorithm that this provider's settings do not allow."""

    code = "identify.algorithm-refused"
    hint = "Let the provider sign with an algorithm of the list, or name its algorithm under `algorithms`."


class BadSignature(Refused):
    """The signature does not hold."""

    code = "identify.bad-signature"
    hint = "Get a new token; if every token fails, compare the provider's published keys with those it signs with."


class WrongIssuer(Refused):
    """The issuer changed between two looks at the token, so it is ambiguous."""

    code = "identify.wrong-issuer"
    hint = "Check the issuer's URL letter by letter, the trailing slash included."


class WrongAudience(Refused):
    """The token is meant for somebody else."""

    code = "identify.wrong-audience"
    hint = "Ask the provider for a token whose audience is this gateway's; the provider's page says where to set it."


class WrongType(Refused):
    """The header's ``typ`` is none that this provider's access tokens have."""

    code = "identify.wrong-type"
    hint = "Send an access token; if the provider writes another typ on them, list it under `typ`."


class MissingClaim(Refused):
    """A claim that every token needs is not there."""

    code = "identify.missing-claim"
    hint = "Have the provider put the claim into its access tokens; its page says how."


class TokenExpired(Refused):
    """The token was good once."""

    code = "identify.token-expired"
    hint = "Sign in again. If it happens at once, compare this host's clock with the provider's."


class NotYetValid(Refused):
    """The token will be good later."""

    code = "identify.not-yet-valid"
    hint = "Compare this host's clock with the provider's, or allow more `leeway`."


class TokenTooOld(Refused):
    """The token was issued longer ago than the settings take."""

    code = "identify.token-too-old"
    hint = "Get a new token, or raise the provider's `max_age`."


class UnknownIssuer(IdentifyError):
    """No provider in the settings has this issuer."""

    code = "identify.unknown-issuer"
    hint = "Compare the provider's `issuer` with the token's `iss` letter by letter, the trailing slash included."

    def __init__(self, *, found: str, wanted: Collection[str]) -> None:
        self.found, self.wanted = found, tuple(sorted(wanted))
        super().__init__(f"the token says that {found} issued it; taken are {_listed(wanted)}")


class UnknownKey(IdentifyError):
    """The provider publishes no such key."""

    code = "identify.unknown-key"
    hint = "Get a new token; keys are fetched again at most every 5 minutes, so a new key may need that long."

    def __init__(self, *, provider: str, known: int) -> None:
        self.provider, self.known = provider, known
        super().__init__(f"the token names a key that is not among the {known} known keys of {provider}")


class NotAnAccessToken(IdentifyError):
    """The token is of another kind: an ID, refresh, logout or event token, or a proof."""

    code = "identify.not-an-access-token"
    hint = "Send the access token; where a provider's are opaque, set `token: id` and your client as audience."

    def __init__(self, *, found: str, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(f"the token is {found}; taken is {wanted}")


class SenderConstrained(IdentifyError):
    """The token is bound to a key or certificate that the caller did not prove (RFC 9449, section 7.1; RFC 8705)."""

    code = "identify.sender-constrained"
    hint = "Ask the provider for a plain bearer token for this client: this door takes no proof of possession."

    def __init__(self, *, bound_by: Collection[str]) -> None:
        self.bound_by = tuple(sorted(bound_by))
        super().__init__(f"the token is bound to its sender by {_listed(bound_by)} and was shown without proof")


class WrongClient(IdentifyError):
    """The token was issued to a client that may not bring tokens."""

    code = "identify.wrong-client"
    hint = "Get the token through a client that the provider's `clients` list, or add the client there."

    def __init__(self, *, found: str, wanted: Collection[str]) -> None:
        self.found, self.wanted = found, tuple(sorted(wanted))
        super().__init__(f"the token was issued to {found}, not to {_listed(wanted)}")


class WrongTenant(IdentifyError):
    """The caller belongs to a tenant that the settings do not list."""

    code = "identify.wrong-tenant"
    hint = "Add the tenant to the provider's `tenants`, or sign in with an account of a listed tenant."

    def __init__(self, *, wanted: Collection[str]) -> None:
        self.wanted = tuple(sorted(wanted))
        super().__init__(f"the token's tenant is not among {_listed(wanted)}")


class NoSubject(IdentifyError):
    """The token does not say whom it speaks of by a name that never changes."""

    code = "identify.no-subject"
    hint = (
        "Have the provider put its stable identifier into access tokens (Keycloak: give the client the scope `basic`)."
    )

    def __init__(self, *, claim: str) -> None:
        self.claim = claim
        super().__init__(f"the token has no usable claim {claim}, which names the caller")


class BadActor(IdentifyError):
    """The chain of those who act for the caller cannot be read, so nobody knows who acts."""

    code = "identify.bad-actor"
    hint = "Have the provider write `act` as RFC 8693, section 4.1, shows it: an object with `sub`, not nested deeply."

    def __init__(self, *, why: str) -> None:
        self.why = why
        super().__init__(f"the claim act {why}")


class Revoked(IdentifyError):
    """Something happened at the provider after this token was issued."""

    code = "identify.revoked"
    hint = "Sign in again to get a token with today's rights."

    def __init__(self, *, provider: str) -> None:
        self.provider = provider
        super().__init__(f"the caller's rights at {provider} changed after the token was issued")


class Unavailable(IdentifyError):
    """We cannot tell now; the caller may be good."""

    status = 503


class RevocationsUnread(Unavailable):
    """We have not heard lately who is revoked."""

    code = "identify.revocations-unread"
    hint = "Check the connection to the state database; calls are taken again as soon as it is read."

    def __init__(self, *, read_at: datetime, now: datetime) -> None:
        self.read_at, self.now = read_at, now
        super().__init__(f"the table of revocations was last read {int((now - read_at).total_seconds())} s ago")


class KeysUnavailable(Unavailable):
    """We have no keys of this provider, or have been unable to renew them for too long."""

    code = "identify.keys-unavailable"
    hint = "Check that this host reaches the provider; `/readyz` of the control origin says what went wrong last."

    def __init__(self, *, provider: str, why: str) -> None:
        self.provider, self.why = provider, why
        super().__init__(f"there are no usable keys of {provider}: {why}")


class FetchError(Unavailable):
    """What a provider was asked for did not come."""


class Unreachable(FetchError):
    """The provider does not answer, or not in time."""

    code = "identify.unreachable"
    hint = "Check name resolution, firewalls and the provider's certificate authority (`ca`)."

    def __init__(self, *, host: str, why: str) -> None:
        self.host, self.why = host, why
        super().__init__(f"{host} cannot be asked: {why}")


class AddressRefused(FetchError):
    """The provider's name leads to an address that we do not connect to."""

    code = "identify.address-refused"
    hint = "Correct the URL; where the provider lives inside your network, set `private: true` for it."

    def __init__(self, *, host: str, why: str) -> None:
        self.host, self.why = host, why
        super().__init__(f"{host} is at {why}")


class UrlRefused(FetchError):
    """A URL is of a form that is never fetched."""

    code = "identify.url-refused"
    hint = "Write an https URL without user name and fragment; http is for private addresses with `private: true`."

    def __init__(self, *, why: str) -> None:
        self.why = why
        super().__init__(f"the URL {why}")


class UnexpectedAnswer(FetchError):
    """The provider answered, but not with what the standard says."""

    code = "identify.unexpected-answer"
    hint = "Open the URL by hand and compare; a proxy's sign-in page or a wrong issuer path are the usual causes."

    def __init__(self, *, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"{what} {why}")


class WrongDiscovery(FetchError):
    """The discovery document speaks for another issuer (OpenID Connect Discovery 1.0, section 4.3)."""

    code = "identify.wrong-discovery"
    hint = "Set `issuer` to what the provider itself writes in its discovery document, letter by letter."

    def __init__(self, *, found: str, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(f"the discovery document speaks for {found}, not for {wanted}")


class ProviderMisconfigured(IdentifyError):
    """The settings of a provider cannot work."""

    code = "identify.provider-misconfigured"
    status = 500
    hint = "Correct the provider in the settings; `actas check` shows where."

    def __init__(self, *, provider: str, why: str) -> None:
        self.provider, self.why = provider, why
        super().__init__(f"the provider {provider} {why}")
