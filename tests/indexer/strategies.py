"""Entries of every kind, for property tests."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from indexer.entries import LANGUAGES, Entry

WORDS = st.lists(st.from_regex(r"[^\W_]{1,9}", fullmatch=True), min_size=1, max_size=6).map(" ".join)
QUESTION = WORDS.map(lambda words: f"{words} ?")
ANSWERS = st.lists(
    st.one_of(
        WORDS,
        WORDS.map(lambda text: f"**{text}**, yes."),
        WORDS.map(lambda text: f"[{text}](https://example.org/{len(text)})"),
        st.lists(WORDS, min_size=1, max_size=3).map(lambda items: "\n".join(f"- {item}" for item in items)),
        WORDS.map(lambda text: f"```\n## {text}\n{text}\n```"),
        WORDS.map(lambda text: f"### {text}"),
    ),
    min_size=1,
    max_size=4,
).map("\n\n".join)
ID = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
DATES = st.dates(date(1990, 1, 1), date(2090, 12, 31))
ENTRIES = st.builds(
    Entry,
    id=ID,
    language=st.sampled_from(LANGUAGES),
    course=st.just("pottery"),
    topic=st.just("classes"),
    topic_name=WORDS,
    question=QUESTION,
    also=st.lists(QUESTION, max_size=3).map(tuple),
    answer=ANSWERS,
    source=st.one_of(WORDS, st.sampled_from(["no", "2022", 'It\'s: "so" #1', "- a", "* é", "null", "a: b", "'"])),
    address=st.sampled_from([None, "https://example.org/a"]),
    source_date=st.one_of(st.none(), DATES.map(date.isoformat), st.integers(1990, 2090).map(str)),
    reviewed=DATES,
    valid_until=st.one_of(st.none(), DATES),
    path=st.just("a.md"),
    review_every=st.one_of(st.none(), st.integers(1, 3650)),
    owner=st.one_of(st.none(), WORDS, st.sampled_from(["@marie", "Marie: admissions", "#1"])),
)
DRAFTS = ENTRIES.map(lambda written: replace(written, answer="", draft=True))
