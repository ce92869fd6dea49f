"""An event that was accepted is run, whatever is killed in between."""

import json
import os
import signal

import boto3
from botocore.config import Config

CODE = """
import os

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def keys(event, context):
    return {name: os.environ[name] for name in KEYS}


def work(event, context):
    return event
"""


def test_events_that_were_accepted_before_a_kill_are_run_after_it(process, settings, tokens, tmp_path, waits_for):
    made = settings(
        functions={name: {"python": f"killed.py:{name}", "timeout": "10s"} for name in ("keys", "work")},
        rules=[
            {"id": "all", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["keys", "work"], "as": "reader"},
        ],
    )
    (tmp_path / "killed.py").write_text(CODE)
    with process(made) as one:
        found = one.call("keys", tokens["ana"]).json()
        client = boto3.client(
            "lambda", endpoint_url=f"http://{one.public}", region_name="us-east-1",
            aws_access_key_id=found["AWS_ACCESS_KEY_ID"], aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=found["AWS_SESSION_TOKEN"], config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        accepted = [
            client.invoke(FunctionName="work", InvocationType="Event", Payload=json.dumps({"n": n})) for n in range(12)
        ]
        os.kill(one.process.pid, signal.SIGKILL)
        one.process.wait(20)
    (tmp_path / ".actas" / "up.json").unlink()
    wanted = {answer["ResponseMetadata"]["RequestId"] for answer in accepted}

    with process(made) as again:

        def all_ran():
            ran = {one["call"]: one["root"] for one in again.records() if one.get("root") and "verdict" in one}
            ended = {one["call"] for one in again.records() if one.get("outcome") == "answered"}
            return wanted <= {root for call, root in ran.items() if call in ended}

        assert [answer["StatusCode"] for answer in accepted] == [202] * 12
        assert waits_for(all_ran, 100)  # a lease, and on a busy machine another attempt
