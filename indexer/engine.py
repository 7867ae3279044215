"""Model, live snapshot and calibrator together: a question in, rated hits out."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from indexer import confidence, store
from indexer.building import Built, build
from indexer.confidence import Calibrator, CalibratorError, OtherVersionError
from indexer.courses import Course
from indexer.encoder import Encoder, OnnxEncoder
from indexer.entries import Entry, Language, Problem
from indexer.model import prepare
from indexer.passages import Hit
from indexer.readers import Knowledge, read_knowledge
from indexer.search import known, search
from indexer.snapshot import CALIBRATOR, Snapshot, SnapshotError, content_hash, load
from indexer.spelling import Speller
from indexer.store import NO_NOTE, Note

Step = Callable[[str, int, int], None]
TRAINED = "trained.json"
SURE, UNLIKELY = 0.9, 0.5  # of a first hit that any school shows, whatever its threshold, and of all others beside it


def _silent(step: str, done: int, total: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Immutable: a new index gives a new engine, so that one question never meets two indexes."""

    encoder: Encoder
    snapshot: Snapshot
    calibrator: Calibrator
    speller: Speller

    def find(self, question: str, language: Language, course: str | None = None) -> tuple[Hit, ...]:
        """Rated hits, best first; drafts among them. Takes milliseconds: call it outside the event loop.

        Within a course: its own entries, and those that are common to all courses.
        A question with slips of the keyboard is searched as it stands and, unless that leaves no doubt, corrected; the
        surer finding counts.
        """
        if not question.strip():
            return ()
        found = self._find(question, language, course)
        if found and (found[0].outside or _beyond_doubt(found)):
            return found
        corrected = self.speller.corrected(question, language)
        if corrected == question:
            return found
        guessed = self._find(corrected, language, course, as_written=False)
        return max(found, guessed, key=lambda hits: hits[0].confidence if hits else 0)

    def known(self, question: str, course: str | None = None) -> bool:
        """Whether `find` gives an entry that has this very question; found out at once."""
        return known(self.snapshot, question, course)

    def _find(
        self, question: str, language: Language, course: str | None, *, as_written: bool = True
    ) -> tuple[Hit, ...]:
        (encoded,), fusion = self.encoder.questions([question]), self.calibrator.fusion
        found = search(self.snapshot, question, encoded, language, fusion, course, as_written=as_written)
        return self.calibrator.rated(found)

    def entry(self, entry_id: str, language: Language) -> Entry | None:
        """An answered entry by its id, in this language or else in the other; None if there is none."""
        versions = [self.snapshot.entries[unit] for unit in self.snapshot.versions.get(entry_id, ())]
        answered = [entry for entry in versions if not entry.draft]
        return min(answered, key=lambda entry: entry.language != language, default=None)

    @property
    def course(self) -> str:
        """The only course; empty where there are several, whether or not anybody has described them."""
        names = [course.name for course in self.snapshot.school] or list(self.snapshot.courses)
        return names[0] if len(names) == 1 else ""

    @property
    def school(self) -> tuple[Course, ...]:
        """The courses to choose from; empty where there is only one."""
        return self.snapshot.school if len(self.snapshot.school) > 1 else ()

    def title(self, course: str, language: Language) -> str:
        """What a course is called; empty where there is only one, and for what is common to all."""
        return next((one.title(language) for one in self.school if one.name == course), "")


def _beyond_doubt(found: Sequence[Hit]) -> bool:
    first, *others = found
    clear = first.confidence >= SURE and not first.entry.draft and all(hit.confidence < UNLIKELY for hit in others)
    return first.verbatim or clear


def open_engine(model: str, cache: Path, root: Path, progress: Step = _silent) -> Engine:
    """Prepare the model if need be and open the live snapshot; raises ModelNotReady, SnapshotError, CalibratorError."""
    return with_live_snapshot(OnnxEncoder(prepare(model, cache, progress)), root)


def with_live_snapshot(encoder: Encoder, root: Path) -> Engine:
    """The engine for whatever is live now; raises SnapshotError."""
    snapshot = live_snapshot(root)
    refuse_other_model(snapshot, encoder.identity)
    return engine_of(snapshot, encoder)


def live_snapshot(root: Path) -> Snapshot:
    """Whatever is live now; raises SnapshotError."""
    folder = store.live(root)
    if folder is None:
        raise SnapshotError("there is no index yet: run 'guichet index'")
    return load(folder)


def engine_of(snapshot: Snapshot, encoder: Encoder) -> Engine:
    """The engine for a snapshot, with the calibrator that was stored in it; raises CalibratorError."""
    return Engine(encoder, snapshot, confidence.load(snapshot.folder / CALIBRATOR), Speller(snapshot.spelling))


def refuse_other_model(snapshot: Snapshot, identity: str) -> None:
    """Vectors of two models cannot be compared: raises SnapshotError."""
    made_with = snapshot.manifest["model"]["identity"]
    if made_with != identity:
        raise SnapshotError(
            f"the index {snapshot.id} was made with the model {made_with}, but GUICHET_MODEL now means {identity}: "
            "run 'guichet index' to build it again, or set GUICHET_MODEL back"
        )


@dataclass(frozen=True, slots=True)
class Indexed:
    """What `index` did; `built` is None when nothing had changed. `told` is what the examination has to say."""

    knowledge: Knowledge
    built: Built | None
    engine: Engine
    told: tuple[str, ...] = ()


# Looks at a new engine beside the live one, before anything goes live: gives remarks, or raises to refuse it.
Examine = Callable[[Engine, Engine | None], tuple[str, ...]]


def index(
    folder: Path,
    encoder: Encoder,
    root: Path,
    progress: Step = _silent,
    examine: Examine = lambda *_: (),
    *,
    note: Callable[[Engine, Engine | None], Note] = lambda *_: NO_NOTE,
    kept: int = store.KEPT,
) -> Indexed:
    """Read the knowledge, build a snapshot aside, examine it and activate it; only changed texts are encoded.

    A file `trained.json` in the folder (see `guichet train`) is the snapshot's calibrator; one of another version is
    left unused, and told with the warnings. Raises KnowledgeError,
    CalibratorError, SnapshotError, or what `examine` raises; the live index is then as it was. Two runs at once take
    turns: each would take the other's unfinished folder for a killed run's.
    """
    knowledge = read_knowledge(folder)
    knowledge = replace(knowledge, warnings=(*knowledge.warnings, *left_unused(folder)))
    with _alone(root):
        prepared = _prepare(folder, knowledge, encoder, root, progress, store.snapshot_folder(root))
        if prepared.built is None:
            return Indexed(knowledge, None, prepared.engine)
        progress("Examining", 0, 0)
        try:
            told = examine(prepared.engine, prepared.live)
        except BaseException:
            shutil.rmtree(prepared.built.folder, ignore_errors=True)  # refused ones are not among those kept
            raise
        store.activate(root, prepared.built.snapshot_id, note(prepared.engine, prepared.live))
        store.prune(root, kept)
        return Indexed(knowledge, prepared.built, prepared.engine, told)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A new engine that is not live; without `built` nothing has changed, and it is the live one."""

    built: Built | None
    engine: Engine
    live: Engine | None


def prepare_aside(
    folder: Path, encoder: Encoder, root: Path, progress: Step = _silent, into: Path | None = None
) -> Prepared:
    """Build what `index` would make live, and leave it at that: among the snapshots, or below `into`.

    Raises what `index` raises.
    """
    knowledge = read_knowledge(folder)
    with _alone(root):
        return _prepare(folder, knowledge, encoder, root, progress, into or store.snapshot_folder(root))


def publish(root: Path, snapshot_id: str, base: str | None, note: Note, kept: int = store.KEPT) -> None:
    """Activate a prepared snapshot; raises SnapshotError if `base`, what it was compared with, is not live any more."""
    with _alone(root):
        live = store.live(root)
        if (live.name if live else None) != base:
            raise SnapshotError("another index went live in the meantime: look at the changes again")
        store.activate(root, snapshot_id, note)
        store.prune(root, kept)


def roll_back(encoder: Encoder, root: Path, snapshot_id: str | None, by: str) -> Engine:
    """Activate a snapshot that is kept, without an id the one before; raises SnapshotError, and nothing changes."""
    with _alone(root):
        chosen = snapshot_id or store.previous(root)
        if chosen is None:
            raise SnapshotError("there is no earlier index to go back to")
        folder = store.snapshot_folder(root) / chosen
        if folder not in store.history(root):
            kept = ", ".join(path.name for path in store.history(root)) or "none"
            raise SnapshotError(f"there is no index {chosen!r}: kept are {kept}")
        snapshot = load(folder)
        refuse_other_model(snapshot, encoder.identity)
        engine = engine_of(snapshot, encoder)
        store.activate(root, chosen, Note(by, "rolled back"))
        return engine


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One run at a time; what the file system refuses is told as SnapshotError."""
    with store.writing(root):
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "index.lock"):
            yield


def _prepare(folder: Path, knowledge: Knowledge, encoder: Encoder, root: Path, progress: Step, into: Path) -> Prepared:
    entries = (*knowledge.entries, *knowledge.drafts)
    calibrator = trained(folder)
    current = live_engine(encoder, root)
    if current and current.snapshot.manifest["content"] == content_hash(
        entries, encoder.identity, calibrator, knowledge.courses, knowledge.outside, knowledge.golden
    ):
        return Prepared(None, current, current)
    if not knowledge.entries:
        raise SnapshotError(f"{folder} has no answered question yet: nothing would be found")
    built = build(
        entries,
        encoder,
        into,
        old=store.live(root),
        calibrator=calibrator,
        school=knowledge.courses,
        outside=knowledge.outside,
        golden=knowledge.golden,
        progress=progress,
    )
    return Prepared(built, engine_of(load(built.folder), encoder), current)


def trained(folder: Path) -> bytes:
    """The calibrator's file of a knowledge folder; empty if there is none, or one that is left unused.

    Raises CalibratorError if it is damaged.
    """
    path = folder / TRAINED
    return path.read_bytes() if path.is_file() and not left_unused(folder) else b""


def left_unused(folder: Path) -> tuple[Problem, ...]:
    """A calibrator that another version has fitted, with the remedy; raises CalibratorError if it is damaged."""
    try:
        if (folder / TRAINED).is_file():
            confidence.load(folder / TRAINED)
    except OtherVersionError:
        remedy = "run 'guichet train', then 'guichet index'"
        return (Problem(TRAINED, 1, f"another version of Guichet has learnt this, so it is left unused: {remedy}"),)
    return ()


def live_engine(encoder: Encoder, root: Path) -> Engine | None:
    """The live engine, or None if there is none that can be used."""
    try:
        return with_live_snapshot(encoder, root)
    except (SnapshotError, CalibratorError):
        return None
