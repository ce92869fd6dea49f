"""Say which header fields pass between caller and HTTP backend, and which the gateway alone may write.

Pure. Names are compared in lower case with ``_`` as ``-``: CGI, WSGI and their heirs read both as one
(CVE-2025-64484).
"""

from collections.abc import Iterable
from typing import Final

from actas.model.call import Headers

# RFC 9110, section 7.6.1, and what only one connection means in practice.
_HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "trailers", "transfer-encoding", "upgrade"),
        *("proxy-authenticate", "proxy-authorization", "proxy-authentication-info", "http2-settings", "expect"),
    )
)
_NONE: Final = frozenset[str]()
# The caller's own proofs; they go on only where the settings say so, and then as one token.
_PROOFS: Final = frozenset(("authorization", "cookie", "cookie2", "dpop"))
# What backends believe about callers or about the request, because some proxy in front used to say it.
_BELIEVED: Final = frozenset(
    (
        *("forwarded", "via", "host", "content-length", "proxy"),  # "proxy": httpoxy, CVE-2016-5385
        *("x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip"),
        *("x-rewrite-url", "x-http-method", "x-http-method-override", "x-method-override", "x-host", "x-user"),
        *("remote-user", "remote-addr", "x-remote-addr", "x-client-cert", "client-cert", "x-username", "x-email"),
    )
)
_BELIEVED_BEGIN: Final = (
    *("actas-", "x-actas-", "x-forwarded-", "x-original-", "x-amz-", "x-amzn-", "x-apigateway-", "x-envoy-"),
    *("x-auth-", "x-authenticated-", "x-remote-", "x-webauth-", "x-user-", "x-ssl-", "ssl-client-", "x-client-verify"),
    *("x-goog-authenticated-", "x-goog-iap-", "x-ms-client-principal", "x-ms-token-", "cf-access-", "x-pomerium-"),
    *("x-vouch-", "x-oauth-", "x-oidc-", "oidc-", "x-jwt-", "x-saml-", "x-token-"),
)


def normalised(name: str) -> str:
    """Write a name as every server would read it."""
    return name.lower().replace("_", "-")


def to_backend(headers: Headers, ours: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give what is sent on: the caller's fields but for those above, then *ours*."""
    dropped = _named_by_connection(headers)
    spelt: dict[str, str] = {}
    passed = [
        (spelt.setdefault(name.lower(), name), value)  # one spelling each: clients take two for one that replaces
        for name, value in headers
        if not _is_held_back(key := normalised(name)) and key not in dropped
    ]
    return [*passed, *ours]


def to_caller(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Give what is answered: the backend's fields but for those of its connection and those that are ours to say."""
    keyed = [
        (normalised(name), name, value)
        for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    ]
    names = {key for key, _, _ in keyed}
    dropped = _named_by_connection([(name, value) for _, name, value in keyed]) if "connection" in names else _NONE
    if "transfer-encoding" in names:  # RFC 9112, section 6.3: then a length says nothing
        dropped |= {"content-length"}
    return tuple(
        [
            (name, value)
            for key, name, value in keyed
            if key not in _HOP_BY_HOP and key not in dropped and not key.startswith("actas-")
        ]
    )


def speaks_for_caller(name: str) -> bool:
    """Say whether a normalised name is a caller's proof, or something that is believed because a proxy says it."""
    return name in _PROOFS or name == "proxy-authorization" or name in _BELIEVED or name.startswith(_BELIEVED_BEGIN)


def _is_held_back(name: str) -> bool:
    return name in _HOP_BY_HOP or speaks_for_caller(name)


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Read which fields the sender meant for this connection only."""
    return frozenset(
        normalised(one.strip())
        for name, value in headers
        if normalised(name) == "connection"
        for one in value.split(",")
    )
