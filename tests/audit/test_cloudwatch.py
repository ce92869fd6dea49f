"""A copy of the trail in CloudWatch Logs, and figures of it.

The double verifies signatures and holds PutLogEvents to its documented limits; what it leaves out: quotas, retention
but for one switch, subscriptions, what becomes of the figures. moto's is tried in tests/real.
"""

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import sigv4
from actas.assume.errors import BaseIdentityMissing
from actas.audit import following, log_events, read, records, segments
from actas.audit.emf import MOST_VALUES, Figures
from actas.audit.errors import FollowerFailed
from actas.audit.following import Following
from actas.audit.interface import Copied
from actas.audit.log_events import Event
from actas.audit.records import Counted
from actas.audit.sinks.cloudwatch import CloudWatch, CloudWatchMetrics, Logs
from actas.model import clock
from actas.model.record import Decided, Ended
from actas.testing.contracts.sink import SinkContract, call

SECRET = "secret-of-the-base-identity"
GROUP, STREAM = "/actas/trail", "0" * 32


class Api(BaseHTTPRequestHandler):
    """CloudWatch Logs' side of the wire."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        action = self.headers["x-amz-target"].removeprefix("Logs_20140328.")
        told = json.loads(body)
        self.server.asked.append((action, told, dict(self.headers)))
        try:
            sigv4.verify(
                "POST", f"http://{self.headers['host']}/", list(self.headers.items()), body,
                find_secret=lambda key, _token: SECRET if key == "AKIABASE" else None,
                now=clock.now(), region="eu-west-1", service="logs",
            )  # fmt: skip
        except sigv4.SigV4Error:
            self.answer(400, {"__type": "InvalidSignatureException", "message": "ana"})
            return
        if self.server.says:
            self.answer(*self.server.says.pop(0))
            return
        self.answer(*getattr(self, action)(told))

    def CreateLogGroup(self, told):  # noqa: N802 - AWS's name
        if told["logGroupName"] in self.server.groups:
            return 400, {"__type": "ResourceAlreadyExistsException"}
        self.server.groups[told["logGroupName"]] = {}
        return 200, {}

    def CreateLogStream(self, told):  # noqa: N802 - AWS's name
        group = self.server.groups[told["logGroupName"]]
        if told["logStreamName"] in group:
            return 400, {"__type": "ResourceAlreadyExistsException"}
        group[told["logStreamName"]] = []
        return 200, {}

    def PutLogEvents(self, told):  # noqa: N802 - AWS's name
        kept = self.server.groups.get(told["logGroupName"], {}).get(told["logStreamName"])
        if kept is None:
            return 400, {"__type": "com.amazonaws.logs#ResourceNotFoundException", "message": "ana"}
        events = told["logEvents"]
        times = [event["timestamp"] for event in events]
        sizes = [len(event["message"].encode()) + 26 for event in events]
        holds = (
            0 < len(events) <= 10_000 and sum(sizes) <= 1_048_576 and max(sizes) <= 1_048_576
            and times == sorted(times) and times[-1] - times[0] < 24 * 3600 * 1000
        )  # fmt: skip
        if not holds:
            return 400, {"__type": "InvalidParameterException"}
        now = clock.now().timestamp() * 1000
        young = [event for event in events if event["timestamp"] > now - self.server.keeps.total_seconds() * 1000]
        kept += young
        old = len(events) - len(young)
        return 200, {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": old}} if old else {"nextSequenceToken": "1"}

    def answer(self, status, told):
        text = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words):
        pass


@pytest.fixture
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    server.asked, server.says, server.groups, server.keeps = [], [], {}, timedelta(days=14)
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def base(_now):
    return sigv4.Credentials("AKIABASE", SECRET)


@pytest.fixture
def follower(api):
    def make(kind=CloudWatch, credentials=base, **more):
        logs = Logs(credentials=credentials, region="eu-west-1", endpoint=api.url)
        return kind(logs, group=GROUP, stream=STREAM, **more)

    return make


def messages(api):
    return [event["message"] for event in api.groups.get(GROUP, {}).get(STREAM, ())]


class Copying:
    """A trail whose lines are copied; what is asked of the sink is asked of both."""

    def __init__(self, jsonl, folder, make):
        self.jsonl, self.folder, self.make = jsonl, folder, make
        self.write = jsonl.write
        self.follows = self.new()

    def new(self):
        self.following = Following(
            self.folder, self.folder.parent / "followers", self.make(), durable=lambda: self.jsonl.head.seq, every=0.01
        )
        return self.following

    def catch_up(self):
        async def go():
            try:
                await self.following.catch_up()
            finally:
                await self.following.close()

        anyio.run(go)


@pytest.fixture
def copying(sink, folder, now, follower):
    one = sink()
    one.open(now)
    return Copying(one, folder, follower)


class TestCloudwatch(SinkContract):
    """cloudwatch: what it holds is read back from there, and proved from there."""

    @pytest.fixture(autouse=True)
    def _in_a_fresh_folder(self, sink, folder, now, follower, api, tmp_path):
        self.wrong, self.api, self.copy = None, api, tmp_path / "copy"
        one = sink(sync=self.sync)
        one.open(now)
        self.copying = Copying(one, folder, follower)

    def sync(self, handle):
        if self.wrong:
            raise OSError(self.wrong, os.strerror(self.wrong))
        os.fdatasync(handle)

    def sink(self):
        return self.copying

    def read_back(self):
        self.copying.catch_up()
        entries = [records.decode(one.encode().split(b'"record":', 1)[1].rsplit(b',"hash":', 1)[0])
                   for one in messages(self.api)]  # fmt: skip
        return [one for one in entries if isinstance(one, Decided | Ended)]

    def holds(self):
        self.copying.catch_up()
        segments.make_folder(self.copy)
        (self.copy / "000001.jsonl").write_text("".join(f"{one}\n" for one in messages(self.api)))
        return read.verify_folder(self.copy).holds

    def change_something(self):
        self.copying.catch_up()
        for event in self.api.groups[GROUP][STREAM]:
            event["message"] = event["message"].replace("orders", "payout", 1)

    def break_it(self):
        import errno

        self.wrong = errno.EIO

    def mend_it(self):
        self.wrong = None


def numbers(api):
    return [json.loads(one)["seq"] for one in messages(api)]


TROUBLE = [
    ("throttling", (400, {"__type": "ThrottlingException"})),
    ("a service that is not there", (503, {})),
    ("trouble inside", (500, {"__type": "ServiceUnavailableException"})),
    ("no right to", (400, {"__type": "AccessDeniedException", "message": "ana"})),
]


@pytest.mark.parametrize("answer", [row[1] for row in TROUBLE], ids=[row[0] for row in TROUBLE])
def test_what_is_not_taken_is_handed_on_later_and_nothing_is_lost(copying, api, answer):
    copying.write(call(1))
    copying.catch_up()
    api.says = [answer]
    copying.write(call(2))
    with pytest.raises(FollowerFailed) as told:
        copying.catch_up()
    assert "ana" not in str(told.value)
    assert copying.following.behind == 2

    copying.write(call(3))
    copying.catch_up()
    assert numbers(api) == list(range(1, 9))
    assert copying.following.behind == 0


def test_a_gateway_that_was_killed_goes_on_where_the_follower_was(copying, api):
    copying.write(call(1))
    copying.catch_up()
    copying.write(call(2))
    copying.new()
    copying.catch_up()

    assert numbers(api) == list(range(1, 7))


def test_a_place_that_is_lost_is_the_beginning_and_nothing_is_missing(copying, api):
    copying.write(call(1))
    copying.catch_up()
    (copying.folder.parent / "followers" / "cloudwatch.json").write_text("{")
    copying.new()
    copying.catch_up()

    assert numbers(api) == [*range(1, 5), *range(1, 5)]


def test_a_place_in_another_trail_is_no_place_in_this_one(copying, api):
    place = following.Place(chain="f" * 32, segment=9, offset=7, seq=1000)
    import msgspec

    (copying.folder.parent / "followers").mkdir()
    (copying.folder.parent / "followers" / "cloudwatch.json").write_bytes(msgspec.json.encode(place))
    copying.write(call(1))
    copying.catch_up()

    assert numbers(api) == list(range(1, 5))


def test_it_goes_over_segments(sink, folder, now, follower, api):
    one = sink(segment=1000)
    one.open(now)
    copying = Copying(one, folder, follower)
    for number in range(5):
        copying.write(call(number))
        if number == 2:
            copying.catch_up()
    copying.catch_up()

    assert len(segments.listed(folder)) > 2
    assert numbers(api) == list(range(1, one.head.seq + 1))


def test_segments_that_somebody_took_away_are_counted(sink, folder, now, follower, api):
    one = sink(segment=1000)
    one.open(now)
    copying = Copying(one, folder, follower)
    copying.write(call(0))
    copying.catch_up()
    before = one.head.seq
    for number in range(1, 5):
        copying.write(call(number))
    for path in segments.listed(folder)[:-1]:
        path.unlink()
    copying.catch_up()

    assert copying.following.skipped == numbers(api)[numbers(api).index(before) + 1] - before - 1 > 0
    assert numbers(api)[-1] == one.head.seq


def test_what_is_not_durable_here_is_not_handed_on(copying, api):
    copying.write(call(1))
    with segments.listed(copying.folder)[-1].open("ab") as file:
        file.write(b'{"seq":5, the trace of a write that failed\n')
    copying.catch_up()

    assert numbers(api) == list(range(1, 5))


def test_events_that_are_refused_for_their_age_come_again_as_new(copying, api):
    api.keeps = timedelta(minutes=5)
    copying.write(call(1))
    copying.catch_up()

    assert sorted(numbers(api)) == list(range(1, 5))


def test_a_base_without_credentials_is_a_follower_that_fails(api, follower, copying):
    async def none(_now):
        raise BaseIdentityMissing(why="on purpose")

    copying.make = lambda: follower(credentials=none)
    copying.new()
    with pytest.raises(FollowerFailed, match=r"assume\.base-identity-missing"):
        copying.catch_up()


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(-20 * 24 * 60, 5 * 60), st.integers(0, 2_000_000)), max_size=30))
def test_every_batch_is_one_that_is_taken_and_no_event_is_missing(told):
    lines = [
        Copied(
            seq=number, text=b'{"seq":%d,"x":"%b","hash":"%b"}' % (number, b"x" * size, b"0" * 64),
            entry=Counted(at=NOW + timedelta(minutes=minutes), reason="r", network="n", count=1),
        )
        for number, (minutes, size) in enumerate(told)
    ]  # fmt: skip
    made = list(log_events.batches(log_events.of_lines(lines, now=NOW)))

    assert [json.loads(event.message)["seq"] for batch in made for event in batch] == list(range(len(lines)))
    for batch in made:
        times = [event.at for event in batch]
        assert len(batch) <= 10_000
        assert sum(event.size for event in batch) <= 1_048_576
        assert times == sorted(times)
        assert times[-1] - times[0] < 24 * 3600 * 1000
        assert (
            log_events.stamp(NOW - timedelta(days=14))
            < times[0]
            <= times[-1]
            < log_events.stamp(NOW + timedelta(hours=2))
        )


EDGES = [(10_000, 1), (10_001, 2)]


@pytest.mark.parametrize(("count", "batches"), EDGES)
def test_a_batch_holds_ten_thousand_events(count, batches):
    assert len(list(log_events.batches([Event(at=1, message=b"")] * count))) == batches


@pytest.mark.parametrize(("size", "batches"), [(524_288 - 26, 1), (524_288 - 25, 2)])
def test_a_batch_holds_its_octets_and_26_for_each_event(size, batches):
    assert len(list(log_events.batches([Event(at=1, message=b"x" * size)] * 2))) == batches


@pytest.mark.parametrize(("span", "batches"), [(86_400_000 - 1, 1), (86_400_000, 2)])
def test_a_batch_spans_less_than_a_day(span, batches):
    assert len(list(log_events.batches([Event(at=0, message=b""), Event(at=span, message=b"")]))) == batches


def figures(entries, namespace="Actas"):
    return [json.loads(text) for _, text in Figures(namespace).documents(entries)]


def by(documents, metric):
    return {
        tuple(one[name] for name in one["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]): one[metric]
        for one in documents
        if metric in one
    }


def test_figures_are_of_tokens_roles_outcomes_latency_and_denials():
    decided, ended = call(1)
    denied = Decided(**{**{f: getattr(decided, f) for f in decided.__struct_fields__}, "call": "2", "verdict": "deny",
                        "role": None, "reasons": ("outside-hours",)})  # fmt: skip
    found = figures([decided, ended, denied, Ended(call="2", at=ended.at, outcome="refused", took_us=5)])

    assert by(found, "TokenUse") == {("corp", "bearer"): 2}
    assert by(found, "RoleUse") == {("reader",): 1}
    assert by(found, "Calls") == {("orders", "failed"): 1, ("other", "refused"): 1}
    assert by(found, "Errors") == {("invoke.took-too-long",): 1}
    assert by(found, "Denials") == {("outside-hours",): 1}
    assert by(found, "Latency") == {("orders",): 0.001}
    assert all(one["_aws"]["Timestamp"] % 60_000 == 0 for one in found)


def test_a_figure_is_in_the_form_that_cloudwatch_reads():
    (found,) = figures([Counted(at=NOW, reason="http.no-token", network="n", count=7)])

    assert found == {
        "_aws": {
            "Timestamp": 1_795_435_200_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Actas",
                    "Dimensions": [["Reason"]],
                    "Metrics": [{"Name": "Strangers", "Unit": "Count"}],
                }
            ],
        },
        "Reason": "http.no-token",
        "Strangers": 7,
    }


def test_dimensions_are_bounded_and_the_rest_is_other():
    entries = [Counted(at=NOW, reason=f"r{number}", network="n", count=1) for number in range(MOST_VALUES + 50)]
    found = by(figures(entries), "Strangers")

    assert len(found) == MOST_VALUES + 1
    assert found[("other",)] == 50


def test_a_denied_call_of_a_function_that_is_not_there_names_it_nowhere():
    decided, _ = call(1)
    changed = {f: getattr(decided, f) for f in decided.__struct_fields__} | {"verdict": "deny", "function": "ana-7f0c"}

    assert "ana-7f0c" not in json.dumps(
        figures([Decided(**changed), Ended(call=decided.call, at=NOW, outcome="refused")])
    )


def test_many_numbers_of_one_metric_come_in_hundreds():
    calls = [call(number) for number in range(250)]
    found = [one["Latency"] for one in figures([entry for pair in calls for entry in pair]) if "Latency" in one]

    assert [len(one) for one in found] == [100, 100, 50]


def test_the_same_lines_again_give_the_same_figures():
    decided, ended = call(1)
    one = Figures("Actas")

    assert list(one.documents([decided, ended])) == list(one.documents([decided, ended]))


def test_figures_go_to_a_group_of_their_own_and_say_their_format(copying, api, follower):
    copying.make = partial(follower, CloudWatchMetrics, namespace="Actas")
    copying.new()
    recent = [Ended(call="1", at=clock.now(), outcome="answered", took_us=1)]
    copying.write(recent)
    copying.catch_up()

    action, told, head = api.asked[-1]
    assert action == "PutLogEvents"
    assert head["x-amzn-logs-format"] == "json/emf"
    assert {"Calls", "Latency"} <= {name for event in told["logEvents"] for name in json.loads(event["message"])}
