"""What rules can name and what the admin API offers are the same."""

from actas.decide.targets import ADMIN_ACTIONS
from actas.http.admin import ACTIONS


def test_every_admin_action_that_rules_can_name_can_be_done():
    assert {one.name for one in ACTIONS} == set(ADMIN_ACTIONS)
