"""Credentials in the forms that AWS's own tools read. Pure."""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC
from typing import Final, Literal

from actas.cli.aws.sts import Taken

Shell = Literal["sh", "fish", "powershell"]
CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
)  # fmt: skip
_QUOTES: Final = re.compile("['\u2018-\u201b]")
"""What ends a text in PowerShell: the typographic quotes too (about_Quoting_Rules)."""
OTHER_WAYS: Final = (
    *CREDENTIALS, "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_CREDENTIAL_FILE", "BOTO_CONFIG", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)  # fmt: skip
"""Variables by which a program would find other credentials than those we give it, or not the gateway they are for."""


def process_json(taken: Taken) -> str:
    """Write what ``credential_process`` expects (AWS SDKs and Tools Reference, "Process credential provider")."""
    return json.dumps(
        {
            "Version": 1,
            "AccessKeyId": taken.access_key_id,
            "SecretAccessKey": taken.secret_access_key,
            "SessionToken": taken.session_token,
            "Expiration": expiration(taken),
        }
    )


def container_json(taken: Taken, role: str) -> str:
    """Write what the container credentials endpoint answers ("Container credential provider" there)."""
    return json.dumps(
        {
            "RoleArn": role,
            "AccessKeyId": taken.access_key_id,
            "SecretAccessKey": taken.secret_access_key,
            "Token": taken.session_token,
            "Expiration": expiration(taken),
        }
    )


def expiration(taken: Taken) -> str:
    """Write the end as AWS does, in whole seconds, never later than it is."""
    return taken.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def variables(taken: Taken) -> dict[str, str]:
    """Give the credentials as environment variables."""
    return {
        "AWS_ACCESS_KEY_ID": taken.access_key_id,
        "AWS_SECRET_ACCESS_KEY": taken.secret_access_key,
        "AWS_SESSION_TOKEN": taken.session_token,
        "AWS_CREDENTIAL_EXPIRATION": expiration(taken),
    }


def places(control: str, public: str | None, region: str | None) -> dict[str, str]:
    """Say where STS and Lambda are: at the gateway, for whom these credentials are."""
    found = {"AWS_ENDPOINT_URL_STS": control}
    if public is not None:
        found["AWS_ENDPOINT_URL_LAMBDA"] = public
    if region is not None:
        found |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return found


def assignments(values: Mapping[str, str], shell: Shell) -> str:
    """Write lines that a shell evaluates."""
    match shell:
        case "sh":
            lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
        case "fish":
            lines = [f"set -gx {name} {_fish(value)}" for name, value in values.items()]
        case "powershell":
            lines = [f"$Env:{name} = {_powershell(value)}" for name, value in values.items()]
    return "\n".join(lines)


def _fish(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _powershell(value: str) -> str:
    doubled = _QUOTES.sub(r"\g<0>\g<0>", value)
    return f"'{doubled}'"


def failure_json(code: str, message: str) -> str:
    """Write why the container credentials endpoint gives none."""
    return json.dumps({"code": code, "message": message})
