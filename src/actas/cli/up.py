"""``actas up``: the gateway with a demo identity provider, functions and rules; prints calls to try."""

from pathlib import Path
from typing import Any

from actas.cli import DONE

PROVIDER_PORT = 8702
WEAK = """
ISOLATION IS WEAK on this machine: it allows no namespaces, so a function could read what the gateway reads.
Fine for trying things out with throw-away keys; 'actas serve' refuses to run functions like this."""


def up(folder: Path | None = None) -> int:
    """Run a whole demonstration until Ctrl-C: gateway, identity provider, functions, rules.

    The settings are those of the folder given (by default the ones that come with Actas). Change a rule in its
    actas.yaml while it runs, and the next call is decided by it.

    For example:
        actas up
        actas up examples

    Parameters
    ----------
    folder:
        A folder with an actas.yaml; by default the example that comes with Actas.
    """
    import anyio

    from actas.cli.demo import example_folder
    from actas.cli.places import SETTINGS, found

    folder = folder or example_folder()
    found(folder / SETTINGS)
    anyio.run(_up, folder, backend_options={"use_uvloop": True})
    return DONE


async def _up(folder: Path) -> None:
    import anyio

    from actas.cli.demo_events import Events
    from actas.cli.login_demo import Demo, DemoPerson, withdraw_demo, write_demo
    from actas.cli.serving import say, serve_until_told
    from actas.testing.idp import Idp
    from actas.wiring.run import Running

    idp = Idp(port=PROVIDER_PORT, shape="keycloak")
    states: list[Path] = []
    events = Events()
    idp.listeners.append(events.tell)

    async def then(running: Running) -> None:
        states.append(running.parts.state)
        events.to(f"http://{running.public}/events/demo-events")
        people = {name: DemoPerson(password=person.password.reveal()) for name, person in idp.people.items()}
        write_demo(running.parts.state, Demo(issuer=idp.issuer, client_id="cli", people=people))
        say(_welcome(running, folder))
        if running.ready()["isolation"] == "weak":
            say(WEAK)

    idp.take_port()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(idp.serve)
            tasks.start_soon(events.run)
            await idp.ready()
            await serve_until_told(folder / "actas.yaml", weak=True, then=then)
            tasks.cancel_scope.cancel()
    finally:
        for state in states:
            withdraw_demo(state)


def _welcome(running: Any, folder: Path) -> str:
    return f"""\
Ready.
  calls      http://{running.public}
  control    http://{running.control}
  provider   http://127.0.0.1:{PROVIDER_PORT}  (a demo: made-up people, keys that are thrown away)
  rules      {folder / "actas.yaml"}  (change them; the next call is decided by them)

Try, in another terminal:
  .venv/bin/actas call hello --as ana       allowed
  .venv/bin/actas call payroll --as ana     allowed: ana is in finance and used a second factor
  .venv/bin/actas call payroll --as ben     denied, and why
  .venv/bin/actas explain payroll --as ben  each rule, and what it would take
  .venv/bin/actas who --as ben              what the rules see of ben, and what he may call
  .venv/bin/actas audit tail                what was written down
  .venv/bin/actas events tail               what the provider told; 'actas logs notice' shows what ran
  curl -X DELETE http://127.0.0.1:{PROVIDER_PORT}/people/ana/groups/finance    and payroll is over for ana

Ctrl-C ends it."""
