from datetime import UTC, datetime, timedelta

from bot.delivery.budgets import LIFTED, Budgets, Limits

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_thirty_a_second_over_all() -> None:
    budgets = Budgets(Limits())
    for chat_id in range(30):
        assert budgets.free_at(NOW) <= NOW
        budgets.spend(chat_id, "sendMessage", NOW, group=False)
    assert budgets.free_at(NOW) == at(1)


def test_a_chat_gets_a_burst_of_three_and_then_one_a_second() -> None:
    budgets = Budgets(Limits())
    for _ in range(3):
        assert budgets.resting(NOW) == {}
        budgets.spend(1, "sendMessage", NOW, group=False)
    budgets.spend(2, "sendMessage", NOW, group=False)
    assert budgets.resting(NOW) == {1: at(3)}
    assert budgets.resting(at(3)) == {}


def test_a_group_gets_twenty_a_minute() -> None:
    budgets = Budgets(Limits())
    for number in range(20):
        budgets.spend(1, "editMessageText", at(number), group=True)
    assert budgets.resting(at(25)) == {1: at(60)}


def test_reactions_do_not_count_for_the_chat() -> None:
    budgets = Budgets(Limits())
    for _ in range(5):
        budgets.spend(1, "setMessageReaction", NOW, group=True)
    assert budgets.resting(NOW) == {}


def test_lifted_budgets_never_rest() -> None:
    budgets = Budgets(LIFTED)
    for _ in range(100):
        budgets.spend(1, "sendMessage", NOW, group=True)
        assert (budgets.free_at(NOW) <= NOW, budgets.resting(NOW)) == (True, {})


def test_nobody_waits_for_a_clock_that_was_set_back() -> None:
    budgets = Budgets(Limits())
    for number in range(30):
        budgets.spend(number % 2, "sendMessage", at(3600), group=bool(number % 2))
    assert budgets.free_at(NOW) <= NOW
    assert budgets.resting(NOW) == {}
