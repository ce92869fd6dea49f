"""Roles taken at the gateway's STS beside moto's, in one run.

    python bench/bench_sts.py [--rounds 3] [--seconds 2]

moto looks at no token, no rule and no trust policy, and keeps nothing; ours verifies, decides, seals, and waits until
the decision is on the disk. Both have one process on one core, the load comes from another, 64 connections stay open.
Signed requests are sent again and again while their signature is good. Prints a table and writes
bench/results/sts.json.
"""

import argparse
import json
import re
import sys
import tempfile
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from gateway import load, material
from machine import RESULTS, median, told

from actas import sigv4
from actas.model import clock

ROLE = "arn:aws:iam::111122223333:role/reader"
VERSION = "2011-06-15"
TOKENS = 10_000
GOAL = 10.0
LUA = """
local tokens = {}
local many = tonumber(os.getenv("DISTINCT") or "0")
local body, signed = os.getenv("FORM"), os.getenv("SIGNED")
local requests, next_one = {}, 0
local head = {["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"}
if signed then
  for name, value in string.gmatch(signed, "([^\\n=]+)=([^\\n]+)") do head[name] = value end
end
function init(args)
  if many == 0 then requests[1] = wrk.format("POST", "/", head, body); many = 1; return end
  for line in io.lines("TOKENS") do tokens[#tokens + 1] = line end
  for number = 1, many do
    requests[number] = wrk.format("POST", "/", head, body .. "&WebIdentityToken=" .. tokens[number])
  end
end
function request()
  next_one = next_one % many + 1
  return requests[next_one]
end
"""


def form(action, **more):
    return urlencode({"Action": action, "Version": VERSION, **more})


BY_TOKEN = form("AssumeRoleWithWebIdentity", RoleArn=ROLE, RoleSessionName="bench")
CALLER = form("GetCallerIdentity")
CHAINED = form("AssumeRole", RoleArn=ROLE, RoleSessionName="again")


def credentials(port, token):
    """Take a role, as any client would."""
    body = f"{BY_TOKEN}&WebIdentityToken={token}".encode()
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, head)
    with urllib.request.urlopen(request, timeout=60) as answer:
        values = dict(re.findall("<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)<", answer.read().decode()))
    return sigv4.Credentials(values["AccessKeyId"], values["SecretAccessKey"], values["SessionToken"])


def signed(port, body, whose):
    """Sign a request once; it is good for five minutes."""
    made = sigv4.sign(
        "POST",
        f"http://127.0.0.1:{port}/",
        [("Host", f"127.0.0.1:{port}"), ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
        body.encode(),
        whose,
        region="us-east-1",
        service="sts",
        now=clock.now(),
    )
    kept = [(name, value) for name, value in made.headers if name.lower() not in ("host", "content-type")]
    return "\n".join(f"{name}={value}" for name, value in kept)


def take_turns(servers, folder, asked):
    script = folder / "sts.lua"
    script.write_text(LUA.replace("TOKENS", str(folder / "tokens.txt")))
    token = (folder / "tokens.txt").read_text().splitlines()[0]
    found = {}
    for number in range(asked.rounds + 1):  # the first one warms
        for name, (server, port) in servers.items():
            whose = credentials(port, token)
            cases = {
                "AssumeRoleWithWebIdentity, 10,000 tokens": {"FORM": BY_TOKEN, "DISTINCT": str(TOKENS)},
                "AssumeRoleWithWebIdentity, one token": {"FORM": BY_TOKEN, "DISTINCT": "1"},
                "AssumeRole": {"FORM": CHAINED, "SIGNED": signed(port, CHAINED, whose)},
                "GetCallerIdentity": {"FORM": CALLER, "SIGNED": signed(port, CALLER, whose)},
            }
            for case, options in cases.items():
                one = load.drive(server, script, asked.seconds, port=port, warming=not number, **options)
                if number:
                    assert not one.wrong or name != "actas", (case, one)  # the peer may drop connections
                    found.setdefault(case, {}).setdefault(name, []).append(one)
    return found


def summed(rows):
    return {
        "a_second": median(one.a_second for one in rows),
        "cpu_us": median(one.cpu_us for one in rows),
        "p50_ms": median((one.p50_ms for one in rows), 2),
    }


def measure(asked):
    with tempfile.TemporaryDirectory(prefix="bench-sts-") as scratch:
        folder = Path(scratch)
        material.make(folder, tokens=TOKENS)
        port, moto = load.pair(), load.free_port()
        material.settings(folder / "whole", port)
        ours = load.Server(
            load.python("-m", "actas", "serve", folder / "whole" / "actas.yaml"),
            port,
            folder / "ours.log",
        )
        theirs = load.Server(
            [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(moto)],
            moto,
            folder / "moto.log",
        )
        try:
            ours.wait(port + 1)
            theirs.wait()
            time.sleep(1)
            return take_turns({"actas": (ours, port + 1), "moto": (theirs, moto)}, folder, asked)
        finally:
            ours.end()
            theirs.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    asked = parser.parse_args()
    began = clock.now()
    found = {case: {name: summed(rows) for name, rows in by.items()} for case, by in measure(asked).items()}
    ratios = {case: round(by["actas"]["a_second"] / max(by["moto"]["a_second"], 0.1), 1) for case, by in found.items()}
    cpu = {case: round(by["moto"]["cpu_us"] / max(by["actas"]["cpu_us"], 0.1), 1) for case, by in found.items()}
    for case, by in found.items():
        for name, row in by.items():
            print(f"{case:44} {name:6} {row['a_second']:9,.0f}/s {row['cpu_us']:9,.0f} us CPU {row['p50_ms']:8.2f} ms")
        print(f"{case:44} {'':6} {ratios[case]:9.1f} x requests a second, {cpu[case]:.1f} x CPU")
    result = {
        **told("moto", "granian"),
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "connections": load.CONNECTIONS,
        "requests": found,
        "ratios": ratios,
        "cpu_ratios": cpu,
        "goals": {"AssumeRoleWithWebIdentity, 10,000 tokens": GOAL},
        "took_s": round((clock.now() - began) / timedelta(seconds=1)),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sts.json").write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
