"""Entra's logs, read from a server that speaks OData as Microsoft Graph does, and from a public collection."""

import json
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

import anyio
import pytest

from actas.errors import ActasError
from actas.events.interface import Compares
from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import entra_logs
from actas.settings.schema import Provider, SecretRef
from actas.settings.schema_event_sources import EventClient

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANA, BEN, APP = "a0000000-0000-4000-8000-000000000001", "b0000000-0000-4000-8000-000000000002", "c0ffee00-app"
FIELDS = {"/v1.0/auditLogs/signIns": "createdDateTime", "/v1.0/auditLogs/directoryAudits": "activityDateTime"}


def iso(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"  # seven digits, as Graph writes them


class Graph(BaseHTTPRequestHandler):
    """Microsoft Graph, as far as it is asked: $filter, $top, $skiptoken, the newest first; and its refusals."""

    def log_message(self, *_):
        pass

    def answer(self, status, value, **headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, said in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), said)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3599})

    def do_GET(self):
        house, parts = self.server, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.endswith("/delta"):
            return self.answer(200, {"value": [], "@odata.deltaLink": f"{house.base}{parts.path}?$deltatoken=1"})
        house.asked.append(parts.path)
        if house.refusals.get(parts.path):
            status, headers = house.refusals[parts.path].pop(0)
            return self.answer(status, {"error": {"code": "Refused", "message": "not now"}}, **headers)
        by = FIELDS[parts.path]
        low, high = query["$filter"].removeprefix(f"{by} ge ").split(f" and {by} le ")
        rows = sorted(
            (row for row in house.rows[parts.path] if low[:23] <= row[by][:23] <= high[:23]),
            key=lambda row: row[by],
            reverse=True,
        )
        first = int(query.get("$skiptoken", 0))
        size = min(int(query["$top"]), house.page)
        page = {"@odata.context": f"{house.base}/v1.0/$metadata", "value": rows[first : first + size]}
        if first + size < len(rows):
            more = f"$filter={quote(query['$filter'])}&$top={query['$top']}&$skiptoken={first + size}"
            page["@odata.nextLink"] = f"{house.elsewhere or house.base}{parts.path}?{more}"
        return self.answer(200, page)


@pytest.fixture
def graph():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
    server.base = f"http://127.0.0.1:{server.server_port}"
    server.asked, server.refusals, server.page, server.elsewhere = [], {}, 1000, None
    server.rows = {path: [] for path in FIELDS}
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def source(graph, built):
    provider = Provider(preset="entra", tenant="72f988bf-86f1-41af-91ab-2d7cd011db47", audience="actas", private=True)

    def build(*logs, **more):
        client = EventClient(
            id="actas-events", secret=SecretRef(env="S"), url=graph.base, token_url=f"{graph.base}/token"
        )
        return built("entra", of=provider, client=client, logs=logs or ("sign-ins", "audits"), **more)

    return build


def sign_in(name, at=NOW, *, code=0, user=ANA, **more):
    return {
        "id": name, "createdDateTime": iso(at), "userId": user, "userPrincipalName": "ana@people.example",
        "appId": APP, "isInteractive": True, "status": {"errorCode": code, "failureReason": "Other."},
        "riskLevelDuringSignIn": "none", "riskState": "none", **more,
    }  # fmt: skip


def audit(name, activity, *, at=NOW, targets=(), result="success", by=None):
    return {
        "id": name, "activityDateTime": iso(at), "activityDisplayName": activity, "result": result,
        "initiatedBy": by or {"user": {"id": BEN}, "app": None},
        "targetResources": [{"id": target, "type": kind} for kind, target in targets],
    }  # fmt: skip


def polled(source, cursor=None, now=NOW):
    """Ask until there is no more, and give what came, and the last cursor."""
    events = []
    for _ in range(60):
        batch = anyio.run(partial(source.poll, cursor, now=now))
        events += batch.events
        cursor = batch.cursor
        if not batch.more:
            return events, cursor
    raise AssertionError("no end")


# What entries say


SIGN_INS = [
    ("a sign-in", {}, [("signed-in", None)]),
    ("a wrong password", {"code": 50126}, [("sign-in-failed", "50126")]),
    ("an account that is locked", {"code": 50053}, [("sign-in-failed", "50053")]),
    ("an account that is disabled", {"code": 50057}, [("sign-in-failed", "50057")]),
    ("conditional access that says no", {"code": 53003}, [("sign-in-failed", "53003")]),
    ("a second factor that is asked for", {"code": 50074}, [("other", "50074")]),
    ("whether to stay signed in", {"code": 50140}, [("other", "50140")]),
    ("a client that went on by itself", {"isInteractive": False}, [("token-refreshed", None)]),
    ("one at high risk", {"riskLevelDuringSignIn": "high"}, [("signed-in", None), ("risk-changed", "high")]),
    ("one that was confirmed bad", {"riskState": "confirmedCompromised"},
     [("signed-in", None), ("risk-changed", "confirmedCompromised")]),
    ("one whose risk is hidden", {"riskLevelDuringSignIn": "hidden", "riskState": "none"}, [("signed-in", None)]),
    ("one whose risk was dismissed", {"riskState": "dismissed"}, [("signed-in", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "wanted"), [one[1:] for one in SIGN_INS], ids=[one[0] for one in SIGN_INS])
def test_a_sign_in_tells(more, wanted):
    found = entra_logs.sign_in(sign_in("s1", sessionId="sid-1", **more))

    assert [(one.kind, one.reason) for one in found] == wanted
    assert {(one.subject, one.client, one.session, one.at) for one in found} == {(ANA, APP, "sid-1", NOW)}
    assert len({one.id for one in found}) == len(found)


def test_a_sign_in_of_nobody_whom_the_directory_knows_names_nobody():
    (found,) = entra_logs.sign_in(sign_in("s1", code=50034, user=entra_logs.NOBODY))

    assert (found.kind, found.subject) == ("sign-in-failed", None)


def test_a_risk_that_is_found_later_is_another_event_of_the_same_sign_in():
    first, later = (
        entra_logs.sign_in(sign_in("s1", riskLevelDuringSignIn="low", riskState=state))
        for state in ("none", "confirmedCompromised")
    )

    assert first[0] == later[0]
    assert first[1].id != later[1].id


USER, GROUP, SERVICE = ("User", ANA), ("Group", "g1"), ("ServicePrincipal", "sp-app")
AUDITS = [
    ("an app role given to a person", "Add app role assignment grant to user", (SERVICE, USER), "role-granted", ANA),
    ("an app role taken from a person", "Remove app role assignment from user", (SERVICE, USER), "role-revoked", ANA),
    ("an app role taken from a group", "Remove app role assignment from group", (SERVICE, GROUP), "role-revoked", None),
    ("an app role taken from a program", "Remove app role assignment from service principal",
     (SERVICE, ("ServicePrincipal", "sp-2")), "role-revoked", "sp-2"),
    ("a second factor removed by its owner", "User deleted security info", (USER,), "credential-changed", ANA),
    ("a second factor added", "User registered security info", (USER,), "credential-changed", ANA),
    ("a second factor removed by an administrator", "Admin deleted security info for a user", (USER,),
     "credential-changed", ANA),
    ("the beginning of a registration", "User started security info registration", (USER,), "other", ANA),
    ("a client with a new secret", "Update application \u2013 Certificates and secrets management ",
     (("Application", "app-1"),), "client-changed", None),
    ("a program deleted", "Remove service principal", (SERVICE,), "client-changed", None),
    ("consent to a program", "Consent to application", (SERVICE,), "client-changed", None),
    ("what delta queries tell of", "Disable account", (USER,), "other", ANA),
    ("a member of a group, which delta queries tell of", "Add member to group", (USER, GROUP), "other", ANA),
]  # fmt: skip


@pytest.mark.parametrize(
    ("activity", "targets", "kind", "subject"), [one[1:] for one in AUDITS], ids=[one[0] for one in AUDITS]
)
def test_an_audit_tells(activity, targets, kind, subject):
    (found,) = entra_logs.audit(audit("a1", activity, targets=targets))
    (failed,) = entra_logs.audit(audit("a1", activity, targets=targets, result="failure"))

    assert (found.kind, found.subject, found.actor, found.at) == (kind, subject, BEN, NOW)
    assert failed.kind == "other"


def test_an_audit_says_by_which_client_something_was_done():
    by = {"user": None, "app": {"appId": "our-client", "servicePrincipalId": "sp-9"}}

    (found,) = entra_logs.audit(audit("a1", "Disable account", targets=(USER,), by=by))

    assert (found.client, found.actor) == ("our-client", "sp-9")


@pytest.mark.parametrize("read", [entra_logs.sign_in, entra_logs.audit])
@pytest.mark.parametrize("value", [None, [], {}, {"id": "x"}, {"id": "", "createdDateTime": iso(NOW)}], ids=str)
def test_an_entry_of_another_form_is_refused(read, value):
    with pytest.raises(MalformedDelivery):
        read(value)


def as_graph(log, place):
    """Take a record of the collection, which Azure's own export wrote, for what Graph would list of it."""
    said, result = log.get("properties") or {}, log.get("resultType") or log.get("resulttype") or 0
    at = said.get("createdDateTime") or said.get("activityDateTime") or log["time"]
    at = at.replace(" ", "T")
    at = at if at[-1] == "Z" or "+" in at else at + "Z"
    named = {"id": said.get("id") or f"entry-{place}", "createdDateTime": at, "activityDateTime": at}
    code = int(result) if str(result).isdigit() else 0
    return {"status": {"errorCode": code}, **said, **named}


def test_every_entry_of_azure_in_the_collection_is_read(panther, count):
    logs = panther("Azure.Audit")

    signed_in = [(place, log) for place, log in enumerate(logs) if "SignIn" in log["category"]]
    for place, log in signed_in:
        for found in entra_logs.sign_in(as_graph(log, place)):
            count("Azure sign-ins", found.kind)
    for place, log in enumerate(logs):
        if "SignIn" not in log["category"]:
            said = as_graph(log, place)
            said.setdefault("activityDisplayName", log["operationName"])
            (found,) = entra_logs.audit(said)
            count("Azure audits", found.kind)
    assert (len(logs), len(signed_in)) == (46, 25)


# The wire


def test_both_logs_are_read_page_by_page(graph, source):
    graph.page = 2
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in(f"s{n}", NOW + timedelta(seconds=n)) for n in range(5)]
    graph.rows["/v1.0/auditLogs/directoryAudits"] = [
        audit("a1", "Remove app role assignment from user", targets=(SERVICE, USER), at=NOW - timedelta(hours=1))
    ]
    one = source()
    first, cursor = polled(one)
    later, _ = polled(one, cursor, NOW + timedelta(seconds=30))

    assert {event.kind.value for event in first} == {"role-revoked", "signed-in"}
    found = {event.id: event for event in first + later}
    assert {f"signIns.s{n}" for n in range(5)} | {"directoryAudits.a1"} == found.keys()
    assert (found["directoryAudits.a1"].subject, found["directoryAudits.a1"].client) == (ANA, "sp-app")
    assert graph.asked.count("/v1.0/auditLogs/signIns") > 3
    assert one.health().trouble is None


def test_sign_ins_of_before_are_not_told_and_what_ends_access_is(graph, source):
    before = NOW - timedelta(hours=5)
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in("old", before)]
    graph.rows["/v1.0/auditLogs/directoryAudits"] = [
        audit("old", "User deleted security info", targets=(USER,), at=before)
    ]

    events, _ = polled(source())

    assert [event.id for event in events] == ["directoryAudits.old"]


@pytest.mark.parametrize(
    ("late", "after", "found"),
    [
        (timedelta(minutes=9), timedelta(minutes=9), True),
        (timedelta(hours=5), timedelta(hours=5), True),
        (timedelta(days=2), timedelta(days=2), True),
        (timedelta(days=4), timedelta(days=4), False),
    ],
    ids=["minutes late", "hours late", "two days late", "later than anybody waits"],
)
def test_an_entry_that_is_written_late_is_found(graph, source, late, after, found):
    one = source("sign-ins")
    _, cursor = polled(one)
    happened = NOW + timedelta(seconds=1)
    _, cursor = polled(one, cursor, NOW + after)

    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in("late", happened)]
    events = []
    for minute in range(0, 13 * 60, 31):
        more, cursor = polled(one, cursor, happened + late + timedelta(minutes=minute))
        events += more

    assert ({event.id for event in events} == {"signIns.late"}) is found


def test_more_than_one_question_brings_is_asked_for_in_smaller_spans(graph, source, monkeypatch):
    from actas.events.sources.asking import graph_logs

    monkeypatch.setattr(graph_logs, "_MOST_PAGES", 2)
    graph.page = 2
    one = source("sign-ins")
    _, cursor = polled(one)
    happened = [NOW + timedelta(minutes=10 * n) for n in range(12)]
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in(f"s{n}", at) for n, at in enumerate(happened)]

    events, _ = polled(one, cursor, NOW + timedelta(hours=2))

    assert {event.id for event in events} == {f"signIns.s{n}" for n in range(12)}


def test_a_log_that_is_throttled_is_left_alone_until_it_may_be_asked_and_keeps_nothing_back(graph, source):
    graph.refusals["/v1.0/auditLogs/signIns"] = [(429, {"Retry_After": "90"})]
    graph.rows["/v1.0/auditLogs/directoryAudits"] = [audit("a1", "User deleted security info", targets=(USER,))]
    one = source()

    events, cursor = polled(one)
    after = [one.health()]
    _, cursor = polled(one, cursor, NOW + timedelta(seconds=89))
    asked = graph.asked.count("/v1.0/auditLogs/signIns")
    polled(one, cursor, NOW + timedelta(seconds=120))
    after.append(one.health())

    assert [event.id for event in events] == ["directoryAudits.a1"]
    assert asked == 1
    assert graph.asked.count("/v1.0/auditLogs/signIns") > 1
    assert [health.trouble for health in after] == ["events.provider-busy", None]
    assert after[0].notes == ("the sign-in log is not read: events.provider-busy",)


def test_a_tenant_without_the_licence_is_told_so_and_its_changes_are_heard(graph, source):
    graph.refusals["/v1.0/auditLogs/signIns"] = [(403, {})] * 9
    one = source("sign-ins")

    polled(one)
    advice = anyio.run(partial(one.examine, now=NOW))

    assert one.health().trouble == "events.provider-refused"
    found = {each.code: each for each in advice}
    assert found["right-missing"].severity == "error"
    assert "P1 or P2" in found["right-missing"].hint
    assert found["audits-not-read"].severity == "warning"
    assert found["users-readable"].severity == "fine"


def test_a_link_to_another_place_is_not_followed(graph, source):
    graph.page, graph.elsewhere = 1, "http://127.0.0.1:9"
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in(f"s{n}") for n in range(3)]
    one = source("sign-ins")

    assert polled(one)[0] == []
    assert one.health().trouble == "events.provider-unreadable"


def test_a_source_that_is_rung_asks_for_logs_no_more_often_than_the_settings_say(graph, source):
    one = source("sign-ins", secret=SecretRef(env="S"))
    _, cursor = polled(one)
    first = len(graph.asked)
    for second in range(1, 15):
        one.ring()
        _, cursor = polled(one, cursor, NOW + timedelta(seconds=second))
    between = len(graph.asked)
    one.ring()
    polled(one, cursor, NOW + timedelta(seconds=15))

    assert between == first
    assert len(graph.asked) > between


def test_an_entry_that_nobody_can_read_is_counted_and_keeps_no_other_back(graph, source):
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in("good"), sign_in("") | {"status": {"errorCode": "none"}}]
    one = source("sign-ins")

    events, _ = polled(one)

    assert {event.id for event in events} == {"signIns.good"}
    assert one.health().notes[0].startswith("entries that could not be read: ")


def test_what_the_logs_list_can_be_compared_with_what_was_heard(graph, source):
    graph.page = 2
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in(f"s{n}", NOW + timedelta(minutes=25 * n)) for n in range(5)]
    one = source("sign-ins")
    _, cursor = polled(one)

    async def listed():
        return {each.id async for each in one.compare(NOW, until=NOW + timedelta(minutes=75))}

    assert isinstance(one, Compares)
    assert anyio.run(listed) == {f"signIns.s{n}" for n in range(4)}
    assert one.began(cursor) == NOW


def test_what_is_compared_is_all_of_it_or_the_comparison_fails(graph, source, monkeypatch):
    from actas.events.sources.asking import graph_logs

    monkeypatch.setattr(graph_logs, "_MOST_PAGES", 2)
    graph.page = 2
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in(f"s{n}", NOW + timedelta(minutes=9 * n)) for n in range(20)]
    one = source("sign-ins")

    async def listed():
        return {each.id async for each in one.compare(NOW, until=NOW + timedelta(hours=4))}

    assert anyio.run(listed) == {f"signIns.s{n}" for n in range(20)}
    graph.rows["/v1.0/auditLogs/signIns"] += [sign_in(f"t{n}", NOW + timedelta(seconds=n)) for n in range(5)]
    with pytest.raises(ActasError) as wrong:
        anyio.run(listed)
    assert wrong.value.code == "events.provider-unreadable"


def test_a_source_without_logs_cannot_tell_what_its_provider_lists(built, source):
    client = EventClient(id="c", secret=SecretRef(env="S"))

    assert not isinstance(built("entra", client=client), Compares)
    assert isinstance(source("audits", secret=SecretRef(env="S")), Compares)


def test_logs_that_are_added_later_begin_then(graph, source, built):
    graph.rows["/v1.0/auditLogs/signIns"] = [sign_in("old", NOW + timedelta(minutes=1))]
    _, cursor = polled(source("audits"))
    later = source("sign-ins", "audits")
    events, cursor = polled(later, cursor, NOW + timedelta(hours=1))

    assert events == []
    assert later.began(cursor) == NOW + timedelta(hours=1)


def test_a_provider_that_says_when_to_come_again_is_not_asked_before(graph, source):
    graph.refusals["/v1.0/auditLogs/directoryAudits"] = [(503, {"Retry_After": "5"}), (503, {})]
    one = source("audits")
    _, cursor = polled(one)
    for second in (4, 20, 40):
        _, cursor = polled(one, cursor, NOW + timedelta(seconds=second))

    assert one.health().trouble is None
    assert len(graph.asked) >= 3
    with pytest.raises(ActasError):
        entra_logs.audit({})
