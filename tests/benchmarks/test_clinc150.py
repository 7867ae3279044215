import json
from pathlib import Path

import pytest

from benchmarks.clinc150 import intents, measure, read, report, without_every_fifth
from tests.indexer.standin import WordEncoder

WAYS = "how do i {} it|please {} this|can you {} that for me|i want to {}|{} now|will you {}|let us {}|time to {}"
DATA = {
    "train": [(way.format(verb), f"{verb}_it") for verb in ("pay", "cook", "fly") for way in WAYS.split("|")],
    "oos_train": [(f"what about {word}", "oos") for word in ("moon", "tax", "sea", "war")],
    "val": [(f"could we {verb} here", f"{verb}_it") for verb in ("pay", "cook", "fly")],
    "oos_val": [("what about music", "oos"), ("purple", "oos")],
}


def test_each_intent_is_an_entry_with_its_utterances() -> None:
    first, *others = intents(DATA["train"])
    assert (first.id, first.question, len(first.also), first.answer) == ("pay_it", "how do i pay it", 7, "Pay it.")
    assert [one.id for one in others] == ["cook_it", "fly_it"]
    assert without_every_fifth(first).also == tuple(text for text in first.also if text not in first.also[::5])


def test_figures_of_made_up_intents(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(DATA, WordEncoder(), lambda *_: None)
    assert figures["nothing rejected"] == {"accuracy": 1, "caught": 0}
    report(DATA, figures)
    *_, last = capsys.readouterr().out.splitlines()
    assert list(json.loads(last)) == ["accuracy", "caught"]


def test_a_file_without_the_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps({**DATA, "oos_train": []}))
    with pytest.raises(ValueError, match="lacks oos_train"):
        read(tmp_path / "data.json")
