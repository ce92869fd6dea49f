"""Which URLs and addresses are ever connected to (CWE-918: a provider's URL must not lead inside).

Pure: it judges addresses that were resolved already, so that exactly the address that was judged is connected to.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from actas.identify.errors import AddressRefused, UrlRefused

Address = IPv4Address | IPv6Address

# Services that hand credentials to whoever asks live here, also inside private ranges: never, whatever is set.
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_LONGEST: Final = 2048


def check_url(url: str, *, private: bool) -> SplitResult:
    """Take *url* apart; refuse it where no request may be made to it."""
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise UrlRefused(why="is too long or has characters that URLs have not")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise UrlRefused(why="cannot be read") from wrong
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise UrlRefused(why="is no https URL with a host")
    if parts.scheme == "http" and not private:
        raise UrlRefused(why="is http, not https")
    if "@" in parts.netloc or "#" in url:
        raise UrlRefused(why="has a user name or a fragment")
    return parts


def check_address(address: Address, *, host: str, private: bool, encrypted: bool) -> None:
    """Refuse *address* unless it is public, or private and allowed."""
    real = embedded(address)
    if real in _METADATA or real.is_link_local or real.is_multicast or real.is_unspecified or _is_reserved(real):
        raise AddressRefused(host=host, why="an address that is never connected to (link-local, metadata or reserved)")
    if real.is_global:
        if not encrypted:
            raise AddressRefused(host=host, why="a public address, where http is not taken")
        return
    # Not `is_private`: the shared range 100.64.0.0/10 is neither private nor global (protocols.md, 10.3).
    if not private:
        raise AddressRefused(host=host, why="an address that is not public")


def embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or _compatible(address) or address


def _compatible(address: IPv6Address) -> IPv4Address | None:
    """Read the old ``::a.b.c.d`` form; ``::1`` is the loopback address and stays what it is."""
    number = int(address)
    return IPv4Address(number) if 1 < number < 2**32 else None


def _is_reserved(address: Address) -> bool:
    return address.is_reserved and not address.is_loopback
