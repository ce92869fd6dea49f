"""Where a call comes from: the peer's address, or what a declared proxy says of it. Pure.

The client's address is unknown when the peer is private and no proxy is declared (design.md, 8.9): behind an
undeclared proxy every caller would look alike. Only a peer inside ``gateway.proxies.networks`` is believed, and of
the header only the part that declared proxies wrote, read from the right.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from actas.model.call import Address
from actas.model.facts import Fact, Known, Missing
from actas.settings.schema import Proxies

_MOST = 20


class Peers:
    """Where calls come from, remembered by peer: the same few connect again and again."""

    def __init__(self, proxies: Proxies | None, most: int = 10_000) -> None:
        self._proxies, self._most = proxies, most
        self._known: dict[str, tuple[Fact[Address], str]] = {}

    def place(self, peer: str, headers: list[tuple[bytes, bytes]]) -> tuple[Fact[Address], str]:
        """Say where a call comes from, and the network that limits go by."""
        found = self._known.get(peer)
        if found is not None:
            return found
        address = client(peer, headers, self._proxies)
        found = address, network(peer, address)
        if self._proxies is None:  # else it rests on the headers too
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[peer] = found
        return found


def client(peer: str, headers: list[tuple[bytes, bytes]], proxies: Proxies | None) -> Fact[Address]:
    """Say where the call comes from, as far as can be believed."""
    address = _read(peer)
    if address is None:
        return Missing.UNKNOWN
    if proxies is None or not _declared(address, proxies):
        return Known(address) if address.is_global else Missing.UNKNOWN
    return _behind(headers, proxies)


def network(peer: str, known: Fact[Address]) -> str:
    """Name the network that limits and counts go by: the IPv4 address, the IPv6 /64."""
    address = known.value if isinstance(known, Known) else _read(peer)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)


def _behind(headers: list[tuple[bytes, bytes]], proxies: Proxies) -> Fact[Address]:
    name = proxies.header.lower().encode()
    lines = [value for key, value in headers if key == name]
    hops = [hop.strip() for line in lines for hop in line.decode("latin-1").split(",")]
    if not hops or len(hops) > _MOST:
        return Missing.UNKNOWN
    for hop in reversed(hops):
        address = _read(hop if proxies.header == "X-Forwarded-For" else _for(hop))
        if address is None:
            return Missing.UNKNOWN
        if not _declared(address, proxies):
            return Known(address)
    return Missing.UNKNOWN


def _for(element: str) -> str:
    """Find the ``for`` node of a forwarded element (RFC 7239, section 4)."""
    found = [pair[4:] for pair in element.replace(" ", "").split(";") if pair[:4].lower() == "for="]
    if len(found) != 1:
        return ""
    node = found[0].removeprefix('"').removesuffix('"')
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0]


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _declared(address: IPv4Address | IPv6Address, proxies: Proxies) -> bool:
    return any(address in one.net for one in proxies.networks if one.net.version == address.version)
