"""Every figure with whatever people write into labels and titles, of one level to ten, of 9 patients to 60.

No two texts overlap, none is cut by the figure's edge, and none is smaller than 8 points: measured as they are drawn.
"""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from fontTools.ttLib import TTFont
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

import escalate as esc
from escalate.cli import main
from escalate.errors import EscalateError
from escalate.plots import plot_decision_table, plot_timeline, sheet, style, texts
from escalate.studies.study import make_study
from small import small
from test_plots_rules import overlaps

pytestmark = pytest.mark.filterwarnings("ignore:the figures' font lacks")  # said once, of whatever comes first

Draw = Callable[..., Axes]

LABELS = (
    "0.5 × 10^6 CAR-positive viable T cells per kg body weight, day 0 of the second process",
    r"Cost ($$) a_b^c \frac{x} & <b> % # ~ {",
    "1×10⁶ \N{CJK UNIFIED IDEOGRAPH-7EC6}\N{CJK UNIFIED IDEOGRAPH-80DE}/kg \N{DNA DOUBLE HELIX}",
    "W" * 64,
    "a label\nof two lines",
    "\N{CJK UNIFIED IDEOGRAPH-7EC6}" * 40,
)
TITLE = "Cost-capped ($$) study_of \N{CJK UNIFIED IDEOGRAPH-7EC6} & drug X, a " + "very " * 20 + "long title"


def scenario(levels: int, patients: int, cohort: int) -> esc.Scenario:
    return small(
        trial__title=TITLE,
        dose_levels=[{"label": f"{LABELS[k % len(LABELS)]} #{k + 1}"} for k in range(levels)],
        toxicity__dlt_probability=[min(0.05 + 0.06 * k, 0.6) for k in range(levels)],
        trial__planned_patients=patients,
        trial__planned_completion_date=date(2026, 3, 1),
        safety__cohort_size=cohort,
        accrual__consent_days=list(range(0, 40 * patients, 7)),
        accrual__patience_days=60,
        screening__days=7,
        screening__failure_probability={"age": 0.2},
        follow_up__days=60,
        rule={"name": "BOIN", "target": 0.25},
    )


@cache
def figures(levels: int, patients: int, cohort: int) -> dict[str, Draw]:
    """Return what draws each figure of a scenario."""
    of = scenario(levels, patients, cohort)
    trial, found = esc.simulate_trial(of, seed=2), esc.characteristics(esc.simulate(of, trials=15))
    ranges = {"follow_up.days": [28, 90], "screening.failure_probability": [{"age": 0.1}, {"age": 0.5}]}
    sensitivity = esc.sensitivity(of.replace({"ranges": ranges}), trials=10)
    grid = {"trial.title": list(LABELS[:4]), "follow_up.days": [28, 90]}
    sweep, accrual = esc.sweep(make_study(of, grid, trials=3)), esc.accrual(of, trials=5)
    rules = [{"name": "3+3", "label": LABELS[0]}, {"name": "BOIN", "label": LABELS[2]}, {"name": "i3+3"}]
    truths = [
        {"label": label, "dlt_probability": [min(p + 0.05 * k, 0.9) for k in range(levels)]}
        for label, p in ((LABELS[3], 0.1), (LABELS[1], 0.3))
    ]
    compared = esc.compare(of, rules, truths, target=0.25, trials=4, enumerate_exactly=False)
    three = of.replace({"rule": {"name": "3+3"}, "trial.planned_patients": min(patients, 9)})
    paths, doses = esc.dose_paths(three), [level.label for level in three.dose_levels]
    return {
        "timeline": lambda **how: plot_timeline(trial, **how),
        "staircase": lambda **how: esc.plot_staircase(trial, **how),
        "durations": lambda **how: esc.plot_durations(found, **how),
        "where time goes": lambda **how: esc.plot_where_time_goes({LABELS[0]: found, LABELS[2]: found}, **how),
        "selection": lambda **how: esc.plot_selection(found, **how),
        "accrual fan": lambda **how: esc.plot_accrual_fan(accrual, **how),
        "tornado": lambda **how: esc.plot_tornado(sensitivity, **how),
        "tornado of a dose": lambda **how: esc.plot_tornado(sensitivity, measure="recommended", **how),
        "sweep": lambda **how: esc.plot_sweep(sweep, **how),
        "sweep, turned": lambda **how: esc.plot_sweep(sweep, x="follow_up.days", hue="trial.title", **how),
        "comparison": lambda **how: esc.plot_comparison(compared, **how),
        "decision table": lambda **how: plot_decision_table(esc.decision_table(of), **how),
        "dose paths": lambda **how: esc.plot_dose_paths(paths, doses=doses, **how),
    }


def seen(ax: Axes) -> Iterator[Text]:
    """Yield every text of an Axes that is drawn: found among all its artists, ticks beyond the axes aside."""
    beyond: set[Text] = set()
    for axis, ends in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
        for tick, place in zip(axis.get_major_ticks(), axis.get_majorticklocs(), strict=False):
            if not ends[0] <= place <= ends[1]:
                beyond |= {tick.label1, tick.label2}
        kept = len(axis.get_majorticklocs())
        beyond |= {label for tick in axis.get_major_ticks()[kept:] for label in (tick.label1, tick.label2)}
        beyond |= {tick.label2 for tick in axis.get_major_ticks()}
    for text in ax.findobj(Text):
        assert isinstance(text, Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond:
            yield text


def wrong(figure: Any) -> list[Any]:
    """Return texts of a figure that overlap or are cut."""
    figure.draw_without_rendering()
    dot = figure.dpi / 72
    boxes = [(text.get_text(), text.get_window_extent()) for ax in figure.axes for text in seen(ax)]
    room = figure.bbox.padded(0.5 * dot)
    cut = [t for t, b in boxes if not (room.x0 <= b.x0 and b.x1 <= room.x1 and room.y0 <= b.y0 and b.y1 <= room.y1)]
    return [*cut, *overlaps(boxes, 0.5 * dot)]


def drawn_well(draw: Draw, size: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the figure")  # too large for its page, or letters without a font
        ax = draw(size=size)
        figure = ax.get_figure(root=True)
        assert figure is not None
        assert wrong(figure) == []
        assert min(text.get_fontsize() for text in seen(ax)) >= 8


FEW = [((1, 9, 1), "screen"), ((2, 12, 3), "a4"), ((10, 60, 3), "screen")]
CORNERS = [("timeline", (1, 24, 1), "a4")]
"""What of the wider grid once overlapped: the planned completion in the middle of a narrow figure."""
KINDS = [
    "timeline", "staircase", "durations", "where time goes", "selection", "accrual fan", "tornado", "tornado of a dose",
    "sweep", "sweep, turned", "comparison", "decision table", "dose paths",
]  # fmt: skip


@pytest.mark.parametrize(("of", "size"), FEW, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_overlaps_another_one_or_is_cut(of: tuple[int, int, int], size: str, kind: str) -> None:
    drawn_well(figures(*of)[kind], size)


@pytest.mark.parametrize(("kind", "of", "size"), CORNERS, ids=str)
def test_corners_of_the_wider_grid(kind: str, of: tuple[int, int, int], size: str) -> None:
    drawn_well(figures(*of)[kind], size)


def test_every_figure_is_here() -> None:
    assert list(figures(1, 9, 1)) == KINDS
    named = {name.removeprefix("plot_").replace("_", " ") for name in esc.__all__ if name.startswith("plot_")}
    assert named <= set(KINDS)


@pytest.mark.long
@pytest.mark.parametrize("size", ["screen", "a4", "slide"])
@pytest.mark.parametrize("cohort", [1, 3, 6])
@pytest.mark.parametrize("patients", [9, 24, 60])
@pytest.mark.parametrize("levels", [1, 2, 4, 6, 10])
def test_a_wider_grid(levels: int, patients: int, cohort: int, size: str) -> None:
    for draw in figures(levels, patients, cohort).values():
        drawn_well(draw, size)


# On somebody's Axes


@pytest.mark.parametrize("inches", [(3.3, 3.0), (3.3, 6.0), (4.0, 1.2)], ids=str)
def test_labels_of_ticks_that_overlap_are_refused(inches: tuple[float, float]) -> None:
    """In a place too narrow for percentages or too low for dose levels; what it needs is said."""
    figure = Figure(figsize=inches)
    FigureCanvasAgg(figure)
    with pytest.raises(esc.EscalateError, match=r"does not fit into .*(overlaps|no room).* there is room"):
        figures(2, 12, 3)["selection"](ax=figure.subplots(), title=False, legend=False)


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_in_a_grid_of_two_by_two_no_text_overlaps_another_one(layout: Any) -> None:
    """Also across the cells, whatever Matplotlib's own layout does; heading and legend can be left out."""
    here, kinds = figures(2, 12, 3), ("timeline", "selection", "durations", "decision table")
    figure = Figure(figsize=(22, 19), layout=layout)
    FigureCanvasAgg(figure)
    for ax, kind in zip(figure.subplots(2, 2).flat, kinds, strict=True):
        assert here[kind](ax=ax) is ax
    assert wrong(figure) == [] and len(figure.axes) == 4


def test_in_a_grid_of_one_by_two_heading_and_legend_can_be_left_out() -> None:
    here = figures(2, 12, 3)
    for kinds in (("timeline", "staircase"), ("tornado", "sweep"), ("accrual fan", "where time goes")):
        figure = Figure(figsize=(19, 8))
        FigureCanvasAgg(figure)
        for ax, kind in zip(figure.subplots(1, 2), kinds, strict=True):
            here[kind](ax=ax, title=False, legend=False)
            assert ax.get_legend() is None and not ax.get_title(loc="left")
            assert not any("simulated trial" in text.get_text() for text in seen(ax))
        assert wrong(figure) == []


@pytest.mark.parametrize("kind", ["timeline", "staircase", "where time goes", "comparison", "dose paths"])
def test_axes_that_are_too_small_are_refused_with_the_size_that_is_needed(kind: str) -> None:
    draw, figure = figures(2, 12, 3)[kind], Figure(figsize=(6, 3))
    ax = figure.subplots(1, 2)[0]
    with pytest.raises(EscalateError, match=r"ax: the figure does not fit into 3\.1 x 3\.0 inches") as told:
        draw(ax=ax)
    assert not ax.texts and not ax.lines and not ax.patches and ax.get_legend() is None, "nothing is left on it"
    size = re.search(r"in (\d+\.\d) x (\d+\.\d) inches there is room", str(told.value))
    assert size is not None
    enough = Figure(figsize=(2 * float(size[1]) + 0.2, float(size[2]) + 0.2))
    draw(ax=enough.subplots(1, 2)[0])


# Sizes and files


def test_the_page_decides_the_width() -> None:
    draw = figures(2, 12, 3)["durations"]
    width = {size: draw(size=size).get_figure(root=True).get_figwidth() for size in ("screen", "a4", "slide")}  # type: ignore[union-attr]
    assert width["a4"] == 6.3 < width["screen"] and width["slide"] == 10.0
    with sheet.figures_for("a4"):
        assert draw().get_figure(root=True).get_figwidth() == 6.3  # type: ignore[union-attr]
    with pytest.raises(EscalateError, match="size: a figure is for a4, slide, screen, not for 'A4'"):
        draw(size="A4")


def test_a_figure_that_is_larger_than_its_page_says_so() -> None:
    with pytest.warns(UserWarning, match=r"the figure \(comparison\) is .* and an A4 page holds 6\.3 x 9\.7: printed"):
        figures(10, 60, 3)["comparison"](size="a4")


def test_the_command_draws_for_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["trial", "nct06337474", "--for", "a4", "--out", "page"]) == 0
    png = (tmp_path / "page/timeline.png").read_bytes()
    assert int.from_bytes(png[16:20], "big") == round(6.3 * 320)
    assert (tmp_path / "page/timeline.pdf").exists()
    with pytest.raises(SystemExit):
        main(["trial", "nct06337474", "--for", "A5"])


def test_texts_stay_texts_in_files() -> None:
    ax = figures(2, 12, 3)["selection"](size="a4")
    root = ElementTree.fromstring(style.image(ax, "svg"))
    written = " ".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
    for text in seen(ax):
        assert all(word in written for word in text.get_text().split()), text.get_text()
    pdf = style.image(ax, "pdf")
    assert b"/CIDFontType2" in pdf and b"/Type3" not in pdf, "fonts of outlines, that can be searched"
    assert style.image(figures(2, 12, 3)["selection"](size="a4"), "pdf") == pdf


# Letters


HAN = "\N{CJK UNIFIED IDEOGRAPH-7EC6}\N{CJK UNIFIED IDEOGRAPH-80DE}"


@pytest.fixture
def han_font(tmp_path: Path) -> Iterator[str]:
    """Install a font named like one that people have, with two letters: they look like an M."""
    font = TTFont(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf")
    for table in font["cmap"].tables:
        table.cmap = {ord(letter): "M" for letter in HAN}
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = "Noto Sans CJK SC"
    font.save(tmp_path / "han.ttf")
    before = list(fontManager.ttflist)
    fontManager.addfont(tmp_path / "han.ttf")
    yield "Noto Sans CJK SC"
    fontManager.ttflist[:] = before
    fontManager._findfont_cached.cache_clear()
    texts._has.cache_clear()
    texts._width.cache_clear()


@pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
def test_a_font_of_this_machine_is_found(
    han_font: str, given: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Titles, labels and ticks all have it, and nothing is said, though it has no bold letters."""
    monkeypatch.setattr(texts, "_fonts", lambda: {han_font: fontManager.findfont(han_font)})
    labels = [{"label": f"{HAN} 1"}, {"label": f"{HAN} 2"}]
    trial = esc.simulate_trial(small(dose_levels=labels, trial__title=HAN, accrual__consent_days=[0, 0, 0]), seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for plot in (esc.plot_staircase, plot_timeline):
            ax = plot(trial, ax=Figure(figsize=(14, 8)).subplots() if given else None)
            for text in seen(ax):
                if HAN in text.get_text():
                    assert han_font in text.get_fontfamily(), text.get_text()
            assert any(HAN in text.get_text() for text in seen(ax))
            style.image(ax, "png")
    assert not caplog.records


def test_without_a_font_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "UNDRAWN", set())
    monkeypatch.setattr(texts, "_fonts", dict)
    trial = esc.simulate_trial(small(trial__title=f"{HAN} \N{DNA DOUBLE HELIX}", accrual__consent_days=[0]), seed=1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(2):
            ax = plot_timeline(trial)
            style.image(ax, "png")
            ax.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    [line] = [str(one.message) for one in told]
    assert HAN[0] in line and "install Noto Sans CJK (Debian, Ubuntu: fonts-noto-cjk) and Symbola" in line


# Words


def test_titles_say_what_was_found() -> None:
    here = figures(2, 12, 3)
    titles = {kind: " ".join(draw().get_title(loc="left").split()) for kind, draw in islice(here.items(), 11)}
    assert re.match(
        r"Follow-up \[days\] matters most for the mean duration: [\d.]+ days to [\d.]+ days", titles["tornado"]
    )
    assert re.match(r"P\(finished by the planned completion date\): (from .* to |100% at every)", titles["sweep"])
    assert re.match(r"The MTD is recommended (most often by|in \d+% )", titles["comparison"])
    for kind in ("tornado", "sweep"):
        ax = here[kind]()
        words = [ax.get_xlabel(), ax.get_ylabel(), *(label.get_text() for label in ax.get_yticklabels())]
        assert not any(re.search(r"\w+\.\w+_|\w_\w", word) for word in words), "words, not keys"


def test_nothing_is_loaded_that_shows_figures() -> None:
    code = "import sys, escalate.plots; sys.exit(bool({'IPython', 'matplotlib.pyplot'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
