from datetime import date, timedelta

from indexer.ageing import ageing
from tests.indexer.examples import entry

TODAY = date(2026, 11, 22)


def test_the_most_urgent_comes_first_and_what_has_time_is_left_out() -> None:
    entries = [
        entry("soon", valid_until=TODAY + timedelta(30)),
        entry("later", valid_until=TODAY + timedelta(31)),
        entry("over", reviewed=date(2026, 9, 1), review_every=30),
        entry("today", valid_until=TODAY),
        entry("draft", valid_until=TODAY, draft=True, answer=""),
        entry("always"),
    ]
    assert [(one.entry.id, one.days) for one in ageing(entries, TODAY)] == [("over", -52), ("today", 0), ("soon", 30)]
