"""Read the claims that AWS reads of a token: session tags and source identity (protocols of STS, 2.4). Pure.

A token is not refused for them, because nothing but taking a role looks at them; what is not of AWS's form leaves the
fact unknown, and then no role is taken.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from unicodedata import category

from actas.model.aws_attributes import AwsAttributes
from actas.model.facts import Fact, Known, Missing

TAGS: Final = "https://aws.amazon.com/tags"
SOURCE: Final = "https://aws.amazon.com/source_identity"
_NAME: Final = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_MOST: Final = 50


def aws_claims(claims: Mapping[str, Any]) -> Fact[AwsAttributes]:
    """Give what *claims* say for AWS."""
    tags, source = claims.get(TAGS), claims.get(SOURCE)
    if tags is None and source is None:
        return Missing.ABSENT
    found = _tags(tags) if tags is not None else ((), ())
    if found is None or not (source is None or (isinstance(source, str) and _is_source(source))):
        return Missing.UNKNOWN
    return Known(AwsAttributes(tags=found[0], transitive_tags=found[1], source_identity=source))


def _is_source(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and not text.lower().startswith("aws:")


def _tags(claim: object) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]] | None:
    """Read tags, each a list of one text, and the keys of those that are passed on; None where they are none."""
    if not isinstance(claim, Mapping):
        return None
    named, passed_on = claim.get("principal_tags"), claim.get("transitive_tag_keys", [])
    if not isinstance(named, Mapping) or not isinstance(passed_on, list) or len(named) > _MOST:
        return None
    tags: list[tuple[str, str]] = []
    for name, value in named.items():
        if not isinstance(value, list) or len(value) != 1 or not _is_tag(name, 1, 128) or not _is_tag(value[0], 0, 256):
            return None
        tags.append((name, value[0]))
    folded = {name.lower() for name, _ in tags}
    if len(folded) != len(tags) or any(name.startswith("aws:") for name in folded):
        return None
    if not all(isinstance(name, str) and name.lower() in folded for name in passed_on):
        return None
    return tuple(tags), tuple(dict.fromkeys(passed_on))


def _is_tag(text: object, least: int, most: int) -> bool:
    if not isinstance(text, str) or not least <= len(text) <= most:
        return False
    return all(letter in "_.:/=+-@" or category(letter)[0] in "LZN" for letter in text)
