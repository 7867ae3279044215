"""A period as a picture for a phone: 1080 pixels wide, big letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import shorten, wrap
from typing import TYPE_CHECKING

from bot.desk.insight import Figures, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, HIGH, DPI = 10.8, 15.0, 100
COLOURS = ("#2f7d5b", "#d9a441", "#b4503c")  # told apart in grey as well: dark, light, middle
INK = "#222222"
DATES = 7  # below the days: more would touch one another


@dataclass(frozen=True, slots=True)
class Legend:
    """The words of the picture, in the staff's language."""

    title: str
    alone: str
    clarified: str
    handed_over: str
    by_day: str
    themes: str
    nothing: str
    numbers: tuple[tuple[str, str], ...]  # (number, what it counts)


def draw(figures: Figures, legend: Legend) -> bytes:
    """A PNG: the numbers, the days, the themes that nobody has answered."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # 30 MB and a third of a second, for a bot that seldom draws

    figure = Figure(figsize=(WIDE, HIGH), dpi=DPI, facecolor="white")
    figure.suptitle(legend.title, fontsize=34, fontweight="bold", color=INK, y=0.975)
    head, days, themes = figure.subplots(3, 1, height_ratios=(1.5, 2.2, 2.4))
    _numbers(head, legend)
    _days(days, figures, legend)
    _themes(themes, figures, legend)
    figure.subplots_adjust(left=0.09, right=0.95, top=0.925, bottom=0.03, hspace=0.32)
    return _png(figure)


def draw_themes(themes: Sequence[Theme], title: str, chart: str) -> bytes:
    """A PNG: how many questions of each theme, the largest first."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # as in draw

    figure = Figure(figsize=(WIDE, 3 + 1.35 * max(len(themes), 4)), dpi=DPI, facecolor="white")
    height = figure.get_figheight()
    figure.suptitle("\n".join(wrap(title, 40)), fontsize=32, fontweight="bold", color=INK, y=1 - 0.3 / height, va="top")
    axes = figure.subplots()
    figure.subplots_adjust(left=0.07, right=0.93, top=1 - 2.2 / height, bottom=0.3 / height)
    _bars(axes, themes, chart)
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    png = BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _numbers(axes: "Axes", legend: Legend) -> None:
    axes.axis("off")
    for place, (number, what) in enumerate(legend.numbers):
        x, y = (0.17, 0.5, 0.83)[place % 3], (0.75, 0.18)[place // 3]
        axes.text(x, y, number, fontsize=44, fontweight="bold", ha="center", va="center", color=INK)
        label = "\n".join(wrap(what, 18))
        axes.text(x, y - 0.17, label, fontsize=20, ha="center", va="top", color=INK, linespacing=1.0)


def _days(axes: "Axes", figures: Figures, legend: Legend) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # as in draw

    _title(axes, legend.by_day)
    if not figures.days:
        _empty(axes, legend)
        return
    days, bottom = list(figures.days), [0] * len(figures.days)
    places = [day.toordinal() for day in days]
    for place, (name, colour) in enumerate(
        zip((legend.alone, legend.clarified, legend.handed_over), COLOURS, strict=True)
    ):
        heights = [figures.days[day][place] for day in days]
        axes.bar(places, heights, bottom=bottom, color=colour, label=name, width=0.8)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    axes.set_ylim(top=max(*bottom, 1) * 1.35)
    axes.legend(fontsize=19, loc="upper left", ncols=3, frameon=False, columnspacing=1.0, handlelength=1.0)
    shown = days[:: -(-len(days) // DATES)]
    axes.set_xticks([day.toordinal() for day in shown], [f"{day:%d/%m}" for day in shown])
    beside = max(1, (DATES - len(days)) / 2)  # few days make no walls
    axes.set_xlim(places[0] - beside, places[-1] + beside)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.tick_params(labelsize=20, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)


def _themes(axes: "Axes", figures: Figures, legend: Legend) -> None:
    if figures.themes:
        _bars(axes, figures.themes, legend.themes)
        return
    _title(axes, legend.themes)
    _empty(axes, legend)


def _bars(axes: "Axes", themes: Sequence[Theme], chart: str) -> None:
    _title(axes, chart)
    axes.axis("off")
    most = themes[0].count
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(themes), 4), 0)
    for place, theme in enumerate(themes):
        text = "\n".join(wrap(shorten(" ".join(theme.question.split()), 100, placeholder=" …"), 50))
        axes.barh(place + 0.78, 0.88 * theme.count / most, height=0.16, color=COLOURS[2])
        axes.text(0, place + 0.62, text, fontsize=20, va="bottom", color=INK, linespacing=1.05, parse_math=False)
        axes.text(0.9 * theme.count / most + 0.01, place + 0.78, str(theme.count), fontsize=20, va="center", color=INK)


def _title(axes: "Axes", said: str) -> None:
    axes.set_title(said, fontsize=26, fontweight="bold", loc="left", color=INK, pad=14)


def _empty(axes: "Axes", legend: Legend) -> None:
    axes.axis("off")
    axes.text(0, 0.9, legend.nothing, fontsize=22, va="top", transform=axes.transAxes, color=INK)
