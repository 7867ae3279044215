"""An answer past its date: withheld from candidates, offered to staff, who hear of it before."""

from datetime import timedelta
from pathlib import Path

from bot.dialogue import times
from bot.dialogue.render import Reason
from bot.dialogue.texts import texts
from bot.records.tables import utc_now
from indexer.encoder import OnnxEncoder
from indexer.engine import index

from .house import PATIENCE, House, Json, buttons, house

EN = texts("en")
QUESTION = "How hot does the kiln get?"


async def pressed(flow: House, message: Json, button: str) -> Json:
    """A button of the staff's, pressed; what is then shown."""
    return (await flow.press_in_group(flow.paul, message, button))[-1]


async def test_an_answer_past_its_date_goes_out_only_by_a_person_who_looked_at_it(
    encoder: OnnxEncoder, knowledge: Path, tmp_path: Path
) -> None:
    path = knowledge / "classes.en.md"
    over = utc_now().date() - timedelta(days=3)
    text = path.read_text(encoding="utf-8").replace("---\n\n#", f"valid_until: {over}\nowner: Marie\n---\n\n#")
    path.write_text(text, encoding="utf-8")
    engine = index(knowledge, encoder, tmp_path / "index").engine
    async with house(engine, tmp_path, knowledge_dir=knowledge) as flow:
        await flow.api.wait_for(lambda _: flow.received(flow.staff), PATIENCE)
        (notice,) = [one["text"] for one in flow.received(flow.staff)]
        assert notice.startswith(EN.ageing_title)
        assert EN.ageing_over.format(question=QUESTION, date=times.written(over, "en")) in notice
        assert EN.ageing_owner.format(owner="Marie") in notice

        sara = flow.candidate("Sara")
        (said,) = await flow.ask(sara, QUESTION)
        assert "1,240" not in said["text"]
        card = flow.cards()[-1]
        assert EN.reason_out_of_date in card["text"]
        assert (await flow.tickets())[0].reason == Reason.OUT_OF_DATE
        chosen = await pressed(flow, card, EN.button_send_answer)
        preview = await pressed(flow, chosen, buttons(chosen)[0])
        assert "1,240" in preview["text"]
        await flow.press_in_group(flow.paul, preview, EN.button_send)
        answer = flow.received(sara)[-1]
        assert "1,240" in answer["text"]
        assert EN.reviewed.format(date="1 September 2026") in answer["text"]
