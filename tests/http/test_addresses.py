"""Where a call comes from: only declared proxies are believed, and of a header only what they wrote themselves."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.http.addresses import Peers, client, network
from actas.model.facts import Known, Missing
from actas.settings.schema import Proxies
from actas.settings.values import Network

FORWARDED = "Forwarded"
X = "X-Forwarded-For"
PUBLIC, OTHER = "203.0.113.7", "198.51.100.9"


def proxies(header=X, *networks):
    return Proxies(networks=tuple(Network.read(one) for one in networks or ("10.0.0.0/8", "fd00::/8")), header=header)


def seen(peer, *values, header=X, by=None):
    headers = [(header.lower().encode(), value.encode()) for value in values]
    return client(peer, headers, by)


def known(text):
    return Known(ip_address(text))


ALONE = [
    ("a public IPv4 peer is the client", "1.1.1.1", known("1.1.1.1")),
    ("a public IPv6 peer is the client", "2606:4700::1111", known("2606:4700::1111")),
    ("an IPv4 address in IPv6's clothes is that address", "::ffff:1.1.1.1", known("1.1.1.1")),
    ("a private peer may be a proxy that nobody declared", "10.1.2.3", Missing.UNKNOWN),
    ("so may loopback", "127.0.0.1", Missing.UNKNOWN),
    ("so may a carrier's shared address", "100.64.0.1", Missing.UNKNOWN),
    ("so may a link-local one", "fe80::1", Missing.UNKNOWN),
    ("a scoped address is no client's", "fe80::1%eth0", Missing.UNKNOWN),
    ("a socket's path is no address", "", Missing.UNKNOWN),
]


@pytest.mark.parametrize(("peer", "found"), [one[1:] for one in ALONE], ids=[one[0] for one in ALONE])
@pytest.mark.parametrize("header", [X, FORWARDED, "X-Real-IP"])
def test_without_declared_proxies_headers_count_for_nothing(peer, found, header):
    assert seen(peer, "8.8.8.8", header=header) == found


BEHIND = [
    ("the proxy's own entry counts", "10.0.0.1", X, ["8.8.8.8"], known("8.8.8.8")),
    ("what the client wrote before it does not", "10.0.0.1", X, ["1.1.1.1, 8.8.8.8"], known("8.8.8.8")),
    ("nor in a field of its own", "10.0.0.1", X, ["1.1.1.1", "8.8.8.8"], known("8.8.8.8")),
    ("declared proxies in a row are passed over", "10.0.0.1", X, ["1.1.1.1, 8.8.8.8, 10.0.0.9"], known("8.8.8.8")),
    ("a client who names a declared proxy wins nothing", "10.0.0.1", X, ["10.0.0.5, 8.8.8.8"], known("8.8.8.8")),
    ("proxies alone tell of no client", "10.0.0.1", X, ["10.0.0.5, 10.0.0.9"], Missing.UNKNOWN),
    ("no header tells of no client", "10.0.0.1", X, [], Missing.UNKNOWN),
    ("garbage tells of no client", "10.0.0.1", X, ["8.8.8.8, unknown"], Missing.UNKNOWN),
    ("garbage before the client harms nobody", "10.0.0.1", X, ["<script>, 8.8.8.8"], known("8.8.8.8")),
    ("an empty entry tells of no client", "10.0.0.1", X, ["8.8.8.8,"], Missing.UNKNOWN),
    ("a peer that is not declared is the client itself", "9.9.9.9", X, ["8.8.8.8"], known("9.9.9.9")),
    ("and a private one is unknown", "192.168.0.1", X, ["8.8.8.8"], Missing.UNKNOWN),
    ("of two headers the one that was declared counts", "10.0.0.1", FORWARDED, [], Missing.UNKNOWN),
    ("a proxy over IPv6", "fd00::1", X, ["2606:4700::1111"], known("2606:4700::1111")),
    ("a private client behind a declared proxy is known", "10.0.0.1", X, ["192.168.7.7"], known("192.168.7.7")),
    ("Forwarded", "10.0.0.1", FORWARDED, ["for=8.8.8.8;proto=https"], known("8.8.8.8")),
    ("Forwarded, with a port", "10.0.0.1", FORWARDED, ['for="8.8.8.8:4711"'], known("8.8.8.8")),
    ("Forwarded, IPv6", "10.0.0.1", FORWARDED, ['FOR="[2606:4700::1111]:80"'], known("2606:4700::1111")),
    ("Forwarded, spoofed before", "10.0.0.1", FORWARDED, ["for=1.1.1.1, for=8.8.8.8"], known("8.8.8.8")),
    ("Forwarded, a quote left open before", "10.0.0.1", FORWARDED, ['for="1.1.1.1, for=8.8.8.8'], known("8.8.8.8")),
    ("Forwarded, hidden", "10.0.0.1", FORWARDED, ["for=_gazonk"], Missing.UNKNOWN),
    ("Forwarded, unknown", "10.0.0.1", FORWARDED, ["for=unknown"], Missing.UNKNOWN),
    ("Forwarded, twice in one", "10.0.0.1", FORWARDED, ["for=1.1.1.1;for=8.8.8.8"], Missing.UNKNOWN),
    ("Forwarded, without for", "10.0.0.1", FORWARDED, ["by=8.8.8.8"], Missing.UNKNOWN),
]


@pytest.mark.parametrize(
    ("peer", "header", "values", "found"), [one[1:] for one in BEHIND], ids=[one[0] for one in BEHIND]
)
def test_of_a_declared_proxy_only_what_it_wrote_itself_is_believed(peer, header, values, found):
    assert seen(peer, *values, header=header, by=proxies(header)) == found


def test_a_header_that_was_not_declared_is_not_looked_at():
    assert seen("10.0.0.1", "for=8.8.8.8", header=FORWARDED, by=proxies(X)) is Missing.UNKNOWN


@pytest.mark.parametrize(("count", "found"), [(20, known("8.8.8.8")), (21, Missing.UNKNOWN)])
def test_a_chain_without_end_is_not_read(count, found):
    assert seen("10.0.0.1", ", ".join(["1.1.1.1"] * (count - 1) + ["8.8.8.8"]), by=proxies()) == found


NETWORKS = [
    ("an IPv4 address is a network of its own", PUBLIC, Missing.UNKNOWN, PUBLIC),
    ("an IPv6 caller owns a /64", "2606:4700::1", Missing.UNKNOWN, "2606:4700::/64"),
    ("behind a proxy the client's counts", "10.0.0.1", known(OTHER), OTHER),
    ("a peer that cannot be read is one with its like", "", Missing.UNKNOWN, "unknown"),
]


@pytest.mark.parametrize(("peer", "address", "found"), [one[1:] for one in NETWORKS], ids=[one[0] for one in NETWORKS])
def test_limits_go_by_networks(peer, address, found):
    assert network(peer, address) == found


def test_peers_are_remembered_but_not_what_their_headers_say():
    remembered, behind = Peers(None, most=2), Peers(proxies())

    for peer in ("1.1.1.1", "9.9.9.9", "8.8.8.8", "1.1.1.1"):
        assert remembered.place(peer, []) == (known(peer), peer)
    for one in ("8.8.8.8", "9.9.9.9"):
        assert behind.place("10.0.0.1", [(b"x-forwarded-for", one.encode())]) == (known(one), one)


@given(st.text(max_size=40), st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([X, FORWARDED]))
def test_whatever_a_header_says_gives_an_address_or_none(peer, values, header):
    headers = [(header.lower().encode(), value) for value in values]

    for one in (peer, "10.0.0.1"):
        found = client(one, headers, proxies(header))
        assert found is Missing.UNKNOWN or isinstance(found, Known)
        assert network(one, found)


@given(st.ip_addresses(), st.lists(st.text("0123456789abcdef:., unkow", max_size=20), max_size=5))
def test_what_a_client_writes_never_changes_what_the_proxy_wrote(address, written):
    written = ", ".join([*written, str(address)])
    alone = seen("10.0.0.1", str(address), by=proxies())

    assert seen("10.0.0.1", written, by=proxies()) in (alone, Missing.UNKNOWN)
