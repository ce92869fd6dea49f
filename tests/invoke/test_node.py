"""Node functions in the real runtime client for Node."""

import json
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from actas.invoke.local.node import find_node
from actas.invoke.origins import of
from actas.settings.schema import Function
from actas.settings.values import Size, Span

pytestmark = [pytest.mark.anyio, pytest.mark.real]


@pytest.fixture
def node(bench):
    if find_node(Path.cwd()) is None:
        pytest.skip("Node or its runtime client is not here; tools/node-ric.sh installs the client")

    def make(text, *, name="f.mjs", seconds=10.0, **settings):
        bench.write(text, name)
        settings = {"memory": Size(256 * 1024 * 1024), "timeout": Span(timedelta(seconds=seconds)), **settings}
        shared = bench.shared or bench.open(base=Path.cwd())
        return shared.backend("f", Function(node=f"{name}:handler", **settings), bench.folder)

    return make


async def test_a_node_function_gets_the_event_the_context_and_its_session(bench, node):
    code = """
export const handler = async (event, context) => {
  console.log("seen", event.a);
  const { actas } = context.clientContext.custom;
  return [event, context.awsRequestId, process.env.AWS_ACCESS_KEY_ID, actas, process.cwd()];
};
"""
    told = await bench.value(node(code), {"a": 1})

    assert told == [{"a": 1}, bench.last.call.id, "ASIAANA", "an.envelope.here", "/var/task"]
    assert any("seen 1" in line for line in bench.lines())


async def test_a_warm_node_process_is_met_again(bench, node):
    function = node("let count = 0;\nexport const handler = async () => ++count;\n")

    assert [await bench.value(function) for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_a_node_function_reaches_the_gateway(bench, node):
    heard = []

    async def door(scope, receive, send):
        heard.append((of(scope).root, scope["path"], (await receive())["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    code = """
export const handler = async (event) => {
  const told = [];
  for (const name of ["AWS_ENDPOINT_URL_LAMBDA", "ACTAS_ENDPOINT"]) {
    const answer = await fetch(`${process.env[name]}/${event}`, {method: "POST", body: "hi"});
    told.push(await answer.text());
  }
  return told;
};
"""
    bench.open(base=Path.cwd()).doors.public = door

    assert await bench.value(node(code), "path") == ["one two", "one two"]
    assert heard == [(bench.last.call.id, "/path", b"hi")] * 2


async def test_commonjs_works_too(bench, node):
    function = node("exports.handler = async (event) => event.length;\n", name="g.js")

    assert await bench.value(function, [1, 2, 3]) == 3


async def test_an_exception_comes_back_as_lambda_tells_it(bench, node):
    error = await bench.error(node("export const handler = async () => { throw new RangeError('no such order'); };\n"))

    assert (error["errorType"], error["errorMessage"]) == ("RangeError", "no such order")
    assert any("/var/task/f.mjs" in line for line in error["trace"])


async def test_a_function_that_cannot_be_loaded_says_why(bench, node):
    error = await bench.error(node("import 'nowhere';\nexport const handler = 1;\n"))

    assert "nowhere" in error["errorMessage"]


async def test_a_process_that_ends_itself_is_told_as_lambda_does(bench, node):
    error = await bench.error(node("export const handler = async () => { process.exit(3); };\n"))

    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")


async def test_a_call_that_takes_too_long_is_ended(bench, node):
    error = await bench.error(node("export const handler = async () => { while (true) {} };\n", seconds=0.5))

    assert error["errorMessage"].endswith("Task timed out after 0.50 seconds")


async def test_timers_do_not_run_between_calls(bench, node):
    code = "let ticks = 0;\nsetInterval(() => { ticks += 1; }, 5);\nexport const handler = async () => ticks;\n"
    function = node(code)
    before = await bench.value(function)
    await anyio.sleep(0.3)

    assert await bench.value(function) - before < 20


async def test_a_streamed_answer_comes_back_whole(bench, node):
    code = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('{"a":'); stream.write('1}'); stream.end();
});
"""
    answer = await bench.call(node(code))

    assert answer.function_error is None
    assert answer.payload == b'{"a":1}'


async def test_a_streamed_http_answer_says_that_it_has_its_own_head(bench, node):
    code = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const said = {statusCode: 201, headers: {'x-own': 'yes'}, cookies: ['a=1']};
  const http = awslambda.HttpResponseStream.from(stream, said);
  http.write('made'); http.end();
});
"""
    answer = await bench.call(node(code))

    head, _, body = answer.payload.partition(bytes(8))
    assert answer.headers == (("Content-Type", "application/vnd.awslambda.http-integration-response"),)
    assert json.loads(head) == {"statusCode": 201, "headers": {"x-own": "yes"}, "cookies": ["a=1"]}
    assert body == b"made"


async def test_a_stream_that_fails_half_way_is_the_functions_failure(bench, node):
    code = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('{"a":'); throw new RangeError('half-way');
});
"""
    error = await bench.error(node(code))

    assert (error["errorType"], error["errorMessage"]) == ("RangeError", "half-way")


async def test_a_large_answer_comes_over_any_of_the_clients_connections(bench, node):
    function = node("export const handler = async (event) => 'x'.repeat(event);\n")

    for _ in range(6):
        assert len(await bench.value(function, 1_000_000)) == 1_000_000
