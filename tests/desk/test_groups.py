import pytest

from bot.desk.groups import Groups

GROUPS = Groups(1, {"law": 2, "law/fees": 3, "*/fees": 4, "kitchen": 5})


@pytest.mark.parametrize(
    ("course", "topic", "staff", "group"),
    [
        ("law", "exams", "", 2),
        ("law", None, "", 2),
        ("law", "fees", "", 3),  # course and topic before the topic alone
        ("baking", "fees", "kitchen", 4),  # a topic before the course
        ("baking", "ovens", "kitchen", 5),
        ("greek", "ovens", "", 1),
        ("", None, "", 1),  # nobody knows which course
        ("", "fees", "", 4),
    ],
)
def test_the_route_that_says_most_counts(course: str, topic: str | None, staff: str, group: int) -> None:
    assert GROUPS.route(course, topic, staff) == group


def test_groups_are_named_by_what_goes_there() -> None:
    assert Groups(1, {"law": 2, "arts": 2, "*/fees": 1}).name(2) == "law, arts"
    assert [GROUPS.name(group) for group in (1, 3)] == ["", "law/fees"]
    assert GROUPS.every == (1, 2, 3, 4, 5)
