"""Read URLs, origins and listening addresses, and say what is wrong with one. Pure."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/\s]+)):(?P<port>0|[1-9][0-9]{0,4})")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A URL taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a browser tells sites apart by (RFC 6454, section 4)."""
        return self.scheme, self.host, self.port


def url(text: str) -> Url | str:
    """Take *text* apart; a text back is what is wrong with it."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        return "has a character that a URL cannot have"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "has a host or a port that is none"
    if parts.scheme not in _PORTS or not text.startswith(f"{parts.scheme}://"):
        return "does not start with https:// or http://"
    if "@" in parts.netloc:
        return "has a user or a password in it"
    if not parts.hostname or not _is_host(parts.hostname):
        return "has no host"
    if "?" in text or "#" in text:
        return "has a query or a fragment"
    return Url(scheme=parts.scheme, host=parts.hostname, port=port or _PORTS[parts.scheme], path=parts.path)


def listens(text: str) -> tuple[str, int] | None:
    """Read ``127.0.0.1:8700``, ``[::1]:8700`` or ``host:8700``; None where it is none."""
    found = _LISTEN.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        return None
    host = found["six"] or found["host"]
    if found["six"] is None and not _is_host(host):
        return None
    if found["six"] is not None and not _is_address(host):
        return None
    return host, int(found["port"])


def is_loopback(host: str) -> bool:
    """Tell whether *host* is this machine."""
    if host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost"):
        return True
    return _is_address(host) and ip_address(host).is_loopback


def is_private(host: str) -> bool:
    """Tell whether *host*, as it is written, is an address that the outside cannot reach."""
    return is_loopback(host) or (_is_address(host) and not ip_address(host).is_global)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_host(host: str) -> bool:
    if re.fullmatch(r"[0-9.]+", host) or ":" in host:
        return _is_address(host)
    return _HOST.fullmatch(host) is not None
