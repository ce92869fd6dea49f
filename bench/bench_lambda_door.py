"""Call one local function through our doors, and through moto's Lambda.

    python bench/bench_lambda_door.py [ROUNDS]

* *POST /call*: our own door, with a bearer token.
* *Invoke, replayed*: the Lambda API, one signature of botocore's sent again and again, as a client would that signs
  ahead: what is verified and decided is done each time.
* *Invoke, signed anew*: the same with a signature, and a body, of its own for each request; signing is not timed.
* *Invoke, dry run* and *Event*: decided and trailed; and kept durably before the answer.
* *moto*: its Lambda without containers (``use_docker: false``), which runs nothing, verifies nothing and records
  nothing: the price of a Python web server that parses the request.

* *serverless-offline*: its Lambda, where ``tools/serverless-offline.sh`` has put it (a minute, 280 MB). It verifies,
  decides and records nothing, and runs a function of Node's in a thread of its own process: so its processor time has
  the function's in it, which ours and moto's have not.

All take turns, round by round, over the same number of connections.
"""

import asyncio
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import boto3
import httpx
import machine
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from actas.testing.idp import Idp

CONNECTIONS, EACH = 8, 25
REGION = "eu-west-1"
OFFLINE = Path(__file__).resolve().parents[1] / ".cache" / "serverless-offline"
ROLE = "arn:aws:iam::000000000000:role/reader"
CODE = "def handler(event, context):\n    return event\n"
Make = Callable[[int], bytes]


def request(method: str, place: str, path: str, fields: dict[str, str], body: bytes) -> bytes:
    """Write a request as it goes over the wire."""
    given = {"Host": place, "Content-Length": str(len(body)), **fields}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def signed(place: str, body: bytes, keys: Credentials, **fields: str) -> bytes:
    """Write an invocation that botocore signed."""
    path = "/2015-03-31/functions/fn/invocations"
    asked = AWSRequest("POST", f"http://{place}{path}", data=body, headers=fields)
    SigV4Auth(keys, "lambda", REGION).add_auth(asked)
    return request("POST", place, path, {name: str(value) for name, value in asked.headers.items()}, body)


async def one_connection(place: str, requests: list[bytes], times: list[float], wanted: bytes) -> None:
    host, port = place.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    for octets in requests:
        begun = time.perf_counter()
        writer.write(octets)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 " + wanted):
            raise SystemExit(f"{head!r} {await reader.read(500)!r}")
        lines = [line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2]]
        length = int(dict(line for line in lines if len(line) == 2).get(b"content-length", b"0"))
        await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        if b"connection: close" in head.lower():  # moto's server: a connection a request
            writer.close()
            reader, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    await writer.wait_closed()


async def round_of(place: str, make: Make, start: int, wanted: bytes, *, each: int = EACH) -> tuple[float, list[float]]:
    """Send a round's requests; give how long all took, and each."""
    lots = [[make(start + lot * each + number) for number in range(each)] for lot in range(CONNECTIONS)]
    times: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(one_connection(place, lot, times, wanted) for lot in lots))
    return time.perf_counter() - begun, times


class Process:
    """A server as a process of its own."""

    def __init__(self, *command: str, folder: str) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        )  # fmt: skip

    def spent(self) -> float:
        """Give the processor time of it and its threads, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def gateway(folder: str, idp: Idp) -> tuple[Process, str, str]:
    """Start a gateway; give it and its two places."""
    Path(folder).chmod(0o755)
    Path(folder, "fn.py").write_text(CODE)
    settings = {
        "gateway": {
            "listen": "127.0.0.1:0", "control_listen": "127.0.0.1:0", "region": REGION,
            "limits": {"rate": {"network": 0, "subject": 0}},
        },
        "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
        "functions": {"fn": {"python": "fn.py:handler", "timeout": "10s"}},
        "roles": {"reader": {"arn": ROLE}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": "fn", "as": "reader"}],
    }  # fmt: skip
    Path(folder, "actas.yaml").write_text(yaml.safe_dump(settings))
    process = Process(sys.executable, "-m", "actas", "serve", "actas.yaml", folder=folder)
    place = Path(folder, ".actas", "up.json")
    while not (place.exists() and place.read_text()):
        time.sleep(0.05)
    found = json.loads(place.read_text())
    time.sleep(1.0)  # until the store is open
    return process, *(found[name].removeprefix("http://") for name in ("public_url", "control_url"))


def moto(folder: str) -> tuple[Process, str]:
    """Start moto with the function in it."""
    port = free_port()
    process = Process(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port, folder=folder)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            httpx.post(f"{url}/moto-api/config", json={"lambda": {"use_docker": False}}).raise_for_status()
            break
        except httpx.TransportError:
            time.sleep(0.1)
    options = {"endpoint_url": url, "region_name": REGION, "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    role = boto3.client("iam", **options).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("fn.py", CODE)
    boto3.client("lambda", **options).create_function(
        FunctionName="fn", Runtime="python3.12", Role=role, Handler="fn.handler", Code={"ZipFile": packed.getvalue()}
    )
    return process, f"127.0.0.1:{port}"


def offline(folder: str) -> tuple[Process, str]:
    """Start serverless-offline with a function that does the same."""
    Path(folder, "fn.js").write_text("exports.handler = async (event) => event;\n")
    Path(folder, "node_modules").symlink_to(OFFLINE / "node_modules")
    settings = {
        "service": "fn", "frameworkVersion": "3", "provider": {"name": "aws", "runtime": "nodejs20.x"},
        "plugins": ["serverless-offline"], "functions": {"fn": {"handler": "fn.handler"}},
    }  # fmt: skip
    Path(folder, "serverless.yml").write_text(yaml.safe_dump(settings))
    ports = [free_port() for _ in range(3)]
    process = Process(
        "node", "node_modules/.bin/serverless", "offline", "start", "--host", "127.0.0.1",
        "--lambdaPort", ports[0], "--httpPort", ports[1], "--websocketPort", ports[2], folder=folder,
    )  # fmt: skip
    url = f"http://127.0.0.1:{ports[0]}/2015-03-31/functions/fn-dev-fn/invocations"
    for _ in range(600):
        try:
            httpx.post(url, content=b"{}", timeout=30).raise_for_status()
            break
        except httpx.TransportError:
            time.sleep(0.2)
    return process, f"127.0.0.1:{ports[0]}"


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def credentials(control: str, token: str) -> Credentials:
    sts = boto3.client(
        "sts", endpoint_url=f"http://{control}", region_name=REGION, aws_access_key_id="", aws_secret_access_key=""
    )
    found = sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="ana", WebIdentityToken=token)
    found = found["Credentials"]
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def rows(
    public: str, token: str, keys: Credentials, other: str, third: str | None
) -> dict[str, tuple[str, Make, bytes]]:
    """Give what is measured: the place, what makes each request, the status that is wanted."""
    body = b'{"order": 7, "lines": [{"sku": "a-1", "count": 2}]}'
    called = request("POST", public, "/call/fn", {"Authorization": f"Bearer {token}"}, body)
    replayed = signed(public, body, keys)
    dry = signed(public, body, keys, **{"X-Amz-Invocation-Type": "DryRun"})
    kept = signed(public, body, keys, **{"X-Amz-Invocation-Type": "Event"})
    theirs = signed(other, body, Credentials("a", "b"))
    made = {
        "POST /call, bearer token": (public, lambda _: called, b"200"),
        "Invoke, one signature replayed": (public, lambda _: replayed, b"200"),
        "Invoke, each signed anew": (public, lambda number: signed(public, b'{"n": %d}' % number, keys), b"200"),
        "Invoke, dry run": (public, lambda _: dry, b"204"),
        "Invoke, Event": (public, lambda _: kept, b"202"),
        "moto: Invoke": (other, lambda _: theirs, b"200"),
    }
    if third is not None:
        plain = request("POST", third, "/2015-03-31/functions/fn-dev-fn/invocations", {}, body)
        made["serverless-offline: Invoke"] = third, lambda _: plain, b"200"
    return made


async def settled(process: Process) -> None:
    """Wait until the server has nothing to do."""
    calm = 0
    while calm < 4:  # trouble is waited out for a second or two in between
        before = process.spent()
        await asyncio.sleep(0.7)
        calm = calm + 1 if process.spent() - before < 0.1 else 0


async def measure(rounds: int, wanted: dict[str, tuple[str, Make, bytes]], cpu: dict[str, Process]) -> dict:
    told: dict[str, dict[str, list[float]]] = {name: {"rate": [], "ms": [], "cpu_us": []} for name in wanted}
    for number in range(rounds + 1):  # the first one warms
        for name, (place, make, status) in wanted.items():
            if status == b"200":  # another session's processes run than in the row before
                await round_of(place, make, 10**6, status, each=2)
            before = cpu[place].spent()
            took, times = await round_of(place, make, number * CONNECTIONS * EACH, status)
            if name == "Invoke, Event":
                await settled(cpu[place])  # what was kept is run before others are measured
            if number:
                told[name]["rate"].append(len(times) / took)
                told[name]["ms"].append(statistics.median(times) * 1000)
                told[name]["cpu_us"].append((cpu[place].spent() - before) / len(times) * 1e6)
    return {name: {kind: machine.median(found) for kind, found in row.items()} for name, row in told.items()}


def ratios(found: dict) -> dict[str, float]:
    """Give what can be believed across machines: processor time of the servers, the function's own not counted."""
    cpu = {name: row["cpu_us"] for name, row in found.items()}
    invoke = (cpu["Invoke, one signature replayed"] + cpu["Invoke, each signed anew"]) / 2
    told = {
        "Invoke / POST /call, CPU": round(invoke / cpu["POST /call, bearer token"], 2),
        "moto's Invoke, which runs nothing / Invoke, CPU": round(cpu["moto: Invoke"] / invoke, 2),
    }
    if (theirs := cpu.get("serverless-offline: Invoke")) is not None:
        told["serverless-offline's Invoke, with its function / Invoke, CPU"] = round(theirs / invoke, 2)
    return told


def main() -> None:
    """Measure, tell, keep."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with ExitStack() as stack:
        ours, theirs, others = (stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(3))
        idp = stack.enter_context(Idp(algorithm="ES256"))
        one, public, control = gateway(ours, idp)
        stack.callback(one.end)
        two, other = moto(theirs)
        stack.callback(two.end)
        cpu, third = {public: one, other: two}, None
        if (OFFLINE / "node_modules").is_dir():
            three, third = offline(others)
            stack.callback(three.end)
            cpu[third] = three
        token = idp.token(person="ana", lifetime=timedelta(hours=1))
        made = rows(public, token, credentials(control, token), other, third)
        found = asyncio.run(measure(rounds, made, cpu))
    result = {
        **machine.told("granian", "boto3", "botocore", "moto", "awslambdaric"),
        "rounds": rounds,
        "connections": CONNECTIONS,
        "requests_a_round": CONNECTIONS * EACH,
        "rows": found,
        "ratios": ratios(found),
    }
    machine.keep("lambda_door", result)
    for name, row in found.items():
        print(f"{name:34} {row['rate']:8.0f}/s  {row['ms']:7.2f} ms  {row['cpu_us']:7.0f} us CPU")
    print(json.dumps(result["ratios"], indent=2))


if __name__ == "__main__":
    main()
