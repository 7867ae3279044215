"""Makes a model folder, in a process of its own: the only place that imports torch and sentence-transformers.

`python -m indexer.modelmaker NAME OUT` writes OUT/{encoder.onnx, encoder.data, model.json} and OUT/pieces.model or
OUT/tokenizer.json, and reports its steps as JSON lines on standard output. NAME is the default model's name, or any
sentence-transformers name or folder.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer import tokens
from indexer.files import digest
from indexer.model import DEFAULT_MODEL, LAYOUT, STEPS
from indexer.pieces import pieces_of
from indexer.unpacking import WEIGHTS, ModelError, unpack_default

# Both encode these; a quantised file that strays further than this from sentence-transformers is not used.
SAMPLES = ("Qui peut candidater ?", "Do I need a master's degree?", "Half academics, half professionals, in 2022.")
LEAST_COSINE = 0.98
MOST_TOKENS = 512  # of a text, where a model does not say
MAPPED_FROM = 4096  # bytes: smaller tensors stay in the graph


def make(name: str, out: Path, report: Callable[[str], None]) -> None:
    """Write the model folder `out` for the model `name`; raises ModelError."""
    if name == DEFAULT_MODEL:
        report(STEPS[0])
        source = unpack_default(out / "sentence-transformers")
        identity = f"{DEFAULT_MODEL}-{LAYOUT}@{WEIGHTS[2][:12]}"
    else:
        folder = Path(name).expanduser()
        source, identity = str(folder) if folder.is_dir() else name, ""
    report(STEPS[1])
    model = _load(source)
    report(STEPS[2])
    exported = _export(model, out)
    report(STEPS[3])
    fused = _fused(exported, model)
    quantised = _quantise(fused)
    report(STEPS[4])
    most = model.max_seq_length or MOST_TOKENS
    _write_tokenizer(model.tokenizer.backend_tokenizer.to_str(), out)
    prompts = _prompts(name, model.prompts)
    texts = [prompts["query"] + text for text in SAMPLES]
    kept, cosine = _keep_the_good_one(model, tokens.load(out, most), (quantised, exported), texts)
    sha256 = digest(kept)
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


def _prompts(name: str, prompts: dict[str, str]) -> dict[str, str]:
    """The texts put before queries and passages; e5 models need theirs even where their folder forgets them."""
    if not any(prompts.values()) and re.search(r"\be5\b", name):
        return {"query": "query: ", "document": "passage: "}
    return {"query": prompts.get("query", ""), "document": prompts.get("document", prompts.get("passage", ""))}


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
    """Trace the whole sentence-transformers pipeline (transformer, pooling, dense, normalise) into one file.

    Beside a text's vector it gives one for each token, as the transformer leaves them.
    """
    import torch  # noqa: PLC0415  # takes seconds and half a gigabyte

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            tokens = features["token_embeddings"]
            unit = torch.nn.functional.normalize
            return unit(features["sentence_embedding"], dim=-1), unit(tokens, dim=-1)

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
            output_names=["vectors", "tokens"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}, "tokens": axes},
            opset_version=17,
            dynamo=False,
        )
    except Exception as error:
        raise ModelError(f"this model cannot be written as ONNX ({error}): choose another GUICHET_MODEL") from error
    return path


def _fused(exported: Path, model: Any) -> Path:
    """The same graph with each layer's attention and GELU as one node each; not BERT's kind of graph stays as it is.

    A third of the nodes are left, so that a session opens in half the time. Only attention has to be fused here:
    once quantised, ONNX Runtime no longer recognises it. Embeddings and their normalisation are left alone, since as
    one node they would be quantised too (cosine .998 to the same text); so are sums with theirs, which take three
    times as long as one node (see `encoder.open_session`).
    """
    from onnxruntime.transformers import fusion_options, optimizer  # noqa: PLC0415  # needs onnx, only here

    path = exported.with_name("fused.onnx")
    wanted = fusion_options.FusionOptions("bert")
    wanted.enable_embed_layer_norm = wanted.enable_skip_layer_norm = False
    # Attention is only recognised by one who knows its heads.
    shape = getattr(getattr(model[0], "auto_model", None), "config", None)
    optimizer.optimize_model(
        str(exported),
        "bert",
        num_heads=getattr(shape, "num_attention_heads", 0),
        hidden_size=getattr(shape, "hidden_size", 0),
        optimization_options=wanted,
        opt_level=0,
        only_onnxruntime=False,
    ).save_model_to_file(str(path))
    return path


def _quantise(fused: Path) -> Path:
    import onnx  # noqa: PLC0415  # only here
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415  # needs onnx, only here

    path = fused.with_name("quantised.onnx")
    # Of what a fused node gives, only ONNX Runtime knows the type.
    unknown = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    # Seven bits: processors without VNNI add two products in 16 bits, and cut off what does not fit; with eight a
    # text's vector would depend on the machine.
    quantize_dynamic(
        str(fused),
        str(path),
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        extra_options=unknown,
    )
    return path


def _keep_the_good_one(
    model: Any, pieces: tokens.Tokens, files: Sequence[Path], texts: Sequence[str]
) -> tuple[Path, float]:
    """The int8 file (four times smaller) if its vectors agree with sentence-transformers', or else the whole one."""
    from indexer.encoder import OnnxFile  # noqa: PLC0415  # the serving adapter, used here to check itself

    reference = np.asarray(model.encode(list(texts), normalize_embeddings=True))
    for path in files:
        file = OnnxFile(path, pieces)
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
