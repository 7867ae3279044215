"""Pictures of an evaluation, readable on a phone: risk against coverage, and reliability."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bot.evaluation.figures import reliability, risk_and_coverage, scored
from bot.evaluation.judging import Judged


def draw(judged: Sequence[Judged], most_wrong: float, folder: Path) -> list[Path]:
    """Write `risk-coverage.png` and `reliability.png`; gives their paths."""
    confidence, right = scored(judged)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, paint in (("risk-coverage", _risk), ("reliability", _reliability)):
        figure, axes = plt.subplots(figsize=(6, 6), dpi=120)
        paint(axes, confidence, right, most_wrong)
        axes.grid(alpha=0.3)
        figure.tight_layout()
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1])
        plt.close(figure)
    return paths


def _risk(axes: Axes, confidence: object, right: object, most_wrong: float) -> None:
    risk, coverage = risk_and_coverage(confidence, right)  # type: ignore[arg-type]  # arrays, as `scored` gives them
    axes.plot(coverage * 100, risk * 100, linewidth=2)
    axes.axhline(most_wrong * 100, linestyle="--", color="tab:red", label=f"promised: at most {most_wrong:.0%} wrong")
    axes.set(title="Wrong answers, as more are shown", xlabel="shown, % of questions", ylabel="wrong, % of those shown")
    axes.set_ylim(bottom=0)
    axes.legend()


def _reliability(axes: Axes, confidence: object, right: object, _most_wrong: float) -> None:
    points = reliability(confidence, right)  # type: ignore[arg-type]  # arrays, as `scored` gives them
    axes.plot([0, 100], [0, 100], linestyle="--", color="tab:gray", label="perfect")
    sure, share = [p[0] * 100 for p in points], [p[1] * 100 for p in points]
    axes.plot(sure, share, marker="o", linewidth=2, label="measured")
    for x, y, point in zip(sure, share, points, strict=True):
        axes.annotate(f"n={point[2]}", (x, y), textcoords="offset points", xytext=(6, -12), fontsize=8)
    axes.set(title="How sure it says it is, and how often it is right", xlabel="confidence, %", ylabel="right, %")
    axes.legend()
