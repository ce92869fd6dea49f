"""SAML 2.0 responses and metadata, read strictly: only bytes that were canonicalised, digested and signed are read.

Takes bytes, pinned keys and the time; gives what they say, or raises a `SamlError`. Opens nothing, waits for nothing,
reads no clock. ``docs/libraries/saml.md`` has examples and every promise.
"""

from actas.saml.assertion import ANY, Assertion, Require
from actas.saml.bindings import decode_post, decode_redirect, encode_post
from actas.saml.certificates import Certificate
from actas.saml.content_errors import (
    AmbiguousAttribute,
    AssertionExpired,
    BadCertificate,
    HolderOfKeyRefused,
    MessageNotFresh,
    MetadataExpired,
    NoSigningKey,
    NoSuchEntity,
    NotConfirmed,
    NotYetValid,
    UnknownCondition,
    WeakKey,
    WrongAuthnContext,
)
from actas.saml.diagnosing import Finding, Wanted, diagnose
from actas.saml.diagnosing_metadata import diagnose_metadata
from actas.saml.errors import (
    AlgorithmRefused,
    AskedWrongly,
    BadDigest,
    BadSignature,
    DecryptionFailed,
    DocumentTooLarge,
    ForbiddenConstruct,
    MalformedDocument,
    MisplacedAssertion,
    NoDecryptionKey,
    NotOneAssertion,
    NotSigned,
    RequirementUnmet,
    SamlError,
    SignatureRefused,
    StatusNotSuccess,
    UnexpectedStructure,
    WrongAudience,
    WrongDestination,
    WrongIssuer,
    WrongRecipient,
    WrongRequest,
    WrongVersion,
)
from actas.saml.explaining import Explained, Step, explain
from actas.saml.logout import LogoutRequest, LogoutResponse, read_logout_request, read_logout_response
from actas.saml.looking import Seen, look
from actas.saml.metadata import Endpoint, Entity, Metadata
from actas.saml.names import PARTIAL_LOGOUT, POST, REDIRECT, REQUESTER, RESPONDER, SUCCESS
from actas.saml.reading import ProxyRestriction
from actas.saml.redirect import RedirectMessage, read_redirect
from actas.saml.requests import authn_request, logout_request, logout_response, sp_metadata
from actas.saml.trust import Trust
from actas.saml.verifying import verify

__all__ = [
    "ANY",
    "PARTIAL_LOGOUT",
    "POST",
    "REDIRECT",
    "REQUESTER",
    "RESPONDER",
    "SUCCESS",
    "AlgorithmRefused",
    "AmbiguousAttribute",
    "AskedWrongly",
    "Assertion",
    "AssertionExpired",
    "BadCertificate",
    "BadDigest",
    "BadSignature",
    "Certificate",
    "DecryptionFailed",
    "DocumentTooLarge",
    "Endpoint",
    "Entity",
    "Explained",
    "Finding",
    "ForbiddenConstruct",
    "HolderOfKeyRefused",
    "LogoutRequest",
    "LogoutResponse",
    "MalformedDocument",
    "MessageNotFresh",
    "Metadata",
    "MetadataExpired",
    "MisplacedAssertion",
    "NoDecryptionKey",
    "NoSigningKey",
    "NoSuchEntity",
    "NotConfirmed",
    "NotOneAssertion",
    "NotSigned",
    "NotYetValid",
    "ProxyRestriction",
    "RedirectMessage",
    "Require",
    "RequirementUnmet",
    "SamlError",
    "Seen",
    "SignatureRefused",
    "StatusNotSuccess",
    "Step",
    "Trust",
    "UnexpectedStructure",
    "UnknownCondition",
    "Wanted",
    "WeakKey",
    "WrongAudience",
    "WrongAuthnContext",
    "WrongDestination",
    "WrongIssuer",
    "WrongRecipient",
    "WrongRequest",
    "WrongVersion",
    "authn_request",
    "decode_post",
    "decode_redirect",
    "diagnose",
    "diagnose_metadata",
    "encode_post",
    "explain",
    "logout_request",
    "logout_response",
    "look",
    "read_logout_request",
    "read_logout_response",
    "read_redirect",
    "sp_metadata",
    "verify",
]
