"""``actas events …``: what was heard of people, what became of it, what is missing, and what stands in the way."""

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from actas.cli import CANNOT_TELL, DENIED, DONE, events_text, output
from actas.cli import events_asking as asking
from actas.cli.errors import NoSuchEvent
from actas.cli.events_errors import NothingToReplay
from actas.cli.options import HERE, MOST, Many, Where
from actas.events import telling
from actas.model import clock

if TYPE_CHECKING:
    from actas.events.desk import Desk

app = App(name="events", help="See what was heard of people and what became of it, and prove that nothing is missing.")
_FOLLOWED = 200


@app.command
def tail(
    count: Many = 20, *, source: str | None = None, follow: bool = False, where: Where = HERE, json: bool = False
) -> int:
    """Show the last events, and with --follow those that come: kinds and numbers, nobody's name.

    For example:
        actas events tail
        actas events tail 100 --source corp-events --follow

    Parameters
    ----------
    count:
        How many events.
    source:
        Of this source only.
    follow:
        Go on until Ctrl-C.
    json:
        Print one JSON object an event.
    """
    import anyio

    async def shown(desk: "Desk", _broken: dict[str, str]) -> int:
        found = await desk.latest(most=count, source=source)
        if not found:
            asking.known(source, desk.sources)
            asking.nothing("nothing was heard yet", json=json)
        last = found[-1].sequence if found else 0
        while True:
            for one in found:
                print(output.json_line(telling.heard_data(one)) if json else events_text.heard(one), flush=follow)
            if not follow:
                return DONE
            await anyio.sleep(0.5)
            found = await desk.latest(after=last, most=_FOLLOWED, source=source)
            last = found[-1].sequence if found else last

    return asking.at(where, shown)


@app.command
def show(number: int, *, raw: bool = False, where: Where = HERE, json: bool = False) -> int:
    """Open one event and show whom it is about.

    For example:
        actas events show 4711

    Parameters
    ----------
    number:
        Its number, as 'actas events tail' shows it.
    raw:
        Print what came, as it came, where the source keeps it.
    json:
        Print one JSON object.
    """

    async def opened(desk: "Desk", _broken: dict[str, str]) -> int:
        found = await desk.event(number)
        if found is None:
            raise NoSuchEvent(number=number)
        if raw:
            print(output.plain((found[1].raw or b"").decode("utf-8", "replace")))
            return DONE if found[1].raw else CANNOT_TELL
        data = telling.event_data(*found)
        print(output.json_line(data) if json else events_text.event(data))
        return DONE

    return asking.at(where, opened)


@app.command
def dead(*, most: Many = 100, where: Where = HERE, json: bool = False) -> int:
    """Show the deliveries that are set apart, and why.

    For example:
        actas events dead

    Parameters
    ----------
    most:
        How many, the latest first.
    json:
        Print one JSON object a delivery.
    """

    async def listed(desk: "Desk", _broken: dict[str, str]) -> int:
        found = await desk.dead(most=most)
        if not found:
            asking.nothing("nothing is set apart", json=json)
        for one in found:
            print(output.json_line(telling.letter_data(one)) if json else events_text.letter(one))
        return DONE

    return asking.at(where, listed)


@app.command
def replay(*names: str, every: bool = False, where: Where = HERE, json: bool = False) -> int:
    """Have deliveries tried again that are set apart; each keeps its idempotency key.

    For example:
        actas events replay 06H0H4HJNZAB18K6AAY5Q3GSWC
        actas events replay --every

    Parameters
    ----------
    names:
        Their ids, as 'actas events dead' shows them.
    every:
        All that are set apart.
    json:
        Print one JSON object.
    """
    if every is bool(names):
        raise NothingToReplay(both=every)

    async def opened(desk: "Desk", _broken: dict[str, str]) -> int:
        asked = [one.id for one in await desk.dead(most=MOST)] if every else list(names)
        done = await desk.replay(asked)
        text = f"{len(done)} of {len(asked)} deliveries are tried again"
        print(output.json_line({"replayed": done, "asked": len(asked)}) if json else text)
        return DONE if len(done) == len(asked) else CANNOT_TELL

    return asking.at(where, opened)


@app.command
def audit(*, since: str = "24h", source: str | None = None, where: Where = HERE, json: bool = False) -> int:
    """Compare what the providers list with what was heard.

    The exit code is 1 where something is missing, and 3 where not everything that was asked for can be told: before
    events.keep nothing is known here, and providers forget, too.

    For example:
        actas events audit --since 24h
        actas events audit --since 2026-11-01T00:00:00Z --source corp-events

    Parameters
    ----------
    since:
        From this time on: a moment, or a span before now.
    source:
        This source only.
    json:
        Print one JSON object a source.
    """
    now = clock.now()
    begin = asking.since(since, now)

    async def compared(desk: "Desk", broken: dict[str, str]) -> int:
        broken = asking.meant(source, desk.sources, broken)
        found = await desk.compare(begin, now=now, only=source)
        for one in found:
            print(output.json_line(telling.compared_data(one)) if json else events_text.compared(one))
        asking.tell_broken(broken, json=json)
        if any(one.missing for one in found):
            return DENIED
        return CANNOT_TELL if broken or not all(one.is_proved for one in found) else DONE

    return asking.at(where, compared)


@app.command
def doctor(
    *,
    source: str | None = None,
    fix: bool = False,
    administrator: Path | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Say what has to be switched on at the providers, and where; with --fix do it.

    For example:
        actas events doctor
        actas events doctor --source corp-events --fix --administrator token.txt

    Parameters
    ----------
    source:
        This source only.
    fix:
        Put right what can be, with an administrator's own token.
    administrator:
        A file with that token; it is used once and not kept.
    json:
        Print one JSON object for each piece of advice.
    """
    token = asking.token(administrator) if fix else None

    async def examined(desk: "Desk", broken: dict[str, str]) -> int:
        broken = asking.meant(source, desk.sources, broken)
        now, changed = clock.now(), False
        found = await desk.examine(now=now, only=source)
        for one in found:
            if token is not None and any(advice.can_mend for advice in one.advice):
                for advice in await desk.mend(one.source, token, now=now) or ():
                    changed = True
                    print(events_text.advice(one.source, advice, json=json, mended=True))
        found = await desk.examine(now=now, only=source) if changed else found
        for line in (line for one in found for line in events_text.examined(one, json=json)):
            print(line)
        asking.tell_broken(broken, json=json)
        if any(advice.severity == "error" for one in found for advice in one.advice):
            return DENIED
        return CANNOT_TELL if broken or any(one.trouble not in (None, "cannot") for one in found) else DONE

    return asking.at(where, examined, begun=False)
