"""Names of functions as Lambda's clients write them: a name, ``ACCOUNT:function:NAME`` or an ARN. Pure.

AWS's own pattern takes more, and reads some of it in two ways (``function:report`` is a function and an alias, or a
function alone). What can be read in two ways is refused here.
"""

import re
from dataclasses import dataclass
from typing import Final

from actas.http.lambda_api.errors import InvalidName, QualifiersDiffer

LATEST: Final = "$LATEST"
LONGEST: Final = 140
_QUALIFIER: Final = r"\$LATEST|[a-zA-Z0-9_-]{1,128}"
_NAME: Final = re.compile(
    r"(?:(?:arn:(?P<partition>aws(?:-[a-z]{1,8}){0,3}):lambda:(?P<region>[a-z]{2,5}(?:-[a-z]{1,12}){1,3}-[0-9]):)?"
    rf"(?P<account>[0-9]{{12}}):function:)?(?P<name>[a-zA-Z0-9_-]{{1,64}})(?::(?P<qualifier>{_QUALIFIER}))?"
)
_ONE: Final = re.compile(_QUALIFIER)
_TWO_WAYS: Final = re.compile(r"function|[0-9]{12}|arn")
"""Bare names that, with a qualifier after them, AWS reads as the beginning of something longer."""
_PATTERN: Final = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName:
    """What a caller calls a function by; None is what they left open."""

    name: str
    account: str | None = None
    region: str | None = None
    partition: str | None = None
    qualifier: str | None = None


def function_name(text: str, qualifier: str | None = None) -> FunctionName:
    """Read a name, and the query's ``Qualifier`` beside it; refuse where they contradict each other."""
    found = _NAME.fullmatch(text) if len(text) <= LONGEST else None
    if found is None or (found["account"] is None and found["qualifier"] and _TWO_WAYS.fullmatch(found["name"])):
        wanted = f"Member must satisfy regular expression pattern: {_PATTERN}"
        if found is None and len(text) > LONGEST:
            wanted = f"Member must have length less than or equal to {LONGEST}"
        raise InvalidName(field="functionName", value=text, wanted=wanted)
    if qualifier is not None and not _ONE.fullmatch(qualifier):
        wanted = "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"
        raise InvalidName(field="qualifier", value=qualifier, wanted=wanted)
    inside = found["qualifier"]
    if inside is not None and qualifier is not None and inside != qualifier:
        raise QualifiersDiffer
    return FunctionName(
        name=found["name"],
        account=found["account"],
        region=found["region"],
        partition=found["partition"],
        qualifier=inside if inside is not None else qualifier,
    )
