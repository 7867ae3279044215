"""`guichet import`: a file's questions and answers become entries of the knowledge files."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from bot.console import changed, err, out, plainly, styled
from bot.dialogue.texts import texts
from bot.dialogue.uploads import read, refusal
from bot.publishing.proposal import unwritable
from bot.settings import load_settings
from indexer.diff import Diff, diff
from indexer.edits import Edit, applied, edits_of, write_all
from indexer.readers import read_knowledge
from indexer.upload import Reason, Sent, UploadError, read_upload


def bring(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Word, PDF, Excel, CSV, text, HTML, Markdown")
    ],
    course: Annotated[str, typer.Option(help="which course it is about, where there are several")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="write it; without this, only show what would change")] = False,
) -> None:
    """Read questions and answers from a file, show what they change, and write them into the knowledge files."""
    words = texts("en")
    with plainly():
        settings = load_settings()
        today = settings.today()
        try:
            upload = asyncio.run(read_upload(file.name, file.read_bytes()))
            edits = edits_of(settings.knowledge_dir, upload, Sent(file.name, today, course))
        except UploadError as error:
            err.print(refusal(error, words), style="red", markup=False)
            if error.reason is Reason.COURSE:
                err.print("Here there is no caption: write --course NAME.", style="red")
            raise typer.Exit(2) from None
        out.print(styled(read(file.name, upload, words)))
        found = _difference(settings.knowledge_dir, edits)
    out.print(changed(found) if found else words.upload_nothing_new)
    if edits and yes:
        _write(settings.knowledge_dir, edits)
    elif edits:
        out.print("Nothing was written. '--yes' writes it.")


def _write(knowledge: Path, edits: tuple[Edit, ...]) -> None:
    try:
        write_all(knowledge, edits)
    except OSError as error:
        err.print(unwritable(knowledge, error), style="red", markup=False)
        raise typer.Exit(2) from None
    for edit in edits:
        out.print(f"{'Written' if edit.after else 'Removed'}: {knowledge / edit.path}", markup=False)
    out.print("'guichet index' makes it live.")


def _difference(knowledge: Path, edits: tuple[Edit, ...]) -> Diff:
    """What the edits change; raises KnowledgeError if the knowledge would be faulty."""
    with TemporaryDirectory(prefix="guichet-") as aside:
        applied(knowledge, edits, Path(aside))
        old, new = read_knowledge(knowledge), read_knowledge(Path(aside))
    return diff((*old.entries, *old.drafts), (*new.entries, *new.drafts))
