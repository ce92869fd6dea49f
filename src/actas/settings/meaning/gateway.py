"""Check where the gateway is reached and what it may use, and the trail."""

from datetime import timedelta
from typing import Final

from actas.settings.meaning.addresses import Url, is_loopback, listens, url
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.secrecy import quoted
from actas.settings.values import Size, Span

_DAY: Final = 86400


def check(view: View) -> None:
    """Check ``gateway`` and ``audit``."""
    _origins(view)
    _listeners(view)
    _proxies(view)
    _isolation(view)
    _limits(view)
    _audit(view)


def _origins(view: View) -> None:
    gateway = view.settings.gateway
    found: dict[str, Url] = {}
    for key, text in (("public_url", gateway.public_url), ("control_url", gateway.control_url)):
        read = url(text)
        if isinstance(read, Url) and read.path in ("", "/"):
            found[key] = read
            continue
        why = read if isinstance(read, str) else "has a path; an origin has none"
        hint = "Write the scheme, the host and, where it is not the usual one, the port: https://actas.example.com."
        view.report("settings.bad-url", ("gateway", key), f"gateway.{key} {why}", hint)
    if len(found) == 2 and found["public_url"].origin == found["control_url"].origin:
        message = "gateway.control_url is the same origin as gateway.public_url; cookies and sign-in need their own"
        view.report(
            "settings.same-origin", ("gateway", "control_url"), message, "Give it another host or another port."
        )


def _listeners(view: View) -> None:
    gateway = view.settings.gateway
    where: dict[str, tuple[str, int]] = {}
    for key, text in (("listen", gateway.listen), ("control_listen", gateway.control_listen)):
        if (address := listens(text)) is not None:
            where[key] = address
            continue
        hint = "Write an address and a port: 127.0.0.1:8700, 0.0.0.0:8700 or [::1]:8700."
        message = f"gateway.{key} is {quoted(text)}; wanted: an address and a port"
        view.report("settings.bad-address", ("gateway", key), message, hint)
    if len(where) == 2 and where["listen"] == where["control_listen"] and where["listen"][1] != 0:
        message = "gateway.control_listen is the same address as gateway.listen"
        view.report("settings.same-address", ("gateway", "control_listen"), message, "Give it another port.")
    control = url(gateway.control_url)
    address = where.get("control_listen")
    if address and not is_loopback(address[0]) and isinstance(control, Url) and control.scheme != "https":
        message = "gateway.control_listen can be reached from elsewhere, and gateway.control_url is not https"
        hint = "Put TLS in front and write https:// in control_url, or listen on 127.0.0.1."
        view.warn("settings.control-in-clear", ("gateway", "control_listen"), message, hint)


def _proxies(view: View) -> None:
    proxies = view.settings.gateway.proxies
    if proxies is None:
        return
    path: Path = ("gateway", "proxies", "networks")
    if not proxies.networks:
        hint = "Name the proxies' networks, or remove gateway.proxies."
        view.report("settings.empty-list", path, "gateway.proxies.networks is an empty list", hint)
    for place, network in enumerate(proxies.networks):
        where = (*path, place)
        if network.net.prefixlen == 0:
            message = f"{network.net} lets everybody say which address they come from"
            view.report("settings.proxies-too-wide", where, message, "Name the networks of your own proxies only.")
        elif network.net.is_global and network.net.num_addresses > 2**16:
            message = f"{network.net} is a public network of {network.net.num_addresses:,} addresses"
            view.warn("settings.proxies-too-wide", where, message, "Name the networks of your own proxies only.")


def _isolation(view: View) -> None:
    if view.settings.gateway.isolation != "weak":
        return
    path: Path = ("gateway", "isolation")
    message = "with isolation: weak a function can read what belongs to others"
    if view.around.weak_isolation:
        view.warn("settings.weak-isolation", path, message, "Use it for trying out, and nowhere else.")
    else:
        hint = "Remove isolation: weak; only `actas up` takes it."
        view.report("settings.weak-isolation", path, f"{message}; a server refuses it", hint)


def _limits(view: View) -> None:
    limits = view.settings.gateway.limits
    at: Path = ("gateway", "limits")
    for key in ("body", "headers", "target"):
        size(view, (*at, key), getattr(limits, key), least=1024, most=64 * 1024 * 1024)
    span(view, (*at, "request_time"), limits.request_time, least=1, most=3600)
    span(view, ("gateway", "grace"), view.settings.gateway.grace, least=0, most=3600)
    span(view, ("gateway", "saml_keys"), view.settings.gateway.saml_keys, least=30 * _DAY, most=730 * _DAY)
    for whole, part in (("sessions", "sessions_per_subject"), ("processes", "processes_per_subject")):
        if getattr(limits, part) > getattr(limits, whole):
            message = f"gateway.limits.{part} is more than gateway.limits.{whole}: one caller could use it all"
            view.warn("settings.limit-without-effect", (*at, part), message, f"Make it smaller than {whole}.")
    is_local = any(one.python or one.node for one in view.settings.functions.values())
    if is_local and limits.depth >= limits.processes_per_subject:  # each call in a chain holds a process of its own
        message = "functions cannot call each other as deep as gateway.limits.depth: a caller has too few processes"
        view.warn(
            "settings.limit-without-effect", (*at, "depth"), message, "Make it smaller than processes_per_subject."
        )


def _audit(view: View) -> None:
    audit = view.settings.audit
    span(view, ("audit", "epoch"), audit.epoch, least=_DAY, most=3660 * _DAY)
    span(view, ("audit", "jsonl", "checkpoint"), audit.jsonl.checkpoint, least=1, most=_DAY)
    size(view, ("audit", "jsonl", "segment"), audit.jsonl.segment, least=64 * 1024, most=16 * 1024**3)
    if audit.keep is not None:
        span(view, ("audit", "keep"), audit.keep, least=_DAY, most=36600 * _DAY)


def span(view: View, path: Path, value: Span, *, least: float, most: float) -> None:
    """Report a span that is shorter or longer than makes sense."""
    if not least <= value.seconds <= most:
        _out_of_range(view, path, str(Span(timedelta(seconds=least))), str(Span(timedelta(seconds=most))))


def size(view: View, path: Path, value: Size, *, least: int, most: int) -> None:
    """Report a size that is smaller or larger than makes sense."""
    if not least <= value.bytes <= most:
        _out_of_range(view, path, str(Size(least)), str(Size(most)))


def _out_of_range(view: View, path: Path, least: str, most: str) -> None:
    message = f"{path[-1]} is out of range; wanted: {least} to {most}"
    view.report(
        "settings.out-of-range", path, message, f"Give a value from {least} to {most}.", wanted=f"{least} to {most}"
    )
