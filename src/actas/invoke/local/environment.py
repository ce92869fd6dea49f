"""What a function finds in its environment: what Lambda would put there, its session, its own settings.

Pure. Nothing of the gateway's own environment is in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from actas.model.secret import Secret
from actas.model.session import Bearer, Session

_SPARE = {"python": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin", "node": "/usr/local/bin:/usr/bin:/bin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an environment says of the function."""

    function: str
    handler: str
    task_root: str
    runtime: str
    version: str
    memory: int
    """Bytes."""
    region: str
    log_stream: str
    ways_out: Mapping[str, str] = field(default_factory=dict)
    """Where the function reaches the gateway, by what is there; nothing where it cannot."""


def build(about: About, own: Mapping[str, Secret | str], work: Session | None) -> dict[str, str]:
    """Put the environment together; what Lambda reserves cannot be overridden."""
    environment = {name: value.reveal() if isinstance(value, Secret) else value for name, value in own.items()}
    for name, url in _ways_out(about.ways_out):
        environment.setdefault(name, url)
    environment |= {
        "PATH": environment.get("PATH", _SPARE[about.runtime]),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": about.handler,
        "LAMBDA_TASK_ROOT": about.task_root,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_REGION": about.region,
        "AWS_DEFAULT_REGION": about.region,
        "AWS_LAMBDA_FUNCTION_NAME": about.function,
        "AWS_LAMBDA_FUNCTION_VERSION": about.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(about.memory // (1024 * 1024)),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{about.function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": about.log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in _NEVER:
        environment.pop(name, None)
    if work:
        environment |= {
            "AWS_ACCESS_KEY_ID": work.access_key_id,
            "AWS_SECRET_ACCESS_KEY": work.secret_access_key.reveal(),
            "AWS_SESSION_TOKEN": work.session_token.reveal(),
            **_elsewhere(work.bearer),
        }
    return environment


def _elsewhere(bearer: Bearer | None) -> dict[str, str]:
    """Hand over a token for another cloud, under our name and those that tools of that cloud look for."""
    if bearer is None:
        return {}
    names = ("ACTAS_BEARER_TOKEN", *_BEARER[bearer.cloud])
    ends = f"{bearer.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    return {**dict.fromkeys(names, bearer.token.reveal()), "ACTAS_BEARER_EXPIRES_AT": ends}


def _ways_out(addresses: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name the gateway as AWS's clients look for it, and as anything else may."""
    for way, address in addresses.items():
        for name in _ENDPOINTS[way]:
            yield name, f"http://{address}"


_ENDPOINTS = {
    "public": ("AWS_ENDPOINT_URL_LAMBDA", "ACTAS_ENDPOINT"),
    "control": ("AWS_ENDPOINT_URL_STS", "ACTAS_STS_ENDPOINT"),
}
_BEARER = {"azure": (), "google": ("CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN")}
_NEVER = (
    "ACTAS_BEARER_EXPIRES_AT",
    "ACTAS_BEARER_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_EXECUTION_ENV",  # the Python client would poll in a thread of its own: a thousand wake-ups a second
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_RUNTIME_API",
    "_LAMBDA_TELEMETRY_LOG_FD",
)
"""Names that are Lambda's own and that the settings cannot fill."""


def log_stream(version: str, process: str, now: datetime) -> str:
    """Name a process's log stream as Lambda does."""
    return f"{now:%Y/%m/%d}/[{version}]{process}"
