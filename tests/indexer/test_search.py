from collections.abc import Callable, Sequence
from math import exp, log
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.made_up import entries as made_up
from indexer import engine as engines
from indexer import search as searching
from indexer.building import build
from indexer.confidence import load as load_calibrator
from indexer.courses import Course
from indexer.encoder import Encoded, OnnxEncoder, Vectors
from indexer.engine import Engine
from indexer.entries import LANGUAGES, Entry, Language
from indexer.features import DEFAULT_FUSION, FEATURES, PARTS
from indexer.lexical import Bm25, Numbers, Scores
from indexer.maxsim import TokenVectors
from indexer.passages import Hit, Kind, cut
from indexer.search import CLOSER, MOST_ANSWERED, SHARPNESS, candidates, known, look_closer, search
from indexer.snapshot import Snapshot, load
from tests.conftest import DATA
from tests.indexer.examples import entry
from tests.indexer.standin import WordEncoder


@pytest.fixture(scope="module")
def pottery(encoder: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engines.index(DATA / "pottery", encoder, tmp_path_factory.mktemp("pottery")).engine


def snapshot_of(entries: list[Entry], folder: Path) -> Snapshot:
    return load(build(entries, WordEncoder(), folder).folder)


def asked(snapshot: Snapshot, question: str, language: Language = "en", course: str | None = None) -> tuple[Hit, ...]:
    (encoded,) = WordEncoder().questions([question])
    return search(snapshot, question, encoded, language, load_calibrator().fusion, course)


def feature(hit: Hit, name: str) -> float:
    return hit.features[FEATURES.index(name)]


@pytest.mark.parametrize(
    ("question", "language", "expected", "shown_in"),
    [
        ("Is a total novice welcome?", "en", "who", "en"),
        ("Je n'ai jamais tourné, puis-je venir ?", "fr", "who", "fr"),
        ("Faut-il prendre un tablier ?", "fr", "bring", "fr"),
        ("where do i leave my bike", "en", "bicycle", "en"),
    ],
)
def test_the_model_finds_the_entry(
    pottery: Engine, question: str, language: Language, expected: str, shown_in: str
) -> None:
    first, *_ = pottery.find(question, language)
    assert (first.entry.id, first.entry.language) == (expected, shown_in)


@pytest.mark.parametrize(
    ("question", "expected"),
    [("À quelle température cuit le four ?", "kiln"), ("Où puis-je garer mon vélo ?", "bicycle")],
)
def test_a_french_question_finds_an_entry_that_is_in_english_only(
    pottery: Engine, question: str, expected: str
) -> None:
    near = {hit.entry.id: hit for hit in pottery.find(question, "fr")[:3]}
    assert near[expected].entry.language == "en"
    assert feature(near[expected], "first_by_meaning") == 1


@pytest.mark.parametrize(("question", "language"), [("What is the price?", "en"), ("C'est combien ?", "fr")])
def test_a_question_without_an_answer_yet_finds_its_draft(pottery: Engine, question: str, language: Language) -> None:
    first, *_ = pottery.find(question, language)
    assert (first.entry.id, first.entry.draft) == ("fee", True)


def test_a_version_with_an_answer_is_shown_before_a_draft_in_the_own_language(tmp_path: Path) -> None:
    snapshot = snapshot_of([entry(), entry(question="Le four ?", language="fr", answer="", draft=True)], tmp_path)
    (hit,) = asked(snapshot, "Le four ?", "fr")
    assert (hit.entry.language, hit.entry.draft) == ("en", False)


def test_drafts_take_no_place_from_the_five_answers(tmp_path: Path) -> None:
    drafts = [entry(f"draft-{n}", f"How hot is kiln {n}?", answer="", draft=True) for n in range(12)]
    answered = [entry(f"answer-{n}", f"How cold is shed {n}?") for n in range(8)]
    hits = asked(snapshot_of([*drafts, *answered], tmp_path), "How hot is the kiln?")
    assert sum(not hit.entry.draft for hit in hits) == MOST_ANSWERED
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_tokens_of_the_five_best_candidates_alone_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by them the order may change."""
    snapshot = snapshot_of([entry(f"e-{n}", f"How hot is {'our kiln ' * n}?") for n in range(10)], tmp_path)
    (encoded,) = WordEncoder().questions(["How hot is our kiln?"])
    before = [hit.entry.id for hit in search(snapshot, "How hot is our kiln so?", encoded, "en", DEFAULT_FUSION)]
    looked_at: list[int] = []

    def met(_: TokenVectors, __: Vectors, first: int, ___: int) -> float:
        looked_at.append(int(np.searchsorted(snapshot.segments, first)) // len(Kind))
        return len(looked_at) / 10  # the fifth is met best

    monkeypatch.setattr(TokenVectors, "met", met)
    counting = [1.0 if name == "met" else weight for name, weight in zip(PARTS, DEFAULT_FUSION, strict=True)]
    after = search(snapshot, "How hot is our kiln so?", encoded, "en", counting)
    ids = [snapshot.entries[snapshot.groups[group][0]].id for group in looked_at]
    assert ids == before[:CLOSER]
    assert [hit.entry.id for hit in after] == ids[::-1]


def test_the_others_count_as_the_least_of_those(tmp_path: Path) -> None:
    snapshot = snapshot_of([entry(f"e-{n}", f"How hot is {'our kiln ' * n}?") for n in range(10)], tmp_path)
    (encoded,) = WordEncoder().questions(["How hot is our kiln?"])
    found = candidates(snapshot, "How hot is our kiln?", encoded.vector, "en")
    assert found is not None
    rows = np.array([3, 0, 5])
    met = look_closer(snapshot, found, encoded, rows).met
    everywhere = look_closer(snapshot, found, encoded).met
    assert not found.met.any()
    assert met[rows].tolist() == everywhere[rows].tolist()
    assert everywhere[0] < everywhere[3] == pytest.approx(1)
    assert set(np.delete(met, rows)) == {met[rows].min()}


def test_a_course_is_found_however_much_nearer_others_are(tmp_path: Path) -> None:
    """Hundreds of nearer passages of another course push nothing out."""
    other = [entry(f"k-{n}", "How hot is the kiln?", course="glass", answer=f"Hot {n}.") for n in range(150)]
    snapshot = snapshot_of([*other, entry("park", "Where do I park?", answer="Behind the shed.")], tmp_path)
    assert {hit.entry.course for hit in asked(snapshot, "How hot is the kiln?")} == {"glass"}
    assert [hit.entry.id for hit in asked(snapshot, "How hot is the kiln?", course="pottery")] == ["park"]
    assert {hit.entry.course for hit in asked(snapshot, "Where do I park?", course="glass")} == {"glass"}


def test_a_question_of_an_entry_itself_finds_it_before_what_scores_higher(tmp_path: Path) -> None:
    rival = entry("hot", "How hot?", answer="How hot the kiln is", also=("How hot is our kiln?", "The kiln, how hot?"))
    own = entry("kiln", "Anything else", answer="No.", also=("How hot is the kiln?",))
    snapshot = snapshot_of([rival, own], tmp_path)
    unlike, *_ = asked(snapshot, "So how hot is the kiln?")
    assert (unlike.entry.id, unlike.verbatim) == ("hot", False)
    first, second = asked(snapshot, "how hot is the KILN")
    assert (first.entry.id, first.verbatim, second.verbatim) == ("kiln", True, False)
    assert known(snapshot, "how hot is the KILN")
    assert not known(snapshot, "So how hot is the kiln?")
    assert first.score < second.score


def test_a_question_of_two_entries_is_certain_within_a_course_only(tmp_path: Path) -> None:
    """Each course may have its price: which is meant is another question."""
    snapshot = snapshot_of([entry(c, "What is the price?", course=c) for c in ("glass", "pottery")], tmp_path)
    assert not any(hit.verbatim for hit in asked(snapshot, "What is the price?"))
    assert [(hit.entry.id, hit.verbatim) for hit in asked(snapshot, "the price", course="glass")] == [("glass", False)]
    (hit,) = asked(snapshot, "what is the price", course="glass")
    assert (hit.entry.id, hit.verbatim) == ("glass", True)
    told = [known(snapshot, "what is the price", course) for course in (None, "glass", "clay")]
    assert told == [False, True, False]


def test_a_courses_own_question_goes_before_the_common_one(tmp_path: Path) -> None:
    school = (Course("glass", "Verre", "Glass"), Course("pottery", "Poterie", "Pottery"))
    entries = [entry(name, "Where do I park?", course=name) for name in ("common", "glass")]
    snapshot = load(build(entries, WordEncoder(), tmp_path, school=school).folder)
    first, other = asked(snapshot, "where do I park", course="glass")
    assert (first.entry.id, first.verbatim, other.verbatim) == ("glass", True, False)
    assert [(hit.entry.id, hit.verbatim) for hit in asked(snapshot, "where do I park", course="pottery")] == [
        ("common", True)
    ]


def test_a_question_in_both_languages_is_one_entrys(tmp_path: Path) -> None:
    both = [entry("rncp", "RNCP?"), entry("rncp", "RNCP ?", language="fr")]
    assert [hit.verbatim for hit in asked(snapshot_of(both, tmp_path), "rncp", "fr")] == [True]


@pytest.mark.parametrize(
    ("first", "written"), [(0, str), (4, str.upper), (8, lambda text: text.casefold().rstrip(" ?.!"))]
)
def test_whatever_the_knowledge_has_is_found_as_it_is_written_there(
    engine: Engine, first: int, written: Callable[[str], str]
) -> None:
    """With the real model; a quarter of all ways of asking."""
    asked = [(entry, text) for entry in engine.snapshot.entries for text in (entry.question, *entry.also)][first::12]
    found = [(engine.find(written(text), entry.language)[0], entry.id) for entry, text in asked]
    assert [(hit.entry.id, hit.confidence) for hit, _ in found] == [(id_, 1.0) for _, id_ in found]


def test_an_unknown_course_has_no_hits(tmp_path: Path) -> None:
    assert asked(snapshot_of([entry()], tmp_path), "How hot?", course="cooking") == ()


@pytest.mark.parametrize("question", ["", " ", "\n\t"])
def test_a_blank_question_has_no_hits(pottery: Engine, question: str) -> None:
    assert pottery.find(question, "en") == ()


@pytest.mark.parametrize("question", ["?!", "🙂🙂", "\u200b", "kiln " * 1000, "x" * 5000, "日本語", "\x00"])
def test_strange_questions_are_searched_without_fault(pottery: Engine, question: str) -> None:
    hits = pottery.find(question, "en")
    assert hits
    assert all(np.isfinite(hit.features).all() and 0 <= hit.confidence <= 1 for hit in hits)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("draft", [False, True])
def test_an_index_with_one_entry(tmp_path: Path, language: Language, draft: bool) -> None:
    one = entry(answer="", draft=True) if draft else entry()
    (hit,) = asked(snapshot_of([one], tmp_path), "How hot is the kiln?", language)
    assert hit.entry == one
    assert np.isfinite(hit.features).all()
    assert feature(hit, "own_language") == (language == "en")


def test_words_of_the_other_language_do_not_count(tmp_path: Path) -> None:
    snapshot = snapshot_of([entry("pain", "Does pain last?"), entry("bread", "Le pain ?", "fr")], tmp_path)
    words = {hit.entry.id: feature(hit, "words_held") for hit in asked(snapshot, "pain", "fr")}
    assert words == {"pain": 0, "bread": pytest.approx(1)}


def test_faiss_finds_what_comparing_with_everything_finds(engine: Engine) -> None:
    """The index of the project's knowledge against all cosines, for questions in both languages."""
    snapshot = engine.snapshot
    questions = ["Who teaches?", "Combien de temps dure la formation ?", "quel niveau faut-il", "🙂", "a"]
    vectors = engine.encoder.queries(questions)
    found, rows = snapshot.nearest.index.search(vectors, 50)
    cosines = vectors @ snapshot.vectors.T
    np.testing.assert_allclose(found, -np.sort(-cosines, axis=1)[:, :50], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(cosines, rows, axis=1), found, atol=1e-5)


def test_looking_at_candidates_alone_finds_what_looking_at_everything_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a few hundred entries, many of which have words in common with a question."""
    known = made_up(3_000)
    snapshot = snapshot_of(known, tmp_path)
    questions = [(one.also[0], one.language, course) for one in known[::20] for course in (None, one.course)]
    found = [asked(snapshot, *question) for question in questions]

    def held_of_all(self: Bm25, tokens: Sequence[str], rows: Numbers, among: Sequence[slice]) -> tuple[Scores, float]:
        every = self.match(tokens, among)
        return every.held[rows], every.known

    def in_order(bm25: Scores, spans: Sequence[tuple[int, int]]) -> Numbers:
        inside = np.concatenate([np.arange(*span) for span in spans])
        ordered: Numbers = inside[np.argsort(-bm25[inside], kind="stable")]
        return ordered[bm25[ordered] > 0][: searching.NEAREST_BY_WORDS]

    monkeypatch.setattr(Bm25, "held", held_of_all)
    monkeypatch.setattr(searching, "_near_by_words", in_order)
    assert found == [asked(snapshot, *question) for question in questions]


WORD = st.sampled_from("kiln hot clay wood shed bowl glaze fire".split())
PHRASE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)


@st.composite
def collections(draw: st.DrawFn) -> list[Entry]:
    """One to seven entries, some with a French version, some drafts, in two courses."""
    entries = []
    written_in: tuple[tuple[Language, ...], ...] = (("en",), ("fr",), ("en", "fr"))
    for number in range(draw(st.integers(1, 7))):
        draft = draw(st.booleans())
        for language in draw(st.sampled_from(written_in)):
            entries.append(
                entry(
                    f"e-{number}",
                    draw(PHRASE),
                    language,
                    course=f"course-{number % 2}",
                    also=tuple(draw(st.lists(PHRASE, max_size=3))),
                    answer="" if draft else ". ".join(draw(st.lists(PHRASE, min_size=1, max_size=3))),
                    draft=draft,
                )
            )
    return entries


def by_hand(entries: list[Entry], question: str) -> dict[str, dict[str, float]]:
    """What is measured of each id by meaning, without any index."""
    encoder = WordEncoder()
    (encoded,) = encoder.questions([question])
    vector = encoded.vector
    tokens: dict[str, list[Encoded]] = {one.id: [] for one in entries}
    found: dict[str, dict[Kind, list[float]]] = {one.id: {kind: [] for kind in Kind} for one in entries}
    for one in entries:
        for passage in cut(one, 0):
            encode = encoder.queries if passage.kind == Kind.ASKED else encoder.passages
            found[one.id][passage.kind].append(float(encode([passage.text])[0] @ vector))
            if passage.kind == Kind.ASKED:
                tokens[one.id] += encoder.questions([passage.text])
    return {id_: measured(kinds) | {"met": met(encoded, tokens[id_])} for id_, kinds in found.items()}


def met(question: Encoded, ways: list[Encoded]) -> float:
    known = np.concatenate([way.tokens for way in ways])
    return float(np.mean([max(token @ known.T) for token in question.tokens]))


def measured(cosines: dict[Kind, list[float]]) -> dict[str, float]:
    passages = cosines[Kind.QUESTION] + cosines[Kind.ANSWER] + cosines[Kind.WHOLE]
    return {
        "cosine": max(passages),
        "asked_cosine": max(cosines[Kind.ASKED]),
        "whole_cosine": max(cosines[Kind.WHOLE] or cosines[Kind.QUESTION]),
        "asked_near": nearness(cosines[Kind.ASKED]),
        "near": nearness(passages),
    }


def nearness(cosines: list[float]) -> float:
    return 1 + log(sum(exp((cosine - 1) * SHARPNESS) for cosine in cosines)) / SHARPNESS


LAST_IS_A_DRAFT = [entry("a", "wood"), entry("z", "kiln", also=("clay", "hot bowl"), answer="", draft=True)]


@settings(max_examples=25)
@given(collections(), PHRASE, st.sampled_from(LANGUAGES))
@example(LAST_IS_A_DRAFT, "hot bowl", "en")
def test_cosines_and_order_are_those_computed_by_hand(entries: list[Entry], question: str, language: Language) -> None:
    with TemporaryDirectory() as folder:
        hits = asked(snapshot_of(entries, Path(folder)), question, language)
        expected = by_hand(entries, question)
        for hit in hits:
            for name, value in expected[hit.entry.id].items():
                if name != "met" or len(expected) <= CLOSER:
                    assert feature(hit, name) == pytest.approx(value, abs=1e-4), name
            if len(hits) == len(expected):
                best_other = max((other.score for other in hits if other is not hit), default=-9)
                assert feature(hit, "margin") == pytest.approx(min(hit.score - best_other, 0.2), abs=1e-5)
        scores = [hit.score for hit in hits if not hit.verbatim]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.entry.id for hit in hits}) == len(hits)


@settings(max_examples=15)
@given(collections(), PHRASE)
def test_searching_a_course_is_searching_an_index_of_that_course_alone(entries: list[Entry], question: str) -> None:
    own = [one for one in entries if one.course == "course-0"]
    with TemporaryDirectory() as folder:
        both = asked(snapshot_of(entries, Path(folder) / "both"), question, course="course-0")
        alone = asked(snapshot_of(own, Path(folder) / "alone"), question)
        assert {(hit.entry.id, round(feature(hit, "cosine"), 4)) for hit in both} == {
            (hit.entry.id, round(feature(hit, "cosine"), 4)) for hit in alone
        }
