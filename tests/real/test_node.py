"""Functions in the real runtime client for Node, npm's aws-lambda-ric, called through a real gateway."""

import json
import shutil

import pytest
from gateway import Gateway
from parts import ROOT

from actas.testing.idp import Idp

pytestmark = pytest.mark.part("node-functions")

INDEX = """
let calls = 0;
export const handler = async (event, context) => {
  console.log('called', event.n);
  return {
    event,
    calls: ++calls,
    request: context.awsRequestId,
    key: process.env.AWS_ACCESS_KEY_ID,
    envelope: context.clientContext.custom.actas.split('.').length,
    ours: Object.keys(process.env).filter((name) => name.startsWith('ACTAS')).sort(),
  };
};
export const broken = async () => { throw new RangeError('no such order'); };
export const slow = () => new Promise(() => setInterval(() => {}, 1000));
export const gone = async () => process.exit(3);
"""


SDK = ROOT / ".cache/aws-sdk/node_modules"
OUTER = """
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

const functions = new LambdaClient();
export const handler = async (event) => {
  const answer = await functions.send(new InvokeCommand({ FunctionName: "report", Payload: JSON.stringify(event) }));
  return { status: answer.StatusCode, answer: JSON.parse(Buffer.from(answer.Payload).toString()) };
};
"""


@pytest.fixture(scope="module")
def idp():
    with Idp(shape="oidc") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(idp, client_for_node, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "index.mjs").write_text(INDEX)
    (folder / "old.cjs").write_text("exports.handler = async (event) => ({ old: event });\n")
    (folder / "outer").mkdir()
    (folder / "outer/index.mjs").write_text(OUTER)
    if SDK.is_dir():
        shutil.copytree(SDK, folder / "outer/node_modules")
    memory = {"memory": "512MB", "timeout": "10s"}
    functions = {
        "report": {"node": "index.mjs:handler", **memory},
        "broken": {"node": "index.mjs:broken", **memory},
        "slow": {"node": "index.mjs:slow", "memory": "512MB", "timeout": "1s"},
        "gone": {"node": "index.mjs:gone", **memory},
        "old": {"node": "old.cjs:handler", **memory},
        "outer": {"node": "outer/index.mjs:handler", **memory},
    }
    settings = {
        "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
        "functions": functions,
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": list(functions), "as": "reader"}],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTAS_NODE_RIC", str(client_for_node))
        with Gateway(folder, settings) as running:
            yield running


@pytest.fixture
def ana(idp):
    return idp.token(person="ana", audience="actas")


def test_a_node_function_gets_the_event_the_session_and_its_caller(gateway, ana):
    answer = gateway.call("report", ana, {"n": 7})

    assert answer.status_code == 200, answer.text + gateway.log()
    found = answer.json()
    assert found["event"] == {"n": 7}
    assert found["request"] == answer.headers["actas-call-id"]
    assert found["key"].startswith("ASIA")
    assert found["envelope"] == 3
    assert found["ours"] == [
        "ACTAS_ENDPOINT",
        "ACTAS_ISSUER",
        "ACTAS_JWKS",
        "ACTAS_STS_ENDPOINT",
    ]  # to verify the envelope and to call out, nothing else


def test_a_warm_node_process_serves_its_caller_again_and_nobody_else(gateway, idp):
    chidi, emi = (idp.token(person=name, audience="actas") for name in ("chidi", "emi"))

    calls = [gateway.call("report", chidi).json()["calls"] for _ in range(3)]

    assert calls == [1, 2, 3]
    assert gateway.call("report", emi).json()["calls"] == 1


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("broken", "RangeError", "no such order"),
        ("slow", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("gone", "Runtime.ExitError", "exit status 3"),
    ],
    ids=["an exception has its own name", "a call that takes too long is ended", "a process that ends itself is told"],
)
def test_what_goes_wrong_in_it_is_told_as_lambda_does(gateway, ana, name, kind, message):
    answer = gateway.call(name, ana)

    assert (answer.status_code, answer.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert answer.json()["errorType"] == kind
    assert message in answer.json()["errorMessage"]


def test_commonjs_is_loaded_too(gateway, ana):
    assert gateway.call("old", ana, [1]).json() == {"old": [1]}


@pytest.mark.skipif(not SDK.is_dir(), reason="AWS's client for Node is not here; tools/aws-sdk-node.sh installs it")
def test_awss_client_for_node_in_a_function_calls_another_as_its_callers_role(gateway, ana):
    answer = gateway.call("outer", ana, {"n": 8})

    assert answer.status_code == 200, answer.text + gateway.log()
    found = answer.json()
    assert (found["status"], found["answer"]["event"]) == (200, {"n": 8})
    records = [json.loads(line)["record"] for file in trail(gateway) for line in file.read_text().splitlines()]
    (nested,) = [one for one in records if one.get("call") == found["answer"]["request"] and "verdict" in one]
    assert (nested["root"], nested["depth"]) == (answer.headers["actas-call-id"], 1)


def trail(gateway):
    return sorted((gateway.folder / ".actas/audit").glob("*.jsonl"))
