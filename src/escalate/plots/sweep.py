"""A sweep along any one or two of its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from ..errors import EscalateError
from ..results.estimates import Estimate
from ..studies.study import cell_text
from ..studies.sweeps import Sweep
from . import sheet
from .axis_words import amount, key_words, measure_name, setting, value_words
from .sheet import EDGE, Asked, Sheet, Size
from .style import (
    BLUE,
    DATES,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SOFT,
    VERMILLION,
    caution_words,
    quiet,
)
from .texts import wrapped

LOOKS = ((BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"), (GREY, "X"))
"""Colour and marker of each value of the second axis."""

BODY = 250.0
"""Height of the Axes [points]."""

APART = 4.0
"""How far values of the second axis stand side by side, so that none hides another [points]."""


@sheet.figure(Sweep)
def plot_sweep(
    found: Sweep,
    *,
    x: str | None = None,
    hue: str | None = None,
    measure: str | None = None,
    level: int | str | None = None,
    at: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
    size: Size | None = None,
    title: bool = True,
    legend: bool = True,
) -> Axes:
    """Draw an operating characteristic along one or two axes of a sweep, with 95% Monte Carlo intervals.

    Parameters
    ----------
    found : Sweep
        As `escalate.sweep` returns it.
    x : str, optional
        Key on the x axis; the study's first where it is not given.
    hue : str, optional
        Key whose values have a colour and a marker each; that of the next axis where it is not given.
    measure : str, optional
        As in `Characteristics.get`; where it is not given P(finished by the planned completion date), or the mean
        duration if no date is planned.
    level : int or str, optional
        Dose level from 1, ``"no dose"`` or ``"all"``, where the measure has levels.
    at : mapping of str to value, optional
        Where the other axes are held; at their first values where it is not given.
    ax : Axes, optional
        Where to draw; a new figure where it is left out.
    size : {"a4", "slide", "screen"}, optional
        What a figure of its own is for, which decides its width; for a screen unless `figures_for` says else.
    title, legend : bool
        Whether heading and small print, and whether the legend are drawn.

    Returns
    -------
    Axes
        What was drawn on. The y axis has the estimate [percent, or the unit of the measure].

    Raises
    ------
    EscalateError
        If there is no such key, value or measure; the message says which there are.
    """
    x, hue = found.study.pair(x, hue)
    held = _held(found, x, hue, at or {})
    chosen = [number for number, point in enumerate(found.study.points, 1) if _is_at(point.values, held)]
    measure = measure or _measure(found)
    estimates = _estimates(found, chosen, measure, level)
    page = Sheet(Asked(ax, size, title, legend), 9.5)
    ax, values = page.ax, found.study.values_of(x)
    places = _places(page, values)
    hues = [None] if hue is None else found.study.values_of(hue)
    unit = next(iter(estimates.values())).unit
    for position, value in enumerate(hues):
        points = [n for n in estimates if hue is None or found.study.points[n - 1].values[hue] == value]
        if not points:
            continue
        at_x = [places[cell_text(found.study.points[n - 1].values[x])] for n in points]
        shift = APART * (position - (len(hues) - 1) / 2)
        label = "" if hue is None else value_words(value)
        _series(ax, at_x, [estimates[n] for n in points], label, LOOKS[position % len(LOOKS)], shift,
                "-" if _are_numbers(values) else ":")  # fmt: skip
    say = found.study.scenario.say
    _label_axes(ax, key_words(x, say), say(measure_name(measure, level, unit)), unit)
    bears_on = DATES if next(iter(estimates.values())).group in ("time", "waits") else None
    small = [*_small_print(found, hue, held), *caution_words(found.cautions, bears_on)]
    order, name = [value_words(value) for value in hues], "" if hue is None else key_words(hue, say)
    page.finish(_finding(found, (x, hue), estimates), small, BODY, order if hue else (), title=name, edge=EDGE)
    return ax


def _held(found: Sweep, x: str, hue: str | None, at: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the axes that are not drawn are held."""
    held: dict[str, Any] = {}
    for key in at:
        if key not in found.study.keys or at[key] not in found.study.values_of(key):
            known = {key: found.study.values_of(key) for key in found.study.keys}
            raise EscalateError(f"the sweep has no points at {key} = {cell_text(at[key])}; it has: {known}")
    for axis in found.study.axes:
        if x in axis.keys or hue in axis.keys:
            continue
        wanted = [values for values in axis.values if _is_at(dict(zip(axis.keys, values, strict=True)), at)]
        held |= dict(zip(axis.keys, wanted[0], strict=True))
    return held


def _estimates(found: Sweep, points: Sequence[int], measure: str, level: int | str | None) -> dict[int, Estimate]:
    """Return what is drawn, by point; a day that no trial reaches at some point is missing there."""
    chosen = {
        number: estimate
        for number in points
        for estimate in found.estimates[number - 1]
        if (estimate.measure, estimate.level) == (measure, level)
    }
    if not chosen:
        raise EscalateError(
            f"there is no measure {measure!r}{'' if level is None else f' at level {level}'}; the column measure of "
            "the sweep's table has all, as duration, trial ended: 50% quantile, or recommended at level 1"
        )
    return chosen


def _is_at(values: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return all(values[key] == held[key] for key in held if key in values)


def _measure(found: Sweep) -> str:
    known = {estimate.measure for estimate in found.estimates[0]}
    finished = "finished by planned completion date"
    return finished if finished in known else "duration"


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _places(page: Sheet, values: Sequence[Any]) -> dict[str, float]:
    """Return where each value stands on the x axis: numbers where they are, anything else side by side."""
    if _are_numbers(values):
        return {cell_text(value): float(value) for value in values}
    texts = [cell_text(value) for value in values]
    ax, each = page.ax, max((page.wide - 60) / len(texts) - 8, 30.0)
    ax.set_xticks(range(len(texts)), ["\n".join(wrapped(value_words(value), each, 9)) for value in values])
    ax.set_xlim(-0.5, len(texts) - 0.5)
    return {text: float(place) for place, text in enumerate(texts)}


def _series(
    ax: Axes, x: Sequence[float], estimates: Sequence[Estimate], label: str, look: tuple[str, str], shift: float,
    line: str,
) -> None:  # fmt: skip
    figure = ax.get_figure(root=True)
    assert figure is not None
    scale = 100 if estimates[0].unit == "probability" else 1
    y = [scale * estimate.estimate for estimate in estimates]
    ends = [(e.estimate if e.low is None else e.low, e.estimate if e.high is None else e.high) for e in estimates]
    below = [max(value - scale * low, 0) for value, (low, _) in zip(y, ends, strict=True)]
    above = [max(scale * high - value, 0) for value, (_, high) in zip(y, ends, strict=True)]
    ax.errorbar(
        x, y, yerr=[below, above], label=label, color=look[0], marker=look[1], markersize=6, linewidth=1.4, capsize=3,
        elinewidth=1.0, linestyle=line,
        transform=ax.transData + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans),
    )  # fmt: skip
    corners = [(place, end) for place, b, v, a in zip(x, below, y, above, strict=True) for end in (v - b, v + a)]
    ax.update_datalim(corners)  # what is shifted by points does not move the limits by itself
    ax.autoscale_view()


def _label_axes(ax: Axes, x: str, measure: str, unit: str) -> None:
    quiet(ax)
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.5, zorder=0)
    ax.set_xlabel(x, color=INK, fontsize=9)
    if unit == "probability":
        ax.set_ylim(0, min(max(ax.get_ylim()[1], 1.0), 102))
    label = measure[0].upper() + measure[1:]
    ax.set_ylabel(f"{label} [{'%' if unit == 'probability' else unit}]", color=SOFT, fontsize=9)


def _finding(found: Sweep, keys: tuple[str, str | None], estimates: Mapping[int, Estimate]) -> str:
    """Return between what the measure lies, and where it is lowest and highest."""
    low, high = (which(estimates, key=lambda n: estimates[n].estimate) for which in (min, max))
    one = estimates[low]
    name = found.study.scenario.say(measure_name(one.measure, one.level, one.unit))
    name = name[0].upper() + name[1:]
    if one.estimate == estimates[high].estimate:
        return f"{name}: {amount(one)} at every point"
    return f"{name}: from {_at(found, keys, low, one)} to {_at(found, keys, high, estimates[high])}"


def _at(found: Sweep, keys: tuple[str, str | None], number: int, estimate: Estimate) -> str:
    values = found.study.points[number - 1].values
    where = "; ".join(setting(key, values[key], found.study.scenario.say) for key in keys if key is not None)
    return f"{amount(estimate)} ({where})"


def _small_print(found: Sweep, hue: str | None, held: Mapping[str, Any]) -> list[str]:
    study = found.study
    rest = " · ".join(setting(key, value, study.scenario.say) for key, value in held.items())
    bars = "bars: 95% Monte Carlo intervals" + ("" if hue is None else ", side by side so that none hides another")
    made = f"{study.trials:,} trials at each point, of the same patients, seed {study.seed}"
    return [study.scenario.trial.title_and_id, *([f"Held: {rest}"] if rest else []), f"{made} · {bars}"]
