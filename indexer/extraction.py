"""What a file that nobody vouches for says, read in a process of its own with little memory and time.

`python -m indexer.extraction ENDING SECONDS MEGABYTES` reads a file from standard input and writes one JSON object:
`{"text": Markdown, "found": [question, …]}`, `{"tables": [[row, …], …]}` or `{"refused": why}`. Libraries for such
files are loaded only here, and Markdown is read here too: some texts keep its reader busy for minutes.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO, StringIO
from zipfile import BadZipFile, ZipFile

from indexer.documents import questions
from indexer.entries import parse
from indexer.tables import columns

Table = list[list[str]]
MOST_ROWS, MOST_COLUMNS, MOST_PAGES = 5000, 40, 500
LONGEST_TEXT = 2_000_000  # characters
UNPACKED = 100 * 1024 * 1024  # bytes that the parts of an Office file may come to
PARTS = 2000
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # Office files before 2007, and newer ones with a password
MACROS = ("vbaproject", "macrosheets")  # parts of an Office file, the second from before there was Visual Basic
DELIMITERS = (";", ",", "\t", "|")
# What is no part of a page's text, and what would do something in a browser.
DROPPED = (
    "script style noscript template iframe object embed svg canvas head nav header footer aside form button select"
)
FOLDED = ("summary", "dt")  # a question that its answer unfolds from


class RefusedError(Exception):
    """The file is not read; the message is one of `indexer.upload.Reason`."""


def main(ending: str, seconds: str, megabytes: str) -> None:
    """Read standard input within these limits; a file that breaks them ends the process."""
    _limit(int(seconds), int(megabytes))
    try:
        found = _with_questions(extracted(ending, sys.stdin.buffer.read()))
    except RefusedError as error:
        found = {"refused": str(error)}
    except MemoryError:
        found = {"refused": "heavy"}
    except Exception:  # the libraries raise whatever comes to them; all of it means the same
        found = {"refused": "broken"}
    print(json.dumps(found))


def _limit(seconds: int, megabytes: int) -> None:
    """Bound memory and computing time, and write no file; where the system cannot, the parent's patience remains."""
    with suppress(ImportError):
        import resource  # noqa: PLC0415  # not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _with_questions(found: dict[str, object]) -> dict[str, object]:
    """The questions of a text beside it; a knowledge file is read once, so that one that cannot be ends here."""
    text = str(found.get("text", ""))
    if is_knowledge(text):
        parse(text, "")
    return found | {"found": [asdict(one) for one in questions(text)]} if text else found


def is_knowledge(text: str) -> bool:
    """Whether a text is a knowledge file, with its front matter."""
    return text.startswith("---\n")


def extracted(ending: str, content: bytes) -> dict[str, object]:
    """The file's text or tables; raises RefusedError, or what a library raises on a broken file."""
    if not content.strip():
        raise RefusedError("empty")
    match ending:
        case "csv" | "tsv":
            return {"tables": [_separated(_decoded(content))]}
        case "xlsx":
            return {"tables": list(_sheets(_opened(content)))}
        case "docx":
            return {"text": _bounded(_document(_opened(content)))}
        case "pdf":
            return {"text": _bounded(_pages(content))}
        case "html" | "htm":
            return {"text": _bounded(_page(content))}
        case "txt":
            return {"text": _bounded("\n".join(line.strip() for line in _decoded(content).splitlines()))}
        case "md" | "markdown" | "":
            return {"text": _bounded(_decoded(content))}
        case _:
            raise RefusedError("old")


def _bounded(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise RefusedError("heavy")
    if not text.strip():
        raise RefusedError("empty")
    return text


def _decoded(content: bytes) -> str:
    """The text of bytes with plain line ends; who wrote them used UTF-8, UTF-16 with its mark, or Windows' own."""
    return re.sub(r"\r\n?", "\n", _as_text(content))


def _as_text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    if b"\0" in content:
        raise RefusedError("broken")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _separated(text: str) -> Table:
    """Rows by the sign that separates the columns of questions and answers: the one with which both are found."""
    for sign in DELIMITERS:
        rows = [row[:MOST_COLUMNS] for row in csv.reader(StringIO(text, newline=""), delimiter=sign)]
        if any(columns(row) for row in rows[:MOST_ROWS]):
            return _few(rows)
    raise RefusedError("columns")


def _few(rows: Iterable[list[str]]) -> Table:
    """Rows from the first to the last; raises RefusedError if they are too many."""
    kept: Table = []
    for row in rows:
        if len(kept) == MOST_ROWS:
            raise RefusedError("many")
        kept.append(row)
    return kept


def _opened(content: bytes) -> BytesIO:
    """An Office file whose parts are few, small enough unpacked, without macros; raises RefusedError."""
    if content.startswith(OLD_OFFICE):
        raise RefusedError("protected")
    try:
        with ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
                raise RefusedError("heavy")
            if any(mark in part.filename.lower() for part in parts for mark in MACROS):
                raise RefusedError("macros")
            for part in parts:
                # Without the zeros, since XML may be UTF-16.
                if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.read(part).replace(b"\0", b""):
                    raise RefusedError("broken")  # Office writes none; entities that grow without end begin so
    except BadZipFile as error:
        raise RefusedError("broken") from error
    return BytesIO(content)


def _sheets(file: BytesIO) -> Iterator[Table]:
    """The sheets with columns of questions and answers; raises RefusedError if there are none."""
    from openpyxl import load_workbook  # noqa: PLC0415  # heavy, and only for this

    book, found = load_workbook(file, read_only=True, data_only=True), False
    for sheet in book.worksheets:
        cells = sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS, values_only=True)
        rows = [["" if cell is None else str(cell) for cell in row] for row in cells]
        if any(columns(row) for row in rows):
            found = True
            yield _few(rows)
    if not found:
        raise RefusedError("columns")


def _document(file: BytesIO) -> str:
    from mammoth import convert_to_html, images  # noqa: PLC0415  # heavy, and only for this

    bare = images.img_element(lambda _: {})  # pictures are not opened
    return _page(convert_to_html(file, convert_image=bare).value.encode(), "utf-8")


def _page(content: bytes, encoding: str | None = None) -> str:
    """A page's text as Markdown, without what is not text; links lead to http, https and mail alone."""
    from bs4 import BeautifulSoup  # noqa: PLC0415  # heavy, and only for this
    from markdownify import MarkdownConverter  # noqa: PLC0415

    soup = BeautifulSoup(content, "html.parser", from_encoding=encoding)
    for tag in soup.find_all(DROPPED.split()):
        tag.decompose()
    for tag in soup.find_all(FOLDED):
        tag.name = "h3"
    for tag in soup.find_all("a"):
        if not re.match(r"https?://|mailto:", str(tag.get("href", "")), re.IGNORECASE):
            tag.unwrap()
    markdown = MarkdownConverter(heading_style="ATX", bullets="-", strip=["img"]).convert_soup(soup)
    return re.sub(r"\n{3,}", "\n\n", str(markdown))


def _pages(content: bytes) -> str:
    """The text of a PDF, a question in a paragraph of its own; raises RefusedError if it is locked or only pictures."""
    from pypdf import PdfReader  # noqa: PLC0415  # heavy, and only for this

    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted:
        raise RefusedError("protected")
    if len(reader.pages) > MOST_PAGES:
        raise RefusedError("heavy")
    lines = [line.strip() for page in reader.pages for line in page.extract_text().splitlines()]
    if not any(lines):
        raise RefusedError("pictures" if reader.pages else "empty")
    return "\n".join(f"\n{line}\n" if line.endswith("?") else line for line in lines)


if __name__ == "__main__":
    main(*sys.argv[1:4])
