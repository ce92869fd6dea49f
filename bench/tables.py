"""The tables of bench/README.md, made from bench/results/*.json: goals and their ratios first, then every row.

A goal that is missed stays a row, with its cause. A peer that wins stays a row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Result = dict
Results = dict[str, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the first table."""

    what: str
    value: str
    goal: str
    met: bool
    cause: str = ""
    """Why it is missed."""


CAUSES = {
    "cached": "A SHA-256 of the whole token is nearly all of it: a shorter key would let one token stand for another.",
    "bare": (
        "The server takes most of the room itself for handing over a body, which the hello never reads (see the ratio "
        "to a hello that does); the rest is a call's path in Python: strict head, canonical path, limits, identity, "
        "decision, sessions."
    ),
    "full": "As above, and two records are made, chained, written and waited for in a thread beside the event loop.",
    "first": (
        "A first sight verifies, reads every claim into facts, evaluates the rules and writes two sessions, "
        "in Python; Envoy verifies and matches one list in C++. It is paid once a token: the row of known tokens is "
        "what a caller meets."
    ),
    "distinct": "Envoy's figure is one verification in C++; ours is a whole call in Python with two records.",
    "never": "A first decision reads the identity into condition keys, evaluates IAM and writes the grant; it is paid "
    "once an identity and function, and what is paid for every call is the row of remembered answers.",
    "verify": "What is left beside OpenSSL is reading JSON strictly and checking claims, in Python.",
    "pyjwt": "OpenSSL's own share of this algorithm is so large that no library can be that much faster.",
    "saml": (
        "What was signed is parsed again, which is 0.6 of it by itself, and every attribute is read in Python; the "
        "floor is measured alone, with warm caches (ADR 31)."
    ),
    "warm": "The function's process is stopped and continued around every call, its logs are read and its caller is "
    "signed into an envelope; on a busy machine each of these waits for the processor.",
    "cold": "A new sandbox of its own (namespaces, control group, mounts) is part of a cold start.",
    "sts": (
        "Each request is read strictly, verified, decided by rules and trust, sealed, and waits until its decision is "
        "on the disk; the peer looks at no token and keeps nothing. The row of one token says what known ones cost."
    ),
    "inbox": "One transaction waits for the disk and for the processor; on a busy machine both are shared.",
    "events": (
        "Each is a whole webhook and a whole call: signature, transaction, decision on the disk, a process continued "
        "and stopped. The processor time of one, in the table, says what two idle cores would do in a second."
    ),
    "busy": "A busy machine: each step waits for the processor.",
    "audit": "The disk: each batch waits for one fdatasync.",
    "start": "Imports are most of it; see the table of imports.",
    "memory": "The caches are bounded and not yet full at the second measure.",
}


def goals(results: Results) -> Iterator[Goal]:
    """Give every goal that has a result."""
    for name, make in _GOALS.items():
        if name in results:
            yield from make(results[name])


def _goal(what: str, value: float, limit: float, cause: str, *, at_least: bool = False, unit: str = "") -> Goal:
    met = value >= limit if at_least else value <= limit
    sign = "≥" if at_least else "≤"
    return Goal(
        what=what,
        value=f"{value:,.2f}{unit}" if value < 1000 else f"{value:,.0f}{unit}",
        goal=f"{sign} {limit:,g}{unit}",
        met=met,
        cause="" if met else CAUSES[cause],
    )


def _gateway(result: Result) -> Iterator[Goal]:
    causes = {"token reused, no": "bare", "token reused, both": "full", "10,000": "distinct", "every": "first"}
    for name, told in result["goals"].items():
        if told["goal"] is not None:
            cause = next(cause for start, cause in causes.items() if name.startswith(start))
            yield _goal(f"a call, CPU: {name}", told["ratio"], told["goal"], cause)


def _jose(result: Result) -> Iterator[Goal]:
    for algorithm, rows in result["verify"].items():
        ours = rows["actas.jose"]["median_us"]
        yield _goal(
            f"verify {algorithm} / OpenSSL alone", round(ours / rows["cryptography"]["median_us"], 2), 1.5, "verify"
        )
        ratio = round(rows["pyjwt"]["median_us"] / ours, 2)
        yield _goal(f"PyJWT / verify {algorithm}", ratio, 2.5, "pyjwt", at_least=True)


def _saml(result: Result) -> Iterator[Goal]:
    ratio, signxml = (result["verify"]["6 KB"][name]["times_floor"] for name in ("actas.saml", "signxml"))
    yield _goal("verify a SAML response of 6 KB / the floor", ratio, result["goal_times_floor"], "saml")
    yield _goal("signxml / verify a SAML response of 6 KB", round(signxml / ratio, 2), 1, "saml", at_least=True)
    slowest = max(one["best_ms"] for one in result["hostile"].values())
    yield _goal("the dearest hostile SAML document", slowest, 60, "saml", unit=" ms")


def _identify(result: Result) -> Iterator[Goal]:
    yield _goal("a token that is known", result["median_cpu_us"]["known token"], 1.5, "cached", unit=" µs")


def _decide(result: Result) -> Iterator[Goal]:
    for name, told in result["goals"].items():
        unit = " µs" if name.endswith("µs") else ""
        yield _goal(f"decide: {name.removesuffix(', µs')}", told["value"], told["goal"], "never", unit=unit)


def _invoke(result: Result) -> Iterator[Goal]:
    ratios = result["ratios"]
    added = ratios["warm, added by the backend, median us"] / 1000
    yield _goal("a warm local function: added to the runtime client's round trip", added, 1.0, "warm", unit=" ms")
    beside = ratios["warm, with a way out to without, best"]
    yield _goal("a warm local function: with a way out / without", beside, 1.05, "warm")
    for name, value in ratios.items():
        if name.startswith("cold") and name.endswith("median"):
            yield _goal(f"{name.removesuffix(', median')}", value, 1.3, "cold")


def _sts(result: Result) -> Iterator[Goal]:
    for case, least in result["goals"].items():
        yield _goal(f"{case}: actas / moto", result["ratios"][case], least, "sts", at_least=True)


def _audit(result: Result) -> Iterator[Goal]:
    for callers in (64, 512):
        rate = result["medians"][f"actas, {callers} callers"]["records_a_second"]
        yield _goal(f"audit, {callers} callers, records a second", rate, 20_000, "audit", at_least=True)


def _start(result: Result) -> Iterator[Goal]:
    ready, rise = result["goals"].values()
    yield _goal("start to ready", ready["value"], ready["goal"], "start", unit=" s")
    yield _goal("memory after 100,000 tokens / after 50,000", rise["value"], rise["goal"], "memory")


def _events(result: Result) -> Iterator[Goal]:
    yield _goal("events a second, inbox, webhooks", result["inbox_webhooks_per_s"], 1000, "inbox", at_least=True)
    functions = result["through_functions_per_s"]
    yield _goal("events a second, through a local function", functions, 500, "events", at_least=True)
    yield _goal("webhook to function start, p50", result["start_ms_p50"], 50, "busy", unit=" ms")
    yield _goal("hearing to no access, slowest", result["dead_ms_max"], 1000, "busy", unit=" ms")


def _idle(result: Result) -> Iterator[Goal]:
    used = result["processor_ms_a_second"]["actas, before any call"]
    yield _goal("an idle gateway, processor time a second", used, 5, "busy", unit=" ms")


def _logins(result: Result) -> Iterator[Goal]:
    for way, one in result["ways"].items():
        what = f"{one['signed_in']:,} sign-ins at Keycloak, {way.replace('-', ' ')}: the lag rose"
        yield _goal(what, one["lag_ms"]["rose_ms"], result["may_rise_ms"], "busy", unit=" ms")


_GOALS: dict[str, Callable[[Result], Iterator[Goal]]] = {
    "gateway": _gateway,
    "jose": _jose,
    "saml": _saml,
    "identify": _identify,
    "decide": _decide,
    "invoke": _invoke,
    "sts": _sts,
    "audit": _audit,
    "events": _events,
    "start": _start,
    "idle": _idle,
    "logins": _logins,
}


def text(results: Results) -> str:
    """Write all tables."""
    parts = ["## Goals", "", *_goal_table(list(goals(results)))]
    for name, (title, make) in _TABLES.items():
        if name in results:
            parts += ["", f"## {title}", "", _measured(name, results[name]), "", *make(results[name])]
    for name in sorted(results.keys() - _TABLES.keys()):  # those that have no table of their own
        rows = list(_leaves({key: value for key, value in results[name].items() if key not in _ABOUT}))
        parts += ["", f"## {name}", "", _measured(name, results[name]), "", *_table(("what", "measured"), rows)]
    return "\n".join(parts)


_ABOUT = frozenset({"date", "machine", "versions", "peers", "python"})


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[object, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif not isinstance(value, list):
        yield ", ".join(path), value


def _goal_table(found: list[Goal]) -> list[str]:
    rows = [(one.what, one.value, one.goal, "yes" if one.met else "**no**", one.cause) for one in found]
    return _table(("what", "measured", "goal", "met", "why not"), rows)


def _measured(name: str, result: Result) -> str:
    machine = result.get("machine", "the machine is not told")
    if isinstance(machine, dict):
        kind = machine.get("arch") or machine.get("system", "")
        machine = f"{kind}, {machine.get('cpus', '?')} cores, Python {machine['python']}"
    if (python := result.get("python")) and python not in machine:
        machine = f"{machine}, Python {python}"
    versions = result.get("versions") or result.get("peers") or {}
    peers = f"; {', '.join(f'{peer} {version}' for peer, version in versions.items())}" if versions else ""
    day = f", {result['date']}" if "date" in result else ""
    return f"`bench/results/{name}.json`: {machine}{day}{peers}."


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' if n == 0 else '---:' for n in range(len(head)))}|"]
    if head[-1] == "why not":
        lines[1] = "|---|---:|---:|---|---|"
    return lines + [f"| {' | '.join(_cell(one) for one in row)} |" for row in rows]


def _cell(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
        case None:
            return ""
    return str(value)


def _gateway_rows(result: Result) -> list[str]:
    hello = result["rows"]["bare ASGI hello"]["cpu_us"]
    rows = [
        (name, round(one["cpu_us"] / hello, 2), one["cpu_us"], one["a_second"], one["p50_ms"], one["wrong"])
        for name, one in result["rows"].items()
    ]
    head = ("server", "times hello", "CPU µs a request", "requests a second", "p50 ms", "not answered as they should")
    beside = [(name, told["ratio"]) for name, told in result["goals"].items()]
    run = (
        f"{result['connections']} connections, {result['tokens']:,} RS256 tokens of 1.2 KB, "
        f"{result['rounds']} rounds of {result['seconds']} s in turns."
    )
    return [run, "", *_table(("ratio of CPU time", "ratio"), beside), "", *_table(head, rows)]


def _jose_rows(result: Result) -> list[str]:
    libraries = list(next(iter(result["verify"].values())))
    rows = [
        (library, *(one for rows in result["verify"].values() for one in _pair(rows, library))) for library in libraries
    ]
    head = ("library", *(one for name in result["verify"] for one in (f"{name} / ours", f"{name} µs")))
    return _table(head, rows)


def _pair(rows: dict, library: str) -> tuple[float, float]:
    return round(rows[library]["median_us"] / rows["actas.jose"]["median_us"], 2), rows[library]["median_us"]


def _sizes(table: dict, ours: str, what: str) -> list[str]:
    sizes = list(table[ours])
    head = (what, *(f"{size} rules / ours" for size in sizes), *(f"{size} rules, µs" for size in sizes))
    rows = []
    for name, row in table.items():
        ratios = [round(row[size] / table[ours][size], 2) if size in row else "" for size in sizes]
        rows.append((name, *ratios, *(row.get(size, "") for size in sizes)))
    return _table(head, rows)


def _iam_rows(result: Result) -> list[str]:
    return _sizes(result["decide_us"], "actas.iam", "library")


def _decide_rows(result: Result) -> list[str]:
    return _sizes(result["decide_us"], "actas, never asked", "question")


def _identify_rows(result: Result) -> list[str]:
    ratios = _table(("ratio", "ratio"), list(result["ratios"].items()))
    return [*ratios, "", *_table(("what", "CPU µs"), list(result["median_cpu_us"].items()))]


def _sigv4_rows(result: Result) -> list[str]:
    ratios = [(name, round(value, 2)) for name, value in result["ratios"].items()]
    rows = [(name, round(one["median"], 2), round(one["min"], 2)) for name, one in result["microseconds"].items()]
    return [*_table(("ratio", "ratio"), ratios), "", *_table(("what", "median µs", "least µs"), rows)]


def _sts_rows(result: Result) -> list[str]:
    ratios = [(case, ratio, result["cpu_ratios"][case]) for case, ratio in result["ratios"].items()]
    rows = [
        (case, name, row["a_second"], row["cpu_us"], row["p50_ms"])
        for case, by in result["requests"].items()
        for name, row in by.items()
    ]
    head = ("what", "server", "requests a second", "CPU µs a request", "median ms")
    return [
        *_table(("what", "requests a second: actas / moto", "CPU: moto / actas"), ratios),
        "",
        *_table(head, rows),
    ]


def _invoke_rows(result: Result) -> list[str]:
    rows = [(name, *(one[key] / 1000 for key in ("median", "best", "p95"))) for name, one in result["times_us"].items()]
    ratios = _table(("ratio", "value"), list(result["ratios"].items()))
    return [*ratios, "", *_table(("what", "median ms", "least ms", "p95 ms"), rows)]


def _lambda_door_rows(result: Result) -> list[str]:
    rows = [(name, one["rate"], one["ms"], one["cpu_us"]) for name, one in result["rows"].items()]
    ratios = _table(("ratio", "value"), list(result["ratios"].items()))
    return [*ratios, "", *_table(("what", "requests a second", "median ms", "CPU µs a request"), rows)]


def _audit_rows(result: Result) -> list[str]:
    rows = [
        (name, one["records_a_second"], one["cpu_us_a_call"], one.get("records_a_batch"))
        for name, one in result["medians"].items()
    ]
    head = ("what", "records a second", "CPU µs a call", "records a batch")
    return [*_table(("ratio", "ratio"), list(result["ratios"].items())), "", *_table(head, rows)]


def _start_rows(result: Result) -> list[str]:
    ready = [(f"ready, {name}", one["median_s"], one["least_s"]) for name, one in result["ready"].items()]
    cost = list(result["imports_cpu_ms"].items())
    held = list(result["rss_mb"].items())
    return [
        *_table(("start", "median s", "least s"), ready),
        "",
        *_table(("import", "CPU ms"), cost),
        "",
        *_table(("resident set of a gateway", "MB"), held),
    ]


def _soak_rows(result: Result) -> list[str]:
    rows = [(name, one["median"], one["most"], one["rose"], one["may_rise"]) for name, one in result["growth"].items()]
    left, audit, kills = result["after_sigterm"], result["audit"], result["kills"]
    amiss = "; ".join(result["amiss"]) or "nothing"
    told = [
        f"{result['seconds']} s, {result['calls']:,} calls, {result['reloads']} changes of the settings.",
        f"Amiss: {amiss}.",
        (
            f"After SIGTERM: exit code {left['exit_code']} within {left['seconds']} s, {left['processes']} processes, "
            f"{left['groups']} control groups and {left['mounts']} mounts left."
        ),
        f"The trail holds: {_cell(audit['holds'])} ({audit.get('records', 0):,} records).",
        f"{kills['kills']} kills under load, no decided call lost: {_cell(kills['holds'])}.",
    ]
    return [*told, "", *_table(("what", "median", "most", "rose after the warm-up", "may rise"), rows)]


def _events_kills_rows(result: Result) -> list[str]:
    victims = ", ".join(f"{name} {count}" for name, count in result["kills_of"].items())
    audit = "; ".join(
        f"exit code {one['exit_code']}, {one.get('listed', 0):,} listed, {one.get('missing', 0)} missing"
        for one in result["audit_command"]
        if one.get("source") == "corp-events"
    )
    told = [
        f"{result['kills']} kills with -9 in {result['seconds']:.0f} s, seed {result['seed']}: {victims}.",
        f"Gateways: {result['gateways']}, on {result['database']}; Keycloak: {result['keycloak']}.",
        f"`actas events audit`: {audit or 'no provider to ask'}.",
        f"Amiss: {'; '.join(result['amiss']) or 'nothing'}.",
    ]
    names = ("listed", "acknowledged", "lost", "without_effect", "twice", "unknown", "told_again", "left", "dead")
    what = {
        "listed": "sign-ins that Keycloak lists",
        "acknowledged": "events acknowledged to a sender",
        "without_effect": "heard, and without their effect",
        "twice": "effects had more than once",
        "unknown": "effects of what nobody lists",
        "told_again": "deliveries that came again, with the same key",
        "left": "deliveries left",
        "dead": "deliveries set apart",
    }
    return [*told, "", *_table(("what", "count"), [(what.get(name, name), result[name]) for name in names])]


def _logins_rows(result: Result) -> list[str]:
    head = (
        "way", "sign-ins", "a second", "heard", "functions run", "lag p50 ms", "p99 ms", "rose ms", "function p50 ms",
        "load",
    )  # fmt: skip
    rows, tenths = [], []
    for way, one in result["ways"].items():
        lag = one["lag_ms"]
        shown = (one["signed_in"], one["logins_per_s"], one["heard"], one["functions_run"], lag["p50"], lag["p99"])
        rows.append((way.replace("-", " "), *shown, lag["rose_ms"], one["function_lag_ms"]["p50"], one["load"]))
        tenths.append((way.replace("-", " "), *lag["p50_of_each_tenth"]))
    told = (
        f"{result['people']} people at a real Keycloak, {result['at_once']} at once, passwords hashed by "
        f"{result['password_hashing']}; what rose is the straight line through the lags of all, from first to last."
    )
    which = ("lag p50 ms of each tenth", *(str(number) for number in range(1, 11)))
    return [told, "", *_table(head, rows), "", *_table(which, tenths)]


def _kills_rows(result: Result) -> list[str]:
    names = ("kills", "acknowledged", "lost", "closed_as_unknown", "torn_lines_cut", "records", "holds")
    return _table(("what", "count"), [(name.replace("_", " "), result[name]) for name in names if name in result])


def _fuzz_rows(result: Result) -> list[str]:
    rows = [
        (name, one["runs"], one["coverage"], one["seconds"], ", ".join(one["found"]) or "nothing")
        for name, one in result["targets"].items()
    ]
    told = (
        f"{result['seconds_each']} s each, seed {result['seed']}: {result['runs']:,} runs, {result['crashes']} crashes."
    )
    return [told, "", *_table(("target", "runs", "coverage", "seconds", "found"), rows)]


_TABLES: dict[str, tuple[str, Callable[[Result], list[str]]]] = {
    "gateway": ("A call through the gateway", _gateway_rows),
    "jose": ("Verifying a token", _jose_rows),
    "identify": ("Believing a caller", _identify_rows),
    "decide": ("Deciding by the rules", _decide_rows),
    "iam": ("Evaluating IAM policies", _iam_rows),
    "sigv4": ("Signing AWS requests", _sigv4_rows),
    "sts": ("Taking roles at STS", _sts_rows),
    "invoke": ("Local functions", _invoke_rows),
    "lambda_door": ("Calling a local function by the Lambda API", _lambda_door_rows),
    "audit": ("Keeping the trail", _audit_rows),
    "start": ("Starting, imports, memory", _start_rows),
    "soak": ("Soak", _soak_rows),
    "audit_kills": ("Killed under load", _kills_rows),
    "events_kills": ("Killed while people sign in", _events_kills_rows),
    "logins": ("Ten thousand sign-ins at a real Keycloak", _logins_rows),
    "fuzz": ("Fuzzing", _fuzz_rows),
}
