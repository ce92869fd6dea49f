"""Say which addresses an HTTP backend may have; pure: it judges what was resolved already."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# They hand credentials to whoever asks, and some are inside private ranges: never asked, whatever is set.
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def refused(address: str, *, private: bool) -> str | None:
    """Give the kind of an address that is not connected to; None where it may be."""
    real = _embedded(ip_address(address.partition("%")[0]))
    if real in _METADATA:
        return "metadata service's"
    if real.is_link_local or real.is_multicast or real.is_unspecified:
        return "link-local, multicast or unspecified"
    # Not `is_private`: 100.64.0.0/10 is neither private nor global (protocols of the field: CGNAT).
    if not real.is_global and not private:
        return "private"
    return None


def _embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address
