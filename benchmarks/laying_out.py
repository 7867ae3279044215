"""An index of the project's own knowledge for bots that are measured."""

from pathlib import Path

from benchmarks.remembering import RememberingEncoder
from bot.settings import Settings
from indexer import engine
from indexer.encoder import OnnxEncoder
from indexer.engine import Step
from indexer.model import prepare


def index_of_our_own(settings: Settings, root: Path, step: Step) -> Path:
    """Build it in `root`; what the encoder has given in an earlier run is remembered."""
    model = prepare(settings.model, settings.cache_dir, step)
    encoder = RememberingEncoder(OnnxEncoder(model), settings.cache_dir / "benchmarks")
    engine.index(settings.knowledge_dir, encoder, root, step)
    encoder.save()
    return root
