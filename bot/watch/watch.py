"""What the loops report to."""

from dataclasses import dataclass, field

from bot.watch.beats import Beats
from bot.watch.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Watch:
    """One process's signs of life and figures."""

    beats: Beats = field(default_factory=Beats)
    metrics: Metrics = field(default_factory=Metrics)
