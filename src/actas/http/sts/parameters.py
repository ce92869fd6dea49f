"""What each action takes: the parameters of the service's own model, checked as the service checks them. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from actas.http.sts.errors import InvalidQueryParameter, ValidationFailed
from actas.http.sts.forms import Form, is_name

_ANY: Final = re.compile(r".*", re.DOTALL)
_ARN: Final = re.compile("[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_WORD: Final = re.compile(r"[\w+=,.@-]*", re.ASCII)
_POLICY: Final = re.compile("[\t\n\r\x20-\xff]+")
_WHOLE: Final = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One parameter of text."""

    least: int = 0
    most: int
    pattern: re.Pattern[str] = _ANY
    spelt: str = ""
    """The pattern as AWS writes it."""
    is_needed: bool = False
    is_secret: bool = False
    """Whether its value is repeated in no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One parameter that is a whole number."""

    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of texts, or of structures of texts."""

    most: int
    fields: Mapping[str, Text]
    """By name; the empty name is that of a list of texts."""


Parameter = Text | Number | Listed

_ROLE = Text(least=20, most=2048, pattern=_ARN, spelt="[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", is_needed=True)
_SESSION = Text(least=2, most=64, pattern=_WORD, spelt=r"[\w+=,.@-]*", is_needed=True)
_SOURCE = Text(least=2, most=64, pattern=_WORD, spelt=r"[\w+=,.@-]*")
_INLINE = Text(least=1, most=2048, pattern=_POLICY, spelt="[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+")
_ARNS = Listed(most=10, fields={"arn": Text(least=20, most=2048, pattern=_ARN, is_needed=True)})
_SECONDS = Number(least=900, most=43_200)
_SIZE = Number(least=0, most=4096)
_SERIAL = Text(least=9, most=256, pattern=re.compile(r"[\w+=/:,.@-]*", re.ASCII), spelt=r"[\w+=/:,.@-]*")
_CODE = Text(least=6, most=6, pattern=re.compile(r"[0-9]*"), spelt=r"[\d]*", is_secret=True)
_TAGGED = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"
_TAG = re.compile(r"(?:\w|[.:/=+\-@]|[^\S\t\n\r\f\v\x1c-\x1f\x85])*")
_TAG_KEY = Text(least=1, most=128, pattern=_TAG, spelt=_TAGGED)
_TAG_FIELDS = {
    "Key": Text(least=1, most=128, pattern=_TAG, spelt=_TAGGED, is_needed=True),
    "Value": Text(most=256, pattern=_TAG, spelt=_TAGGED, is_needed=True),
}

ACTIONS: Final[Mapping[str, Mapping[str, Parameter]]] = {
    "AssumeRole": {
        "RoleArn": _ROLE,
        "RoleSessionName": _SESSION,
        "PolicyArns": _ARNS,
        "Policy": _INLINE,
        "DurationSeconds": _SECONDS,
        "Tags": Listed(most=50, fields=_TAG_FIELDS),
        "TransitiveTagKeys": Listed(most=50, fields={"": _TAG_KEY}),
        "ExternalId": Text(
            least=2, most=1224, pattern=re.compile(r"[\w+=,.@:/-]*", re.ASCII), spelt=r"[\w+=,.@:\/-]*", is_secret=True
        ),
        "SerialNumber": _SERIAL,
        "TokenCode": _CODE,
        "SourceIdentity": _SOURCE,
        "ProvidedContexts": Listed(
            most=5, fields={"ProviderArn": Text(least=20, most=2048), "ContextAssertion": Text(least=4, most=2048)}
        ),
        "MinimumSessionTokenSize": _SIZE,
    },
    "AssumeRoleWithSAML": {
        "RoleArn": _ROLE,
        "PrincipalArn": _ROLE,
        "SAMLAssertion": Text(least=4, most=100_000, is_needed=True, is_secret=True),
        "PolicyArns": _ARNS,
        "Policy": _INLINE,
        "DurationSeconds": _SECONDS,
        "MinimumSessionTokenSize": _SIZE,
    },
    "AssumeRoleWithWebIdentity": {
        "RoleArn": _ROLE,
        "RoleSessionName": _SESSION,
        "WebIdentityToken": Text(least=4, most=20_000, is_needed=True, is_secret=True),
        "ProviderId": Text(least=4, most=2048),
        "PolicyArns": _ARNS,
        "Policy": _INLINE,
        "DurationSeconds": _SECONDS,
        "MinimumSessionTokenSize": _SIZE,
    },
    "DecodeAuthorizationMessage": {"EncodedMessage": Text(least=1, most=10_240, is_needed=True, is_secret=True)},
    "GetAccessKeyInfo": {
        "AccessKeyId": Text(
            least=16, most=128, pattern=re.compile(r"\w*", re.ASCII), spelt=r"[\w]*", is_needed=True, is_secret=True
        )
    },
    "GetCallerIdentity": {},
    "GetFederationToken": {
        "Name": Text(least=2, most=32, pattern=_WORD, spelt=r"[\w+=,.@-]*", is_needed=True),
        "Policy": _INLINE,
        "PolicyArns": _ARNS,
        "DurationSeconds": Number(least=900, most=129_600),
        "Tags": Listed(most=50, fields=_TAG_FIELDS),
        "MinimumSessionTokenSize": _SIZE,
    },
    "GetSessionToken": {
        "DurationSeconds": Number(least=900, most=129_600),
        "SerialNumber": _SERIAL,
        "TokenCode": _CODE,
        "MinimumSessionTokenSize": _SIZE,
    },
}
"""Every action there is, and its parameters."""


@dataclass(slots=True)
class Asked:
    """What a request asks for, checked."""

    action: str
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    numbers: dict[str, int] = field(default_factory=dict)
    lists: dict[str, tuple[dict[str, str], ...]] = field(default_factory=dict, repr=False)


def asked(action: str, form: Form) -> Asked:
    """Check *form* by what *action* takes; say everything that is wrong with it at once, as the service does."""
    found, left, wrong = Asked(action), dict(form), list[str]()
    for name, parameter in ACTIONS[action].items():
        match parameter:
            case Text():
                wrong += _text(found.texts, name, name, parameter, left.pop(name, None))
            case Number():
                wrong += _number(found, name, parameter, left.pop(name, None))
            case Listed():
                wrong += _listed(found, name, parameter, left)
    if left:
        name = min(left)
        raise InvalidQueryParameter(
            sent=f"{action} has no parameter {name}" if is_name(name) else f"{action} has no parameter of such a name"
        )
    if wrong:
        errors = "error" if len(wrong) == 1 else "errors"
        raise ValidationFailed(sent=f"{len(wrong)} validation {errors} detected: {'; '.join(wrong)}")
    return found


def _text(into: dict[str, str], key: str, path: str, parameter: Text, value: str | None) -> list[str]:
    if value is None:
        return [_fault(None, path, "Member must not be null")] if parameter.is_needed else []
    into[key] = value
    shown = "***" if parameter.is_secret or len(value) > 200 else value
    if len(value) < parameter.least:
        return [_fault(shown, path, f"Member must have length greater than or equal to {parameter.least}")]
    if len(value) > parameter.most:
        return [_fault(shown, path, f"Member must have length less than or equal to {parameter.most}")]
    if not parameter.pattern.fullmatch(value):
        return [_fault(shown, path, f"Member must satisfy regular expression pattern: {parameter.spelt}")]
    return []


def _number(found: Asked, name: str, parameter: Number, value: str | None) -> list[str]:
    if value is None:
        return []
    if not _WHOLE.fullmatch(value):
        return [_fault("***", name, "Member must be a whole number")]
    found.numbers[name] = number = int(value)
    if number < parameter.least:
        return [_fault(value, name, f"Member must have value greater than or equal to {parameter.least}")]
    if number > parameter.most:
        return [_fault(value, name, f"Member must have value less than or equal to {parameter.most}")]
    return []


def _listed(found: Asked, name: str, parameter: Listed, left: dict[str, str]) -> list[str]:
    if left.get(name) == "":  # how clients write an empty list
        del left[name]
    items: list[dict[str, str]] = []
    wrong: list[str] = []
    for place in range(1, parameter.most + 2):
        stem = f"{name}.member.{place}"
        values = {part: left.pop(f"{stem}.{part}" if part else stem, None) for part in parameter.fields}
        if all(value is None for value in values.values()):
            break
        items.append({})
        for part, value in values.items():
            path = f"{name}.{place}.member" + (f".{part}" if part else "")
            wrong += _text(items[-1], part, path, parameter.fields[part], value)
    if len(items) > parameter.most:
        return [_fault("***", name, f"Member must have length less than or equal to {parameter.most}")]
    found.lists[name] = tuple(items)
    return wrong


def _fault(value: str | None, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path[:1].lower()}{path[1:]}' failed to satisfy constraint: {constraint}"
