"""What the Lambda API shows of functions: those that the caller may call, and nothing of how they are made. Pure."""

import base64
import binascii
import json
import math
import platform
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from actas.gateway import Gateway
from actas.http.lambda_api.asking import at_most
from actas.http.lambda_api.directory import Directory, Known
from actas.http.lambda_api.errors import InvalidName, not_authorized
from actas.http.lambda_api.names import LATEST
from actas.http.lambda_api.operations import Done
from actas.http.lambda_api.wording import Answer, denied, plain
from actas.model.call import Call
from actas.model.decision import Allow
from actas.model.held import Held

PAGE: Final = 50
_NUMBER: Final = re.compile(r"[0-9]+")
_ARCHITECTURES: Final = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def functions(gateway: Gateway, directory: Directory, call: Call, held: Held, query: dict[str, str]) -> Answer:
    """List the functions that whoever showed *held* may call, a page of them."""
    if query.get("FunctionVersion", "ALL") != "ALL":
        raise InvalidName(
            field="functionVersion", value=query["FunctionVersion"], wanted="Member must satisfy enum value set: [ALL]"
        )
    most = at_most(query.get("MaxItems"), most=PAGE, otherwise=PAGE)
    after = _after(query.get("Marker"))
    # What is outside the session's fence need not be asked about: a list of a thousand functions costs little.
    fence = frozenset(held.functions)
    names = (name for name in directory.names if name > after and directory.by_name[name].arn in fence)
    found = [name for name, _ in islice(gateway.reach(call, held, names), most + 1)]
    shown = [configuration(directory.by_name[name], held) for name in found[:most]]
    body: dict[str, Any] = {"Functions": shown}
    if len(found) > most:
        body["NextMarker"] = base64.urlsafe_b64encode(found[most - 1].encode()).decode()
    return _page(body, call)


def _after(marker: str | None) -> str:
    """Read a marker: the last name of the page before."""
    if not marker:
        return ""
    try:
        name = base64.b64decode(marker, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        name = ""
    if not re.fullmatch(r"[a-z0-9_-]{1,64}", name):
        raise InvalidName(field="marker", value=marker, wanted="Member must be a marker that was given out")
    return name


def function(gateway: Gateway, call: Call, held: Held, known: Known | None, *, page: Done, arn: str) -> Answer:
    """Show one function, or say no; the same no for one that there is not."""
    names: Iterable[str] = (known.name,) if known else ()
    may = next((answer for _, answer in gateway.reach(call, held, names)), None)
    if known is None or may is None:
        action = f"lambda:{page.value}"
        return denied(not_authorized(held.arn, action, arn, explicit=False), call.id)
    match page:
        case Done.GET:
            return _page({"Configuration": configuration(known, held), "Code": {}, "Tags": {}}, call)
        case Done.POLICY:
            return _page({"Policy": json.dumps(_policy(known, held, may)), "RevisionId": may.grant.generation}, call)
        case _:
            return _page(configuration(known, held), call)


def configuration(known: Known, held: Held) -> dict[str, Any]:
    """Describe a function: no environment, no path, nothing that a caller need not know."""
    settings = known.settings
    told: dict[str, Any] = {
        "FunctionName": known.name,
        "FunctionArn": known.bare_arn if known.qualifier == LATEST else known.arn,
        "Version": known.qualifier if _NUMBER.fullmatch(known.qualifier) else LATEST,
        "Role": held.role_arn,
        "Description": "",
        "Timeout": math.ceil(settings.timeout.seconds),
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "TracingConfig": {"Mode": "PassThrough"},
    }
    if settings.python is None and settings.node is None:
        return told
    handler = settings.python or settings.node or ""
    file, _, name = handler.rpartition(":")
    return told | {
        "Runtime": "nodejs" if settings.node else "python" + ".".join(platform.python_version_tuple()[:2]),
        "Handler": f"{re.split(r'[/.]', file)[-2]}.{name}",
        "MemorySize": settings.memory.bytes // 1024**2,
        "Architectures": [_ARCHITECTURES.get(platform.machine(), "x86_64")],
    }


def _policy(known: Known, held: Held, may: Allow) -> dict[str, Any]:
    """Write what this session may do to the function, as a policy: its rules are the statements.

    The principal is the session itself, so that the policy says no more than is true.
    """
    standing = dict.fromkeys(reason.rule for reason in may.reasons if reason.rule is not None)
    statements = [
        {
            "Sid": rule,
            "Effect": "Allow",
            "Principal": {"AWS": held.arn},
            "Action": "lambda:InvokeFunction",
            "Resource": known.bare_arn if known.qualifier == LATEST else known.arn,
        }
        for rule in standing
    ]
    return {"Version": "2012-10-17", "Id": "default", "Statement": statements}


def _page(body: dict[str, Any], call: Call) -> Answer:
    content = json.dumps(body).encode()
    return 200, plain(call.id, len(content)), content
