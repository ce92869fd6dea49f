"""The trail of a real gateway, copied to (moto's) CloudWatch Logs as it is written and when the gateway ends."""

import json
import os
import time

import boto3
import pytest
from gateway import Gateway
from moto.server import ThreadedMotoServer

from actas.audit import read
from actas.testing.idp import Idp

GROUP, METRICS = "/actas/trail", "/actas/metrics"


@pytest.fixture
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def messages(moto, group):
    options = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
    logs = boto3.client("logs", endpoint_url=moto, **options)
    found = logs.describe_log_streams(logGroupName=group)["logStreams"]
    names = [one["logStreamName"] for one in found]
    whole = {"logGroupName": group, "startFromHead": True, "limit": 10_000}
    pages = [logs.get_log_events(logStreamName=name, **whole) for name in names]
    return [event["message"] for page in pages for event in page["events"]]


def test_the_copy_is_the_trail_line_by_line_and_can_be_proved(moto, tmp_path, monkeypatch):
    monkeypatch.setenv("TRAIL_ID", "AKIATRAIL")
    monkeypatch.setenv("TRAIL_SECRET", "secret")
    keys = {"access_key_id": {"env": "TRAIL_ID"}, "secret_access_key": {"env": "TRAIL_SECRET"}}
    with Idp(shape="oidc") as idp:
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"gone": {"http": "http://127.0.0.1:1", "private": True}},
            "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["gone"]}],
            "audit": {"cloudwatch": {"group": GROUP, "metrics": METRICS, "every": "100ms", "region": "eu-west-1",
                                     "endpoint": moto, "base": keys}},
        }  # fmt: skip
        (tmp_path / "gateway").mkdir()
        with Gateway(tmp_path / "gateway", settings) as running:
            for _ in range(3):
                running.call("gone", idp.token(person="ana"))
            ends = time.monotonic() + 20
            while time.monotonic() < ends and not _has(moto, "ended"):
                time.sleep(0.05)
            assert _has(moto, "ended"), running.log()
        copied = messages(moto, GROUP)

    lines = [line for file in sorted((running.folder / ".actas" / "audit").glob("*.jsonl"))
             for line in file.read_text().splitlines()]  # fmt: skip
    assert copied == lines  # also those that were written as the gateway ended
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    (copy / "000001.jsonl").write_text("".join(f"{line}\n" for line in copied))
    (copy / "000001.jsonl").chmod(0o600)
    assert read.verify_folder(copy, keys=running.folder / ".actas" / "audit" / "keys.json").holds
    counted = [json.loads(one) for one in messages(moto, METRICS)]
    assert sum(one["Calls"] for one in counted if "Calls" in one) == 3
    assert os.environ["TRAIL_SECRET"] not in running.log()


def _has(moto, kind):
    try:
        return any(json.loads(one)["record"]["type"] == kind for one in messages(moto, GROUP))
    except Exception:  # noqa: BLE001 - the group is not there yet
        return False
