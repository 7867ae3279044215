import pytest

from bot.delivery.references import Impossible, NotYet, Result, resolve
from bot.records.states import OutgoingState

RESULTS = {
    1: Result(OutgoingState.SENT, 101),
    2: Result(OutgoingState.WAITING, None),
    3: Result(OutgoingState.FAILED, None),
    4: Result(OutgoingState.SENT, None),
    5: Result(OutgoingState.SENT, 201, (201, 202)),
    6: Result(OutgoingState.FAILED, None, error="Forbidden: bot was blocked by the user"),
}


CHATS = {7: -1007}
WHY = {"blocked": "They blocked me.", "": "Refused."}


def ref(row_id: int, **more: int) -> dict[str, int]:
    return {"message_of": row_id, **more}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"text": "x"}, {"text": "x"}),
        ({"message_id": ref(1)}, {"message_id": 101}),
        ({"a": [{"b": ref(1)}, 2]}, {"a": [{"b": 101}, 2]}),
        ({"message_id": ref(2)}, NotYet()),
        ({"message_id": ref(3)}, Impossible(3)),
        ({"message_id": ref(4)}, Impossible(4)),  # a call that gave no message
        ({"message_id": ref(9)}, Impossible(9)),  # a row that is gone
        (
            {"text": "x", "reply_parameters": {"message_id": ref(1)}},
            {"text": "x", "reply_parameters": {"message_id": 101}},
        ),
        ({"text": "x", "reply_parameters": {"message_id": ref(3)}}, {"text": "x"}),
        ({"text": "x", "reply_parameters": {"message_id": ref(2)}}, NotYet()),
        ({"message_id": ref(3), "reply_parameters": {"message_id": ref(3)}}, Impossible(3)),
        ({"text": "x", "message_thread_id": ref(1)}, {"text": "x", "message_thread_id": 101}),
        ({"text": "x", "message_thread_id": ref(3)}, {"text": "x"}),  # the topic could not be made
        ({"message_ids": [ref(5), ref(5, part=1)]}, {"message_ids": [201, 202]}),
        ({"message_id": ref(1, part=3)}, {"message_id": 101}),
        ({"from_chat_id": {"chat_of": 7}}, {"from_chat_id": -1007}),
        ({"from_chat_id": {"chat_of": 8}}, Impossible(8)),
        ({"text": {"error_of": 6, "texts": WHY}}, {"text": "They blocked me."}),
        ({"text": {"error_of": 3, "texts": WHY}}, {"text": "Refused."}),
    ],
)
def test_names_of_rows_become_message_ids(payload: dict[str, object], expected: object) -> None:
    assert resolve(payload, RESULTS, CHATS) == expected
