"""A tokenizer of the library `tokenizers` as SentencePiece's own file, where that is what it was made from."""

import base64
from collections.abc import Mapping
from typing import Any

BLANKS = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}  # what follows SentencePiece's own rules


def pieces_of(tokenizer: Mapping[str, Any]) -> bytes | None:
    """The file for a `tokenizer.json`, read as JSON; None if SentencePiece would not cut texts in the same way.

    A blank at the end of a text is dropped, as it was when such models were taught; the library keeps it. What looks
    like a special mark, such as "<mask>", is text.
    """
    if not _is_plain_unigram(tokenizer):
        return None
    from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415  # needs protobuf, only here

    made: Any = sentencepiece_model_pb2  # its classes are made at run time
    model, kinds, unknown = made.ModelProto(), made.ModelProto.SentencePiece, tokenizer["model"]["unk_id"]
    marks = {token["content"] for token in tokenizer["added_tokens"]}
    for number, (piece, score) in enumerate(tokenizer["model"]["vocab"]):
        kind = kinds.UNKNOWN if number == unknown else kinds.CONTROL if piece in marks else kinds.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    begin, _, end = _ends(tokenizer)
    training, rules = model.trainer_spec, model.normalizer_spec
    training.model_type = training.UNIGRAM
    training.unk_id, training.bos_id, training.eos_id, training.pad_id = unknown, begin, end, -1
    rules.precompiled_charsmap = base64.b64decode(tokenizer["normalizer"]["normalizers"][0]["precompiled_charsmap"])
    rules.add_dummy_prefix = rules.remove_extra_whitespaces = rules.escape_whitespaces = True
    return bytes(model.SerializeToString())


def _is_plain_unigram(tokenizer: Mapping[str, Any]) -> bool:
    model, words, ends = tokenizer["model"], tokenizer["pre_tokenizer"] or {}, tokenizer["post_processor"] or {}
    rules = (tokenizer["normalizer"] or {}).get("normalizers", [])
    return (
        (model.get("type"), model.get("byte_fallback", False)) == ("Unigram", False)
        and (words.get("type"), words.get("replacement")) == ("Metaspace", "\u2581")
        and (words.get("prepend_scheme"), words.get("split")) == ("always", True)
        and [rule["type"] for rule in rules] == ["Precompiled", "Replace"]
        and rules[1] == BLANKS
        and ends.get("type") == "TemplateProcessing"
        and _ends(tokenizer)[1:2] == [None]
        and all(token["special"] for token in tokenizer["added_tokens"])
    )


def _ends(tokenizer: Mapping[str, Any]) -> list[int | None]:
    """The numbers put around a text's own, for which None stands."""
    template = tokenizer["post_processor"]
    marks = [part["SpecialToken"]["id"] if "SpecialToken" in part else None for part in template["single"]]
    return [None if mark is None else template["special_tokens"][mark]["ids"][0] for mark in marks]
