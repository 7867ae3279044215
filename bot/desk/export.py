"""The questions of a period as CSV for a spreadsheet: personal data masked, nobody named, no formulas."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from io import StringIO

from bot.desk.gaps import Gap
from bot.desk.insight import Asked
from bot.desk.masking import mask

HEAD = tuple(
    "asked candidate language course question decision reason entry confidence feedback ticket first_reply_minutes "
    "rating remark".split()
)
GAPS_HEAD = tuple("theme questions stands_for_all asked language course question because draft near".split())
# How a formula begins, in East Asian widths too; at the beginning, or behind what spreadsheets of another country take
# for the end of a cell: French ones part cells at semicolons, and quotation marks then mean nothing.
FORMULA = re.compile(r"^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=\s{0,9}[=+\-@＝＋－＠])")


def table(about: Asked, zone: tzinfo) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read the accents; one line a question."""
    tickets = {ticket.question_id: ticket for ticket in about.tickets if ticket.question_id}
    rows: list[Sequence[object]] = []
    for one in about.questions:
        ticket = tickets.get(one.id)
        waited = ticket.replied_at - ticket.opened_at if ticket and ticket.replied_at else None
        row = (
            f"{one.asked_at.astimezone(zone):%Y-%m-%d %H:%M}",
            one.candidate_id,
            one.language,
            one.course,
            mask(one.text),
            one.decision,
            one.reason,
            one.entry_id,
            None if one.confidence is None else round(one.confidence, 3),
            one.feedback.value if one.feedback else None,
            ticket.id if ticket else None,
            round(waited.total_seconds() / 60) if waited else None,
            ticket.rating if ticket else None,
            mask(ticket.remark) if ticket and ticket.remark else None,
        )
        rows.append(row)
    return _written(HEAD, rows)


def gaps_table(gaps: Sequence[Gap], zone: tzinfo) -> bytes:
    """As `table`, of what the knowledge lacks: one line a question, theme by theme, the largest first."""
    rows: list[Sequence[object]] = []
    for number, gap in enumerate(gaps, 1):
        for one in gap.questions:
            asked = f"{one.asked_at.astimezone(zone):%Y-%m-%d %H:%M}"
            about = (number, len(gap.questions), gap.first.text, asked, one.language, one.course, one.text, one.reason)
            near = next((entry for entry in gap.near.similar if entry != gap.near.fills), None)
            rows.append((*about, gap.near.fills, near))
    return _written(GAPS_HEAD, rows)


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("hello;=1+1")
    ("'=1+1", "hello;'=1+1")
    """
    return FORMULA.sub("'", "" if value is None else str(value))
