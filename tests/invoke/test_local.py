"""What a caller gets from a function on this machine."""

import hashlib
import os
import sys
from pathlib import Path

import msgspec
import pytest

import actas
from actas.invoke.local.errors import CodeNotFound, EventNotJson, EventTooLarge
from actas.invoke.local.events import LARGEST_EVENT
from actas.model.secret import Secret
from actas.settings.values import Size

pytestmark = pytest.mark.anyio

ECHO = "def handler(event, context):\n    return event\n"


async def test_a_function_gets_the_event_and_its_answer_comes_back(bench):
    function = bench.function("def handler(event, context):\n    return {'sum': event['a'] + event['b']}\n")

    assert await bench.value(function, {"a": 2, "b": 3}) == {"sum": 5}


async def test_an_empty_event_is_an_empty_object(bench):
    answer = await bench.call(bench.function(ECHO), payload=b"")

    assert answer.payload == b"{}"


@pytest.mark.parametrize("payload", [b"{", b"NaN", b"\xff", b"hello", b'"\xff"', b"[" * 5000], ids=repr)
async def test_an_event_that_is_no_json_is_refused(bench, payload):
    with pytest.raises(EventNotJson):
        await bench.call(bench.function(ECHO), payload=payload)


async def test_an_event_of_six_megabytes_passes_and_one_byte_more_does_not(bench):
    function = bench.function("def handler(event, context):\n    return len(event)\n", memory=Size(512 * 1024 * 1024))
    largest = b'"' + b"x" * (LARGEST_EVENT - 2) + b'"'

    answer = await bench.call(function, payload=largest)
    with pytest.raises(EventTooLarge):
        await bench.call(function, payload=largest[:-1] + b'x"')

    assert answer.payload == str(LARGEST_EVENT - 2).encode()


async def test_the_answer_may_have_six_megabytes_and_no_more(bench):
    code = "def handler(event, context):\n    return 'x' * event\n"
    function = bench.function(code, memory=Size(512 * 1024 * 1024), seconds=10)

    fits = await bench.call(function, 6 * 1024 * 1024)
    error = await bench.error(function, 6 * 1024 * 1024 + 200)

    assert len(fits.payload) == 6 * 1024 * 1024 + 2
    assert error == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert await bench.value(function, 3) == "xxx"


async def test_an_exception_comes_back_as_lambda_tells_it(bench):
    function = bench.function("def handler(event, context):\n    raise KeyError('order')\n")

    error = await bench.error(function)

    assert error["errorType"] == "KeyError"
    assert error["errorMessage"] == "'order'"
    assert error["requestId"] == bench.last.call.id
    assert 'File "/var/task/f.py", line 2' in error["stackTrace"][0]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import nowhere\n", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'f'"),
        ("x = 1\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'f'"),
        ("raise ValueError('at load')\n", "ValueError", "at load"),
    ],
    ids=["a missing module", "a syntax error", "a missing handler", "an exception at load"],
)
async def test_a_function_that_cannot_be_loaded_says_why(bench, code, kind, message):
    error = await bench.error(bench.function(code))

    assert error["errorType"] == kind
    assert message in error["errorMessage"]


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("import sys; sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("import os; os._exit(4)", "Runtime exited with error: exit status 4"),
        ("import sys; sys.exit()", "Runtime exited without providing a reason"),
        ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("import os; os.abort()", "Runtime exited with error: signal: aborted"),
        ("import ctypes; ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
    ],
    ids=["sys.exit(3)", "os._exit(4)", "sys.exit()", "kill -9 of itself", "abort", "a bad address"],
)
@pytest.mark.parametrize("where", ["load", "call"])
async def test_a_function_that_ends_itself_is_told_as_lambda_does(bench, line, ending, where):
    body = f"{line}\ndef handler(event, context):\n    pass\n"
    if where == "call":
        body = f"def handler(event, context):\n    if event == 'live': return 'alive'\n    {line}\n"
    function = bench.function(body)

    error = await bench.error(function)

    assert error == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {bench.last.call.id} Error: {ending}",
    }
    if where == "call":
        assert await bench.value(function, "live") == "alive"


async def test_a_call_that_takes_too_long_is_ended_and_told_as_lambda_does(bench):
    function = bench.function("import time\ndef handler(event, context):\n    time.sleep(event)\n", seconds=0.3)

    error = await bench.error(function, 30)

    call = bench.last.call.id
    assert error == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {call} Error: Task timed out after 0.30 seconds",
    }
    assert await bench.value(function, 0) is None


async def test_a_load_that_takes_too_long_is_ended(bench):
    bench.open(start_within=0.4)
    function = bench.function("import time\ntime.sleep(30)\ndef handler(event, context):\n    pass\n")

    error = await bench.error(function)

    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 0.40 seconds")


@pytest.mark.parametrize("returned", ["float('nan')", "{'a': float('inf')}"])
async def test_an_answer_that_is_no_json_is_the_functions_failure(bench, returned):
    error = await bench.error(bench.function(f"def handler(event, context):\n    return {returned}\n"))

    assert error["errorType"] == "Runtime.MarshalError"


async def test_an_answer_that_cannot_be_written_is_the_functions_failure(bench):
    error = await bench.error(bench.function("def handler(event, context):\n    return {1, 2}\n"))

    assert error["errorType"] == "Runtime.MarshalError"


async def test_bytes_come_back_as_they_are(bench):
    answer = await bench.call(bench.function("def handler(event, context):\n    return b'\\x00\\xff'\n"))

    assert answer.payload == b"\x00\xff"


async def test_a_file_that_is_gone_is_an_error_of_ours(bench):
    function = bench.function(ECHO)
    (bench.folder / "f.py").unlink()

    with pytest.raises(CodeNotFound) as gone:
        await bench.call(function)

    assert str(bench.folder) not in str(gone.value)


async def test_a_changed_file_is_seen_at_the_next_call(bench):
    function = bench.function("def handler(event, context):\n    return 'old'\n")
    before = await bench.value(function)

    bench.write("def handler(event, context):\n    return 'newer'\n")

    assert (before, await bench.value(function)) == ("old", "newer")


async def test_the_context_is_what_lambda_gives(bench):
    code = """
def handler(event, context):
    return [context.aws_request_id, context.function_name, context.function_version, context.invoked_function_arn,
            context.memory_limit_in_mb, 0 < context.get_remaining_time_in_millis() <= 3000,
            context.client_context.custom, context.log_group_name]
"""
    told = await bench.value(bench.function(code))

    arn = "arn:aws:lambda:us-east-1:000000000000:function:subject:$LATEST"
    custom = {"actas": "an.envelope.here"}
    assert told == [bench.last.call.id, "f", "$LATEST", arn, "128", True, custom, "/aws/lambda/f"]


async def test_the_environment_is_lambdas_the_sessions_and_the_functions_own_and_nothing_of_ours(bench, monkeypatch):
    monkeypatch.setenv("GATEWAYS_OWN", "secret")
    code = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    function = bench.function(
        code, environment={"TABLE": "orders", "KEY": Secret("open-sesame"), "AWS_SESSION_TOKEN": "x", "_HANDLER": "x.y"}
    )

    told = await bench.value(function)

    assert told.pop("AWS_LAMBDA_LOG_STREAM_NAME").startswith(f"{bench.now:%Y/%m/%d}/[$LATEST]")
    assert told == {
        "AWS_ACCESS_KEY_ID": "ASIAANA",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "contract-secret-never-to-be-seen",
        "AWS_SESSION_TOKEN": "contract-token-never-to-be-seen",
        "KEY": "open-sesame",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LANG": "en_US.UTF-8",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin",
        "TABLE": "orders",
        "TZ": ":UTC",
        "_HANDLER": "f.handler",
    }


async def test_a_function_without_a_role_has_no_credentials(bench):
    code = "import os\ndef handler(event, context):\n    return [name for name in os.environ if 'ACCESS' in name]\n"

    assert await bench.value(bench.function(code), session=False) == []


async def test_what_a_call_prints_is_kept_line_by_line_with_its_call(bench):
    code = """
import logging, sys
print('loaded')
def handler(event, context):
    print('one'); print('two', file=sys.stderr); logging.warning('three'); print('no newline', end='')
"""
    answer = await bench.call(bench.function(code))

    lines = bench.lines()
    assert lines[:3] == ["loaded", "one", "two"]
    assert lines[3].startswith("[WARNING]")
    assert lines[3].endswith(f"{bench.last.call.id}\tthree")
    assert lines[4] == "no newline"
    assert answer.log_hash == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert {function for _call, function, _line in bench.logs} == {"f"}


async def test_two_calls_of_one_process_have_logs_of_their_own(bench):
    function = bench.function("def handler(event, context):\n    print(event)\n")

    first = await bench.call(function, "a")
    first_call = bench.last.call.id
    second = await bench.call(function, "b")

    assert (bench.lines(first_call), bench.lines()) == (["a"], ["b"])
    assert [first.log_hash, second.log_hash] == [hashlib.sha256(text).hexdigest() for text in (b"a\n", b"b\n")]


def _mounted_below_tmp():
    """Name what must be there for Python to run at all, where the checkout itself lies below /tmp."""
    places = [Path(place).resolve() for place in (sys.prefix, sys.base_prefix, actas.__file__)]
    return {place.parts[2] for place in places if place.parts[1] == "tmp"}


async def test_own_tmp_and_read_only_code(bench):
    code = """
import os, tempfile
def handler(event, context):
    open('/tmp/mine', 'a').write('x')
    room = os.statvfs('/tmp')
    found = {'tmp': os.listdir('/tmp'), 'cwd': os.getcwd(), 'space': room.f_blocks * room.f_frsize}
    for path in ('/var/task/new', '/etc/new', '/new', '/usr/new', '/proc/sys/kernel/hostname'):
        try:
            open(path, 'w').close()
            found[path] = 'written'
        except OSError as wrong:
            found[path] = wrong.strerror
    return found
"""
    function = bench.function(code)

    ana, ben = await bench.value(function), await bench.value(function, subject="ben")

    assert ana == ben
    assert set(ana.pop("tmp")) == {"mine"} | _mounted_below_tmp()
    assert ana == {
        "cwd": "/var/task",
        "space": 128 * 1024 * 1024,
        "/var/task/new": "Read-only file system",
        "/etc/new": "Read-only file system",
        "/new": "Read-only file system",
        "/usr/new": "Read-only file system",
        "/proc/sys/kernel/hostname": "Permission denied",
    }


async def test_a_function_may_import_what_lies_beside_it(bench):
    bench.write("ANSWER = 42\n", "beside/inner.py")
    function = bench.function("from beside.inner import ANSWER\ndef handler(event, context):\n    return ANSWER\n")

    assert await bench.value(function) == 42


async def test_a_childs_programs_run(bench):
    code = """
import subprocess
def handler(event, context):
    return subprocess.run(['id', '-u'], capture_output=True, text=True).stdout
"""

    uid = int(await bench.value(bench.function(code)))

    assert uid not in {0, os.getuid()} or os.getuid() == 993


async def test_the_payload_is_not_in_what_is_printed_of_an_answer(bench):
    answer = await bench.call(bench.function(ECHO), {"iban": "DE00"})

    assert "DE00" not in repr(answer)
    assert msgspec.json.decode(answer.payload) == {"iban": "DE00"}


async def test_logs_are_json_where_the_function_says_so(bench):
    code = """
import logging
def handler(event, context):
    logging.getLogger().info('seen')
    raise ValueError('no')
"""
    chosen = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}

    await bench.error(bench.function(code, environment=chosen))

    seen, failed = (msgspec.json.decode(line) for line in bench.lines())
    assert (seen["level"], seen["message"], seen["requestId"]) == ("INFO", "seen", bench.last.call.id)
    assert (failed["level"], failed["errorType"]) == ("ERROR", "ValueError")
