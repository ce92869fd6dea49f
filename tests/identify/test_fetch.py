"""The fetcher against real servers on loopback, which `private: true` allows."""

import ipaddress
import ssl
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from actas.identify import errors
from actas.identify.fetch import Fetcher
from actas.identify.flow import Wish
from actas.model import clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def fetch(tmp_path):
    return Fetcher(base=tmp_path, slowest=5.0)


def wish(house, path, **more):
    return Wish(url=house.origin + path, private=True, **more)


async def test_an_answer_comes_with_status_headers_and_body(house, fetch):
    house.answers["/x"] = 200, {"Cache-Control": "max-age=60"}, {"a": 1}

    answer = await fetch(wish(house, "/x?y=z"[:2]))

    assert (answer.status, answer.body, answer.header("cache-control")) == (200, b'{"a": 1}', "max-age=60")


async def test_the_urls_own_host_is_named_although_an_address_is_connected_to(house, fetch):
    house.answers["/x"] = 200, {}, {}

    await fetch(Wish(url=house.origin.replace("127.0.0.1", "localhost") + "/x", private=True))

    assert house.requests[0][2]["Host"] == f"localhost:{house.origin.rpartition(':')[2]}"


async def test_loopback_is_refused_where_the_provider_is_not_private(house, fetch):
    port = house.origin.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        with pytest.raises((errors.AddressRefused, errors.Unreachable)):
            await fetch(Wish(url=f"https://{host}:{port}/x"))

    assert house.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(house, fetch, status):
    house.answers["/from"] = status, {"Location": "/to"}, {}

    with pytest.raises(errors.UnexpectedAnswer, match="redirected"):
        await fetch(wish(house, "/from"))

    assert house.count("/to") == 0


@pytest.mark.parametrize(("size", "is_taken"), [(1000, True), (1001, False)])
async def test_an_answer_is_read_up_to_its_limit(house, fetch, size, is_taken):
    house.answers["/x"] = 200, {}, b"x" * size

    if is_taken:
        assert len((await fetch(wish(house, "/x", limit=1000))).body) == size
    else:
        with pytest.raises(errors.UnexpectedAnswer, match="more than 1000 bytes"):
            await fetch(wish(house, "/x", limit=1000))


async def test_a_provider_that_never_answers_is_given_up(house, tmp_path):
    house.gate = threading.Event()

    with pytest.raises(errors.Unreachable, match="no answer within"):
        await Fetcher(base=tmp_path, slowest=0.2)(wish(house, "/x"))


async def test_nobody_listening_is_unreachable(house, fetch):
    house.close()

    with pytest.raises(errors.Unreachable, match="no connection"):
        await fetch(wish(house, "/x"))
    house._server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # for the fixture to close
    house._thread = threading.Thread(target=house._server.serve_forever, daemon=True)
    house._thread.start()


async def test_a_server_that_hangs_up_speaks_no_http(house, fetch):
    house.down = True

    with pytest.raises(errors.Unreachable):
        await fetch(wish(house, "/x"))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "a..example"])
async def test_a_name_that_does_not_resolve_is_unreachable(fetch, host):
    with pytest.raises((errors.Unreachable, errors.UrlRefused)):
        await fetch(Wish(url=f"https://{host}/x"))


def certificate(name):
    """Make a certificate authority that is its own server, for *name*."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternative = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    start = clock.now() - timedelta(hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private


@pytest.fixture
def encrypted(tmp_path):
    """A server with TLS, whose certificate is for localhost and stands in ca.pem."""
    public, private = certificate("localhost")
    (tmp_path / "ca.pem").write_bytes(public)
    (tmp_path / "server.pem").write_bytes(public + private)
    names = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    class Quiet(HTTPServer):
        def handle_error(self, request, client_address):
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port, names
    server.shutdown()
    server.server_close()
    thread.join()


async def test_the_certificate_is_checked_for_the_urls_name_by_the_settings_authority(encrypted, fetch):
    port, names = encrypted

    answer = await fetch(Wish(url=f"https://localhost:{port}/x", private=True, ca="ca.pem"))

    assert answer.body == b"{}"
    assert names == ["localhost"]


async def test_a_certificate_for_another_name_or_by_another_authority_is_refused(encrypted, fetch):
    port, _ = encrypted

    with pytest.raises(errors.Unreachable, match="certificate"):
        await fetch(Wish(url=f"https://127.0.0.1:{port}/x", private=True, ca="ca.pem"))
    with pytest.raises(errors.Unreachable, match="certificate"):
        await fetch(Wish(url=f"https://localhost:{port}/x", private=True))


async def test_an_authority_whose_file_is_missing_trusts_nobody(encrypted, fetch):
    port, _ = encrypted

    with pytest.raises(errors.Unreachable):
        await fetch(Wish(url=f"https://localhost:{port}/x", private=True, ca="missing.pem"))
