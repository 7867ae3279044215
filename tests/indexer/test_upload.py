"""Files of all kinds that people send, good and hostile, to questions and answers."""

import asyncio
from datetime import date
from io import BytesIO
from time import monotonic
from zipfile import ZipFile

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from indexer.entries import parse
from indexer.upload import (
    LARGEST,
    MOST,
    USUAL,
    Bounds,
    Reason,
    Sent,
    UploadError,
    read_upload,
    refuse_unseen,
)

from .sent import archive, docx, pdf, xlsx

TODAY = date(2026, 11, 22)
FRENCH = "Question;Réponse\nOù se garer près de l'atelier ?;Derrière l'église, c'est gratuit.\n"


async def pairs(name: str, content: bytes, bounds: Bounds = USUAL) -> list[tuple[str, str]]:
    return [(one.question, one.answer) for one in (await read_upload(name, content, bounds)).found]


async def refusal(name: str, content: bytes, bounds: Bounds = USUAL) -> Reason:
    with pytest.raises(UploadError) as refused:
        await read_upload(name, content, bounds)
    return refused.value.reason


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", ";"), ("utf-8-sig", "\t"), ("cp1252", "|"), ("utf-16", ";")])
async def test_tables_as_text_in_any_encoding(encoding: str, sign: str) -> None:
    found = await pairs("a.csv", FRENCH.replace(";", sign).encode(encoding))
    assert found == [("Où se garer près de l'atelier ?", "Derrière l'église, c'est gratuit.")]


async def test_cells_with_line_ends_quotes_and_blank_rows() -> None:
    head, row = (
        "Thème,Question,Answer,Also",
        'Glazes,"Which ""blue""\n glaze?","Cobalt.\nTwo:\n- one\n- two","The blue?|Blue"',
    )
    text = f"{head}\n,,,\n{row}\n"
    (one,) = (await read_upload("a.csv", text.encode())).found
    assert (one.question, one.topic, one.also) == ('Which "blue" glaze?', "glazes", ("The blue?", "Blue"))
    assert one.answer == "Cobalt.\n\nTwo:\n\n- one\n- two"


async def test_sheets_of_a_workbook_with_halves_left_out() -> None:
    notes = [["Notes"], ["nothing to see"]]
    sheet: list[list[str | None]] = [
        ["FAQ of the workshop"],
        ["Réponse", "Question", "id"],
        ["Oui.", "Ouvert ?", "Open Day"],
        [None, "Quand ?"],
    ]
    upload = await read_upload("a.xlsx", xlsx(notes, sheet))
    (one,) = upload.found
    assert (one.question, one.answer, one.id, one.line) == ("Ouvert ?", "Oui.", "open-day", 3)
    assert upload.left_out == (4,)


async def test_word_documents_by_their_headings() -> None:
    content = docx(
        ("h1", "FAQ"), ("h2", "Who comes?"), ("p", "Anyone."), ("p", "Really."), ("h2", "When?"), ("p", "7 pm")
    )
    assert await pairs("a.docx", content) == [("Who comes?", "Anyone.\n\nReally."), ("When?", "7 pm")]


async def test_word_documents_whose_paragraphs_ask() -> None:
    content = docx(
        ("h1", "Classes"),
        ("p", "1. Who comes?"),
        ("p", "Anyone."),
        ("h1", "Times"),
        ("p", "Q: When?"),
        ("p", "A: 7 pm"),
    )
    assert await pairs("a.docx", content) == [("Who comes?", "Anyone."), ("When?", "7 pm")]


async def test_pdf_lines_that_ask() -> None:
    content = pdf("The workshop", "Où se garer ?", "Derrière l'église.", "It is free.", "When?", "At seven.")
    found = await pairs("a.pdf", content)
    assert [question for question, _ in found] == ["Où se garer ?", "When?"]
    assert found[0][1].split() == "Derrière l'église. It is free.".split()


async def test_web_pages_without_what_is_not_text() -> None:
    page = """<html><head><title>x</title><style>p{}</style></head><body><nav>Home</nav><h1>FAQ</h1>
    <h2>Who comes?</h2><p onclick="alert(1)">Anyone, <a href="javascript:alert(1)">really</a>,
    <a href="https://example.org/a">see</a>.<script>alert(2)</script><img src="x" onerror="alert(3)"></p>
    <details><summary>When?</summary><ul><li>Mondays</li><li>Fridays</li></ul></details><footer>(c)</footer></body>"""
    found = await pairs("a.html", page.encode())
    assert [question for question, _ in found] == ["Who comes?", "When?"]
    assert found[0][1].split() == "Anyone, really, [see](https://example.org/a).".split()
    assert found[1][1] == "- Mondays\n- Fridays"


async def test_plain_markdown_by_sections() -> None:
    text = "# Leaflet\n\n## Prices\n\n60 euros.\n\n### In detail\n\nWith clay.\n\n## Place\n\nBehind the church.\n"
    assert await pairs("a.md", text.encode()) == [
        ("Prices", "60 euros.\n\n### In detail\n\nWith clay."),
        ("Place", "Behind the church."),
    ]


async def test_a_knowledge_file_with_the_line_ends_of_windows() -> None:
    text = "---\r\ncourse: pottery\r\n---\r\n\r\n# Classes\r\n"
    assert (await read_upload("a.md", b"\xef\xbb\xbf" + text.encode())).text == text.replace("\r", "")


def test_a_source_is_named_after_what_can_be_seen_of_the_file() -> None:
    assert Sent("../a\u202eb  FAQ\n2026.docx", TODAY).stem == "ab FAQ2026"
    assert Sent("", TODAY).stem == "upload"


async def test_nothing_of_use_is_refused_with_its_reason() -> None:
    assert await refusal("a.docx", docx(("p", ""))) is Reason.EMPTY
    assert await refusal("a.txt", b"The workshop is closed on Mondays.") is Reason.QUESTIONS
    assert await refusal("a.csv", b"Name;Age\nSara;20\n") is Reason.COLUMNS
    assert await refusal("a.xlsx", xlsx([["Name", "Age"], ["Sara", 20]])) is Reason.COLUMNS
    assert await refusal("a.csv", b"Question;Answer\nOnly a question?;\n") is Reason.QUESTIONS
    assert await refusal("a.pdf", pdf()) is Reason.PICTURES
    rows = "".join(f"Is it {number}?;Yes.\n" for number in range(MOST + 1))
    assert await refusal("a.csv", f"Question;Answer\n{rows}".encode()) is Reason.MANY


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx"])
async def test_what_is_not_what_its_name_says_is_broken(name: str) -> None:
    assert await refusal(name, b"\x89PNG\r\n\x1a\n and so on") is Reason.BROKEN
    whole = {"a.pdf": pdf("Who?", "I."), "a.docx": docx(("h1", "Who?"), ("p", "I.")), "a.xlsx": xlsx([["Question"]])}
    assert await refusal(name, whole[name][: len(whole[name]) // 3]) is Reason.BROKEN


async def test_passwords() -> None:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf("Who?", "I."))))
    writer.encrypt("secret", algorithm="RC4-128")
    locked = BytesIO()
    writer.write(locked)
    assert await refusal("a.pdf", locked.getvalue()) is Reason.PROTECTED
    for name in ("a.docx", "a.xlsx"):  # Office puts what a password protects into a file of the old kind
        assert await refusal(name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) is Reason.PROTECTED


@pytest.mark.parametrize(("name", "content"), [("a.pdf", b""), ("a.csv", b" \n\t\r\n")])
async def test_an_empty_file_is_said_to_be_empty_whatever_its_name(name: str, content: bytes) -> None:
    assert await refusal(name, content) is Reason.EMPTY


WORD = docx(("h2", "Who comes?"), ("p", "Anyone."))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.pdf", WORD, Reason.BROKEN),
        ("a.xlsx", WORD, Reason.BROKEN),
        ("a.docx", xlsx([["Question", "Answer"], ["Who?", "I."]]), Reason.BROKEN),
        ("a.txt", WORD, Reason.BROKEN),
        ("a.md", b"\x89PNG\r\n\x1a\n\x00\x00", Reason.BROKEN),
        ("a.csv", pdf("Who?", "I."), Reason.COLUMNS),
        ("a.html", b"%PDF-1.4 and so on", Reason.QUESTIONS),
    ],
)
async def test_a_wrong_ending_is_noticed(name: str, content: bytes, why: Reason) -> None:
    assert await refusal(name, content) is why


async def test_a_table_of_200_megabytes_is_refused_by_its_size_and_one_of_ten_by_its_rows() -> None:
    assert await refusal("a.csv", bytes(200 << 20)) is Reason.BIG
    assert await refusal("a.csv", b"Question;Answer\n" + b"Is it so?;Yes.\n" * 600_000) is Reason.MANY
    for cell in (b"x" * 300_000, b'"never closed ' + b"x\n" * 100_000):
        assert await refusal("a.csv", b"Question;Answer\nIs it so?;" + cell) is Reason.BROKEN


@pytest.mark.parametrize("page", [b"<div>" * 50_000 + b"Who?", b"<h2>Who?</h2>" + b"<ul><li>" * 3_000 + b"I."])
async def test_a_page_nested_without_end_is_broken(page: bytes) -> None:
    assert await refusal("a.html", page) is Reason.BROKEN


def with_part(file: bytes, name: str) -> bytes:
    """The same Office file with one part more."""
    with ZipFile(BytesIO(file)) as packed:
        return archive([*((part, packed.read(part)) for part in packed.namelist()), (name, b"<x/>")])


async def test_a_part_that_is_larger_than_it_says_is_not_unpacked() -> None:
    large = docx(("h2", "Who comes?"), ("p", "A" * (150 << 20)))
    with ZipFile(BytesIO(large)) as packed:
        true = packed.getinfo("word/document.xml").file_size
    assert await refusal("a.docx", large) is Reason.HEAVY
    assert await refusal("a.docx", large.replace(true.to_bytes(4, "little"), (5_000).to_bytes(4, "little"))) is (
        Reason.BROKEN
    )


async def test_a_pdf_that_unpacks_to_hundreds_of_megabytes_is_refused() -> None:
    writer = PdfWriter()
    content = DecodedStreamObject()
    content.set_data(b"BT (Who?) Tj ET\n" * (20 << 20))
    writer.add_blank_page(100, 100)[NameObject("/Contents")] = writer._add_object(content.flate_encode(9))
    bomb = BytesIO()
    writer.write(bomb)
    assert bomb.tell() < LARGEST
    assert await refusal("a.pdf", bomb.getvalue()) in {
        Reason.HEAVY,
        Reason.PICTURES,
    }  # pypdf stops, and leaves the page out


async def test_macros_are_refused_under_any_name() -> None:
    hidden = docx(("h1", "Who?"), ("p", "I."), more=[("word/vbaProject.bin", b"evil")])
    assert await refusal("a.docx", hidden) is Reason.MACROS
    assert await refusal(
        "a.xlsx", with_part(xlsx([["Question", "Answer"], ["Who?", "I."]]), "xl/macrosheets/1.xml")
    ) is (Reason.MACROS)
    for name, why in (
        ("a.docm", Reason.MACROS),
        ("a.XLSM", Reason.MACROS),
        ("a.doc", Reason.OLD),
        ("a.jpg", Reason.OLD),
    ):
        assert await refusal(name, b"x") is why


async def test_archives_that_unpack_to_no_end_are_not_unpacked() -> None:
    zeros = bytes(1 << 20)
    assert await refusal("a.xlsx", archive((f"xl/{n}.xml", zeros) for n in range(101))) is Reason.HEAVY
    assert await refusal("a.docx", archive((f"{n}", b"") for n in range(2001))) is Reason.HEAVY
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert await refusal("a.docx", docx(("p", "Who?"), ("p", "&b;"), head=laughs)) is Reason.BROKEN
    late = f"<!--{3000 * 'x'}--><!DOCTYPE x [<!ENTITY a 'ha'>]>"
    assert await refusal("a.docx", docx(("p", "Who?"), ("p", "Me."), head=late)) is Reason.BROKEN


async def test_text_that_markdown_takes_minutes_for_does_not_stop_the_bot() -> None:
    """It is read by the child, which is ended; meanwhile the event loop goes on."""
    slept: list[float] = []

    async def look() -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(0.01)
            slept.append(monotonic() - before)

    looking = asyncio.create_task(look())
    assert await refusal("a.md", b"*a " * 600_000, Bounds(seconds=3)) is Reason.HEAVY
    looking.cancel()
    assert len(slept) > 20  # looks, while the file was read


@pytest.mark.timeout(60)
async def test_front_matter_of_any_depth_and_headings_of_any_length() -> None:
    matter = "---\ncourse: a\ntopic: b\nlanguage: en\nsource: {source}\nreviewed: 2026-01-01\n---\n"
    deep = matter.format(source=5000 * "[" + 5000 * "]") + "## Who? {#who}\n\nMe."
    assert await refusal("a.md", deep.encode()) is Reason.BROKEN
    long = matter.format(source="s") + f"## Who{60_000 * ' '}x\n\nMe."
    (problem,) = parse((await read_upload("a.md", long.encode())).text, "").problems
    assert "expected '## Question?" in problem.text


async def test_too_much_time_or_memory_ends_the_child() -> None:
    page = b"<p>Who?</p><p>I.</p>" * 200_000
    assert await refusal("a.html", page, Bounds(seconds=1)) is Reason.HEAVY
    assert await refusal("a.html", page, Bounds(megabytes=120)) is Reason.HEAVY


def test_a_huge_file_is_refused_by_its_size_alone() -> None:
    refuse_unseen("a.pdf", LARGEST)
    with pytest.raises(UploadError) as refused:
        refuse_unseen("a.pdf", LARGEST + 1)
    assert refused.value.reason is Reason.BIG
