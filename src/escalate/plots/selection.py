"""Which dose is recommended, and how often: beside the truth, and beside the exact values where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from ..errors import CallError, EscalateError
from ..exactly.enumeration import Exact
from ..results.answer import most_often, why_no_dose
from ..results.chance import in_percent
from ..results.estimates import Characteristics, Estimate
from ..scenario.drivers import drivers
from ..scenario.model import Scenario
from ..scenario.places import value_of
from ..scenario.rules import rule_words
from ..studies.compared import THIS, WHOLE_COHORTS
from ..studies.control import cautions_of
from ..words.asked import described
from ..words.records import NO_DOSE
from . import sheet
from .beside import TEXT, make_room
from .comparison import HATCHED, INCONCLUSIVE, NOT_HATCHED, exact_mark, exact_words, not_hatched_words
from .paths import level_colours
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BAND,
    FAINT,
    GREY,
    INK,
    caution_words,
    percent_axis,
    quiet,
    trials_words,
)
from .texts import widest, wrapped

ROW, LINE, BAR = 38.0, 11.5, 0.56
"""Heights of a row and of a line of its label [points], and of a bar [rows]."""

INTERVAL, MTD = "95% Monte Carlo interval", "MTD of the truth, or no dose where it has none"

DECIDES = (
    "dose_levels",
    "toxicity.dlt_probability",
    "rule",
    "titration",
    "limits",
    "stopping",
    "safety.cohort_size",
    "safety.start_level",
    "trial.planned_patients",
    "trial.cap_counts",
    "trial.last_cohort",
    "attrition",
)
"""What exact values depend on: it has to be the same in the simulated trial."""


@sheet.figure(Characteristics)
def plot_selection(
    found: Characteristics,
    exact: Exact | None = None,
    *,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw how often each dose is recommended, and no dose, from many simulated trials.

    The lowest bar is no dose, and hatched as far as the trial ended inconclusive; above it stand the dose levels, each
    with the P(DLT) that the scenario assumes. Thin lines are 95% Monte Carlo intervals. The MTD of the
    truth, if scenario or rule say from which P(DLT) on a dose is too toxic, stands on a darker ground.

    Parameters
    ----------
    found : Characteristics
        As `escalate.characteristics` returns them.
    exact : Exact, optional
        As `escalate.exact` returns it for the same scenario; its values are marked. They are of whole cohorts: where
        the scenario decides early, the figure says so.
    ax : Axes, optional
        Where to draw; a new figure that is tall enough where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The x axis has probabilities, the y axis dose levels from 1; no dose is at 0.

    Raises
    ------
    EscalateError
        If the exact values are those of another trial; the message says in what it differs.
    """
    scenario = found.tally.scenario
    _check_same(scenario, exact)
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax = page.ax
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.6, scenario.levels + 0.6)
    quiet(ax)
    ax.grid(visible=True, axis="x", color=FAINT, linewidth=0.5, zorder=0)
    percent_axis(ax.xaxis, "P(recommended)")
    rows = range(scenario.levels + 1)
    labels = [_label(scenario, level, min(0.33 * page.wide, 190.0)) for level in rows]
    ax.set_yticks(rows, labels)
    ax.tick_params(axis="y", pad=8)
    values = {level: found.get("recommended", level or NO_DOSE) for level in rows}
    rest = not_hatched_words({why: share.estimate for why, share in why_no_dose(found)})
    for level in rows:
        is_mtd = level == scenario.mtd_level
        ground: dict[str, Any] = {"color": FAINT if is_mtd else BAND, "label": MTD if is_mtd else "_"}
        ax.axhspan(level - 0.46, level + 0.46, zorder=0.5, gid=f"ground|{level}", **ground)
        look = {"facecolor": level_colours(scenario.levels)[level - 1], "edgecolor": GREY, "linewidth": 0.8}
        _draw_bar(ax, level, values[level], look if level else {**NOT_HATCHED, "label": rest or "_"})
    _draw_inconclusive(ax, found)
    exactly = _draw_exact(ax, exact)
    listed = (INTERVAL, *(exact_words(of) for of in (THIS, WHOLE_COHORTS)), rest, INCONCLUSIVE["label"], MTD)
    row = max(ROW, *(LINE * (label.count("\n") + 1) + 8 for label in labels))
    page.finish(most_often(found), _small_print(found), row * (scenario.levels + 1.2), listed, edge=EDGE)
    for level, estimate in values.items():
        ends = [estimate.estimate, estimate.high or 0.0, exactly.get(level, 0.0)]
        _write_number(ax, level, max(ends), in_percent(estimate), exactly.get(level))
    return ax


def _check_same(scenario: Scenario, exact: Exact | None) -> None:
    """Raise `EscalateError` if exact values are none, or those of another trial."""
    if not isinstance(exact, Exact | None):
        raise CallError(f"exact is what escalate.exact(scenario) returns, got {described(exact)}")
    one, other = scenario.resolved(), (scenario if exact is None else exact.scenario).resolved()
    differs = [key for key in DECIDES if value_of(one, key) != value_of(other, key)]
    if differs:
        raise EscalateError(
            f"exact: it is of another trial than the simulated ones, and differs in {', '.join(differs)}; "
            "give escalate.exact of the scenario that was simulated, or leave it out"
        )


def _label(scenario: Scenario, level: int, wide: float) -> str:
    """Return a row's label, at most so wide [points]: the dose level, and below it what is assumed of it."""
    if not level:
        return NO_DOSE
    dose = "\n".join(wrapped(f"level {level}: {scenario.dose_levels[level - 1].label}", wide, TEXT))
    return f"{dose}\nassumed P(DLT) {100 * scenario.toxicity.dlt_probability[level - 1]:.4g}%"


def _draw_bar(ax: Axes, level: int, estimate: Estimate, look: Mapping[str, Any]) -> None:
    ax.barh(level, estimate.estimate, height=BAR, zorder=2, gid=f"recommended|{level}", **look)
    if estimate.low is not None and estimate.high is not None:
        ax.plot([estimate.low, estimate.high], [level, level], color=INK, linewidth=1.4, solid_capstyle="butt",
                zorder=4, gid=f"interval|{level}", label=INTERVAL)  # fmt: skip


def _draw_inconclusive(ax: Axes, found: Characteristics) -> None:
    """Hatch the part of no dose that is no verdict on the doses."""
    share = found.get(HATCHED, NO_DOSE).estimate
    if share:
        ax.barh(0, share, height=BAR, zorder=3, gid="inconclusive", **INCONCLUSIVE)


def _draw_exact(ax: Axes, exact: Exact | None) -> dict[int, float]:
    """Mark the exact values; return them by level, no dose as 0."""
    if exact is None:
        return {}
    of = WHOLE_COHORTS if exact.scenario.early_decision else THIS
    values = dict(enumerate((exact.no_dose, *exact.recommended)))
    for level, value in values.items():
        look = {**exact_mark(of), "markersize": 7}
        ax.plot([value], [level], zorder=6, gid=f"exact|{level}", label=exact_words(of), clip_on=False, **look)
    return values


def _write_number(ax: Axes, level: int, right: float, words: str, exact: float | None) -> None:
    text = words + ("" if exact is None else f", exact {100 * exact:.2f}%")
    make_room(ax, right, widest([text], TEXT) + 18)
    style: dict[str, Any] = {"va": "center_baseline", "fontsize": TEXT, "color": INK, "zorder": 5}
    ax.annotate(text, (right, level), (8, 0), textcoords="offset points", **style)


def _small_print(found: Characteristics) -> list[str]:
    counted, scenario = found.tally, found.tally.scenario
    rest = [f"rule {rule_words(scenario.rule)}", f"{trials_words(counted.trials, counted.seed)}"]
    lines = [scenario.trial.title_and_id, " · ".join(rest), drivers(scenario)]
    if scenario.overdose_above is not None and scenario.toxicity.mtd_level is None:
        limit = f"{100 * scenario.overdose_above:.4g}%"
        lines.append(f"MTD of the truth: the highest level whose assumed P(DLT) is not above {limit}")
    return lines + caution_words(dict.fromkeys(cautions_of(found), ""))
