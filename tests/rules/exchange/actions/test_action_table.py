"""One row an action: names and numbers that nothing shares, and forms and clients that agree with the rows."""

from coinone.base.forms.user_signed import BY_NAME
from coinone.interfaces.client import actions as client
from coinone.rules.exchange.actions.decode import decode_l1
from coinone.rules.exchange.actions.table import ACTIONS, CONTRACT_ACTIONS, L1_ACTIONS, USER_ACTIONS
from coinone.rules.exchange.wire.action import Applied, Segment, Traded


def test_no_two_actions_share_a_name_or_a_number() -> None:
    assert len({row.name for row in ACTIONS}) == len(ACTIONS)
    assert len(CONTRACT_ACTIONS) == len([row for row in ACTIONS if row.contract is not None])
    assert len(L1_ACTIONS) + len(USER_ACTIONS) == len(ACTIONS)


def test_every_user_signed_form_is_an_action_of_that_name() -> None:
    assert {name: row.name for name, row in USER_ACTIONS.items()} == {
        name: form.json_type for name, form in BY_NAME.items()
    }


def test_what_brings_operations_is_in_their_segments_and_only_cancels_are_free() -> None:
    for row in ACTIONS:
        if row.segment is Segment.ACCOUNT:
            assert isinstance(row.does, Applied), row.name
        if row.segment is Segment.CANCELS:
            assert isinstance(row.does, Traded), row.name
            assert row.cost == 0 and row.rests is not None, row.name
        else:
            assert row.cost != 0 and row.rests is None, row.name


def test_what_the_client_builds_is_read_by_the_row_of_its_name() -> None:
    order = client.Order(0, True, "0.1", 50_000)
    built = [
        client.order([order]),
        client.cancel([(0, 5)]),
        client.cancel_by_cloid([(0, client.new_cloid())]),
        client.cancel_all_by_market(0),
        client.modify([(5, order)]),
        client.schedule_cancel(None),
        client.schedule_cancel(1_764_000_000_000),
        client.update_leverage(0, 20),
        client.noop(),
    ]
    assert [decode_l1(action).type.name for action in built] == [action["type"] for action in built]
