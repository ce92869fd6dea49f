"""A hostile function tries to get at what is not its own; every attempt fails, and would not without the walls.

The control, `test_without_walls…`, runs the same attempts where isolation is switched off, so that an attempt that
could never succeed proves nothing.
"""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from actas.invoke.origins import of

pytestmark = pytest.mark.anyio

THIEF = r"""
import ctypes, json, os, signal, socket, struct, sys

libc = ctypes.CDLL(None, use_errno=True)

def attempt(what):
    try:
        return what() or "nothing"
    except BaseException as wrong:
        return "refused: " + (getattr(wrong, "strerror", None) or type(wrong).__name__)

def read(path):
    with open(path, "rb") as file:
        found = file.read(64).decode("latin-1")
        return found and "got " + found

def memory(process, marker):
    # look for the marker in the heap of another process
    with open(f"/proc/{process}/maps") as maps:
        heaps = [line.split()[0].split("-") for line in maps if "rw-p" in line]
    found = 0
    with open(f"/proc/{process}/mem", "rb", buffering=0) as mem:
        for start, end in heaps:
            mem.seek(int(start, 16))
            try:
                found += marker.encode() in mem.read(min(int(end, 16) - int(start, 16), 1 << 26))
            except OSError:
                continue
    return "got it" if found else None

def trace(process):
    if libc.ptrace(16, process, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(process, 0x40000000)
    libc.ptrace(17, process, 0, 0)
    return "got hold"

def copy(process):
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
    with open(f"/proc/{process}/maps") as maps:
        address = int(next(line for line in maps if "rw-p" in line).split("-")[0], 16)
    held = ctypes.create_string_buffer(8)
    here, there = Vector(ctypes.addressof(held), 8), Vector(address, 8)
    if libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "got eight bytes"

def send(process):
    os.kill(process, 0)
    return "got through"

def dial(address, port):
    with socket.create_connection((address, port), 1) as found:
        return "got through"

def poll(port):
    if os.environ["AWS_LAMBDA_RUNTIME_API"].endswith(f":{port}"):
        return "own"
    with socket.create_connection(("127.0.0.1", port), 1) as found:
        found.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        return "got through"

def ask(port):
    # speak to the gateway by another's way out, and so as if that one's call were ours
    if os.environ["ACTAS_ENDPOINT"].endswith(f":{port}"):
        return "own"
    with socket.create_connection(("127.0.0.1", port), 1) as found:
        found.sendall(b"GET /stolen HTTP/1.1\r\nHost: x\r\n\r\n")
        return "got " + found.recv(12).decode()

def through(target):
    # have the gateway fetch what only it can reach
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as found:
        found.sendall(b"GET %b HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n" % target)
        return "got it" if b"secret" in found.recv(65536) else None

def abstract(name):
    with socket.socket(socket.AF_UNIX) as found:
        found.connect("\0" + name)
        return "got through"

def others():
    own = {os.getpid(), os.getppid(), 1}
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in own]
    return f"got {len(seen)}" if seen else None

def descriptors():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if int(name) > 2 and not is_own(int(name), target):
            found.append(target)
    return "got " + " ".join(found) if found else None

def is_own(number, target):
    if "/proc/" in target or target.startswith("anon_inode:"):
        return True
    if not target.startswith("socket:"):
        return False
    with socket.socket(fileno=os.dup(number)) as found:
        if found.family == socket.AF_UNIX:  # the runtime client's own pair
            return struct.unpack("3i", found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0] == os.getpid()
        return "%s:%d" % found.getpeername() == os.environ["AWS_LAMBDA_RUNTIME_API"]

def home(path):
    known = (sys.prefix, sys.base_prefix)  # in view for the interpreter's sake
    strange = [name for name in os.listdir(path) if not any(f"{path}/{name}" in folder for folder in known)]
    return "got " + " ".join(strange) if strange else None

def environments(marker):
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if marker.encode() in open(f"/proc/{name}/environ", "rb").read():
                    return "got it"
            except OSError:
                continue

def namespaces():
    if libc.unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "got a user namespace"

def mount():
    if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "got a mount"

def root():
    os.setuid(0)
    return "got root"

def vsock():
    socket.socket(40, socket.SOCK_STREAM).close()
    return "got one"

def handler(event, context):
    victim, sibling = event["gateway"], event["sibling"]
    tries = {
        "the key ring": lambda: read(event["ring"]),
        "the state folder": lambda: "got " + " ".join(os.listdir(event["state"])),
        "the state folder through the code": lambda: "got " + " ".join(os.listdir(event["inner_state"])),
        "a file with a secret beside the code": lambda: read(event["inner_secret"]),
        "the gateway's environment": lambda: read(f"/proc/{victim}/environ"),
        "the gateway's memory": lambda: memory(victim, event["marker"]),
        "a sibling's environment": lambda: environments(event["sibling_key"]),
        "a sibling's memory": lambda: memory(sibling, event["sibling_key"]),
        "other processes": others,
        "tracing the gateway": lambda: trace(victim),
        "tracing a sibling": lambda: trace(sibling),
        "reading a sibling's memory by call": lambda: copy(sibling),
        "its own init's memory": lambda: memory(1, event["marker"]),
        "inherited descriptors": descriptors,
        "a signal to the gateway": lambda: send(victim),
        "a signal to a sibling": lambda: send(sibling),
        "another's runtime API": lambda: poll(event["runtime_port"]),
        "another's way out": lambda: ask(event["way_out"]),
        "a port of this machine": lambda: dial("127.0.0.1", event["port"]),
        "the metadata address": lambda: dial("169.254.169.254", 80),
        "the metadata address by the way out": lambda: through(b"http://169.254.169.254/secret"),
        "a port of this machine by the way out": lambda: through(b"http://127.0.0.1:%d/secret" % event["port"]),
        "a port of this machine by another spelling": lambda: through(b"//127.0.0.1:%d/secret" % event["port"]),
        "an abstract socket": lambda: abstract(event["abstract"]),
        "a user namespace": namespaces,
        "a mount": mount,
        "root": root,
        "a vsock": vsock,
        "somebody's home": lambda: home(event["home"]),
    }
    return {name: attempt(what) for name, what in tries.items()}
"""

SIBLING = "import os\nHELD = os.environ['AWS_ACCESS_KEY_ID']\ndef handler(event, context):\n    return os.getpid()\n"


@pytest.fixture
async def loot(bench, tmp_path):
    """Something to steal in each of the places; gives what the thief is told."""
    state = tmp_path / ".actas"
    inner = bench.folder / ".actas"
    for folder in (state, inner):
        folder.mkdir(mode=0o755)
        (folder / "ring.json").write_text("keys-of-the-house")
    (bench.folder / "db.password").write_text("keys-of-the-house")
    port, abstract = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    name = f"actas-test-{os.getpid()}-{id(port)}"
    abstract.bind("\0" + name)
    abstract.listen()
    bench.port = port
    with port, abstract:
        yield {
            "ring": str(state / "ring.json"),
            "state": str(state),
            "inner_state": ".actas",
            "inner_secret": "db.password",
            "marker": "a-marker-that-the-gateway-holds",
            "gateway": os.getpid(),
            "sibling_key": "ASIASIBLING",
            "port": port.getsockname()[1],
            "abstract": name,
            "home": str(Path.home()),
        }


def hidden(bench):
    return (bench.folder / ".actas", bench.folder / "db.password")


async def door(_scope, _receive, send):
    """Stand at the gateway's end of the way out."""
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no", "more_body": False})


async def steal(bench, loot):
    """Start a sibling, run the thief beside it, give what it got."""
    bench.shared.doors.public = bench.shared.doors.control = door
    sibling = bench.function(SIBLING, name="sibling")
    await bench.call(sibling, subject="sibling")
    (running,) = bench.shared.pool._all
    loot |= {"sibling": running.sandbox.process_id(), "runtime_port": running.server.sockets[0].getsockname()[1]}
    loot["way_out"] = int(running.relay.addresses["public"].rpartition(":")[2])
    return await bench.value(bench.function(THIEF, name="thief", seconds=30), loot)


async def test_a_thief_gets_nothing(bench, loot):
    bench.open(hidden=hidden(bench))
    held = loot["marker"].encode()  # in the gateway's memory while the thief looks

    got = await steal(bench, loot)

    stolen = {what: result for what, result in got.items() if result.startswith("got")}
    assert stolen == {}
    assert got["another's runtime API"] == got["another's way out"] == "own"
    assert held
    bench.port.setblocking(False)
    with pytest.raises(BlockingIOError):  # nobody was sent there on the thief's behalf either
        bench.port.accept()


async def test_without_walls_the_same_thief_gets_most_of_it(bench, loot):
    weak = replace(bench.machine, namespaces=False, why="switched off by a test", filter=False, own_uid=False)
    bench.open(machine=weak, isolation="weak", hidden=hidden(bench))

    got = await steal(bench, loot)

    for what in (
        "other processes",
        "a signal to a sibling" if os.geteuid() else "a port of this machine",
        "another's runtime API",
        "another's way out",
        "a port of this machine",
        "an abstract socket",
        "a user namespace",
        "the state folder through the code",
        "a file with a secret beside the code",
    ):
        assert got[what].startswith("got"), (what, got[what])


async def test_a_function_cannot_answer_for_another(bench):
    """Two runtime APIs on one port number, each in a network of its own."""
    code = r"""
import socket
def handler(event, context):
    with socket.create_connection(("127.0.0.1", 9001), 1) as own:
        target = "/2018-06-01/runtime/invocation/%s/response" % event["call"]
        own.sendall(b'POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"fake"' % target.encode())
        return own.recv(64).split(b"\r\n")[0].decode()
"""
    victim = bench.function(
        "import time\ndef handler(event, context):\n    time.sleep(0.6)\n    return 'true'\n", name="v"
    )
    forger = bench.function(code, name="forger")
    told = {}

    async def be_called():
        told["victim"] = await bench.value(victim)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(be_called)
        await bench.running()
        told["forger"] = await bench.value(forger, {"call": bench.last.call.id}, subject="ben")

    assert told == {"victim": "true", "forger": "HTTP/1.1 400 Bad Request"}


SENDER = r"""
import os, socket
def handler(event, context):
    host, port = os.environ["ACTAS_ENDPOINT"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as wire:
        wire.sendall(event.encode())
        try:
            while wire.recv(65536):
                pass
        except OSError:
            pass
"""
HIDDEN = "POST /victim HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n!"
HEAD = "POST /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


async def test_what_a_function_sends_out_is_never_taken_for_anothers(bench):
    """Two ways out on one port number, and requests hidden in requests: the door hears each from who sent it."""
    heard = []

    async def listen(scope, receive, send):
        heard.append((scope["raw_path"], of(scope).root, (await receive())["body"]))
        await door(scope, receive, send)

    bench.open().doors.public = listen
    callers = {}
    for name, framing, hidden_one in (
        ("victim", f"Content-Length: {len(HIDDEN)}\r\n\r\n", HIDDEN),
        ("smuggler", f"Content-Length: {len(HIDDEN)}\r\n\r\n", HIDDEN),
        ("smuggler", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", f"0\r\n\r\n{HIDDEN}"),
        ("smuggler", "Transfer-Encoding: chunked\r\nTransfer-encoding: identity\r\n\r\n", HIDDEN),
    ):
        await bench.call(bench.function(SENDER, name=name), HEAD.format(name) + framing + hidden_one, subject=name)
        callers.setdefault(name, bench.last.call.id)

    assert heard == [(f"/{name}".encode(), callers[name], HIDDEN.encode()) for name in ("victim", "smuggler")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_an_unprivileged_gateway_is_as_safe(machine):
    """Run the theft test again as a user without any privilege, where this very machine shows its Python to one."""
    if not all(folder.stat().st_mode & 0o001 for folder in Path(__file__).parents):
        pytest.skip("the tests lie where only root may look")
    script = (
        "mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/py && mkdir -m 1777 /mnt/tests && "
        "mount --bind {base} /mnt/py && "
        "mount -t tmpfs -o mode=755 tmpfs /root && mkdir -p {base} && mount --bind /mnt/py {base} && "
        "exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "
        "{python} -m pytest -q -p no:cacheprovider --basetemp=/mnt/tests/t -k thief {file}"
    )
    command = script.format(base=sys.base_prefix, python=sys.executable, file=__file__)

    with anyio.fail_after(60):
        done = await anyio.run_process(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", command],
            check=False,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/mnt/tests"},
            stderr=subprocess.STDOUT,
        )

    assert b"2 passed" in done.stdout, done.stdout.decode()
