"""Whatever is killed with -9 while people sign in, and wherever the cable is cut: nothing is lost, or had twice."""

import random
import time
from contextlib import ExitStack

import pytest
from keycloak.telling import HOOK_SECRET, cheap_passwords, hook, switch_on
from kills.agree import agree, begun
from kills.house import PATIENCE, Houses, Killable, settings
from kills.ledger import Ledger
from kills.network import Network, Relay
from kills.traffic import PEOPLE, Sender, SignIns

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
KILLS = 5


@pytest.fixture(scope="module")
def told(durable_keycloak):
    """A realm whose events are saved, and posted where the extension is there."""
    switch_on(durable_keycloak, webhooks=durable_keycloak.has_webhooks)
    cheap_passwords(durable_keycloak, PEOPLE)
    return durable_keycloak


class Scene:
    """Everything that has to do with events, and what happens there all the while."""

    def __init__(self, stack: ExitStack, folder, keycloak, *, postgresql=None, gateways=1, **more) -> None:
        self.stack, self.keycloak, self.postgresql = stack, keycloak, postgresql
        self.dice = random.Random(7)
        self.ledger = stack.enter_context(Ledger(more.pop("ledger", "127.0.0.1")))
        made = settings(self.ledger, keycloak.issuer, keycloak, webhooks=more.pop("webhooks", False))
        made["events"]["sources"]["corp-events"]["client"] |= more.pop("client", {})
        self.gateways = [Killable(folder / str(number), made, **more) for number in range(gateways)]
        self.houses = stack.enter_context(Houses(self.gateways, database=postgresql and postgresql.url))
        self.until(lambda: all(one.settled() for one in self.gateways))
        self.since = begun()
        self.sender = Sender(lambda: [one.url for one in self.gateways])
        self.people = SignIns(keycloak)

    def until(self, there) -> None:
        ends = time.monotonic() + PATIENCE
        while not there():
            assert time.monotonic() < ends, self.houses.log()
            time.sleep(0.1)

    def goes_on(self, effects: int = 4) -> None:
        """Wait until the function had a few effects more: only what works can be interrupted."""
        wanted = self.ledger.count + effects
        self.until(lambda: self.ledger.count >= wanted)
        time.sleep(self.dice.uniform(0, 0.3))

    def agrees(self):
        found = agree(
            self.houses, self.ledger, since=self.since, keycloak=self.keycloak, acknowledged=self.sender.acknowledged
        )
        assert found.problems() == [], (found, self.houses.log())
        assert found.listed > 0
        assert found.compared_by_audit >= found.listed
        assert found.missing_by_audit == 0
        return found


@pytest.fixture
def scene(told, tmp_path):
    with ExitStack() as stack:
        yield lambda **more: Scene(stack, tmp_path, told, **more)


def test_a_gateway_that_is_killed_loses_nothing(scene):
    made = scene()
    with made.people, made.sender:
        for _ in range(KILLS):
            made.goes_on()
            made.gateways[0].kill()
            made.gateways[0].start()

    made.agrees()


def test_a_function_that_is_killed_while_it_works_on_an_event_has_its_effect_once(scene):
    made = scene()
    with made.people, made.sender:
        for _ in range(KILLS):
            made.goes_on(2)
            made.until(lambda: made.gateways[0].kill_function(made.dice))
        made.goes_on()

    assert made.agrees().told_again > 0


@pytest.mark.part("postgresql")
@pytest.mark.parametrize("gateways", [pytest.param(1, id="one-gateway"), pytest.param(2, id="two-gateways")])
def test_a_postgresql_that_is_killed_under_its_gateways_loses_nothing(scene, killable_postgresql, gateways):
    made = scene(postgresql=killable_postgresql, gateways=gateways)
    with made.people, made.sender:
        for _ in range(KILLS):
            made.goes_on()
            killable_postgresql.kill()
            time.sleep(made.dice.uniform(0, 1.5))
            killable_postgresql.start()
        made.goes_on()

    made.agrees()


@pytest.mark.part("postgresql")
def test_of_two_gateways_on_one_database_either_may_be_killed(scene, killable_postgresql):
    made = scene(postgresql=killable_postgresql, gateways=2)
    with made.people, made.sender:
        for number in range(KILLS):
            made.goes_on()
            one = made.gateways[number % 2]
            one.kill()
            made.goes_on()  # the other one goes on alone
            one.start()

    made.agrees()


def test_a_keycloak_that_is_killed_while_people_sign_in_loses_nothing_that_it_still_lists(scene, told):
    made = scene(webhooks=told.has_webhooks)
    with ExitStack() as until_here:
        if told.has_webhooks:
            url = f"{made.gateways[0].url}/events/corp-events"
            until_here.callback(hook(told, url, secret=HOOK_SECRET))
        with made.people:
            for _ in range(3):  # it takes the longest to start again
                signed_in = made.people.answered
                made.until(lambda: made.people.answered > signed_in + 3)  # noqa: B023 - asked before it changes
                made.goes_on(2)
                told.kill()
                told.start()

    made.agrees()


@pytest.mark.parametrize("way", ["asked", "asked-and-told"])
def test_what_happens_while_nobody_listens_is_heard_afterwards(scene, told, way):
    if way == "asked-and-told" and not told.has_webhooks:
        pytest.skip("the extension keycloak-events cannot be had here")
    made = scene(webhooks=way == "asked-and-told")
    with ExitStack() as until_here:
        if way == "asked-and-told":
            url = f"{made.gateways[0].url}/events/corp-events"
            until_here.callback(hook(told, url, secret=HOOK_SECRET))
        with made.people:
            for how in (made.gateways[0].stop, made.gateways[0].kill):
                made.goes_on()
                how()
                alone = made.people.answered
                made.until(lambda: made.people.answered >= alone + 10)  # noqa: B023 - asked before it changes
                made.gateways[0].start()

    assert made.agrees().listed >= 20


@pytest.mark.part("namespaces")
def test_a_cut_between_keycloak_and_the_gateway_loses_nothing(told, tmp_path):
    with ExitStack() as stack:
        cable = stack.enter_context(Network())
        relay = stack.enter_context(Relay(cable.here, told.port))
        token = f"{relay.url}/realms/corp/protocol/openid-connect/token"
        made = Scene(
            stack, tmp_path, told, webhooks=told.has_webhooks, ledger=cable.here, host=cable.there,
            within=cable.within, client={"url": relay.url, "token_url": token},
        )  # fmt: skip
        if told.has_webhooks:
            stack.callback(hook(told, f"{made.gateways[0].url}/events/corp-events", secret=HOOK_SECRET))
        with made.people:
            for how in ("unplugged", "silent", "unplugged", "silent", "silent"):
                made.goes_on()
                cable.cut(how)
                alone = made.people.answered
                made.until(lambda: made.people.answered >= alone + 5)  # noqa: B023 - asked before it changes
                cable.mend()

        made.agrees()
        assert cable.cuts == KILLS
