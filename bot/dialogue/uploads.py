"""What is said of files that admins send: what was read, and why one is not taken."""

from bot.dialogue.rich import Rich, bold, join, plain
from bot.dialogue.signs import clean
from bot.dialogue.texts import Texts
from indexer.upload import Upload, UploadError

LONGEST_NAME = 80  # characters
LINES = 10  # named in a message
ROOM = 2500  # characters of what is wrong in a file


def read(name: str, upload: Upload, words: Texts) -> Rich:
    """The file's name, how many questions it holds, and what was left out of it."""
    about = [bold(shown_name(name))]
    if upload.found:
        about.append(plain(words.upload_read.format(count=len(upload.found))))
    if upload.left_out:
        more = [f"… +{len(upload.left_out) - LINES}"] if len(upload.left_out) > LINES else []
        lines = ", ".join([*map(str, upload.left_out[:LINES]), *more])
        about.append(plain(words.upload_left_out.format(lines=lines)))
    return join(about, "\n")


def refusal(error: UploadError, words: Texts) -> str:
    """Why the file is not taken, and what to do."""
    why = getattr(words, f"upload_{error.reason.value}").format(detail=error.detail[:ROOM])
    return words.upload_refused.format(why=why)


def shown_name(name: str) -> str:
    """A file's name as it may be shown."""
    return " ".join(clean(name, LONGEST_NAME).split())
