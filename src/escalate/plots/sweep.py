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
from . import style
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
    break_lines,
    caution_words,
    headline,
    new_axes,
    quiet,
)

LOOKS = ((BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"), (GREY, "X"))
"""Colour and marker of each value of the second axis."""

APART = 4.0
"""How far values of the second axis stand side by side, so that none hides another [points]."""


@style.figure
def plot_sweep(
    found: Sweep,
    *,
    x: str | None = None,
    hue: str | None = None,
    measure: str | None = None,
    level: int | str | None = None,
    at: Mapping[str, Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw an operating characteristic along one or two axes of a sweep, with 95 % Monte Carlo intervals.

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
    ax = new_axes(10.0, 5.0) if ax is None else ax
    values = found.study.values_of(x)
    places = _places(ax, values)
    hues = [None] if hue is None else found.study.values_of(hue)
    for position, value in enumerate(hues):
        points = [n for n in estimates if hue is None or found.study.points[n - 1].values[hue] == value]
        if not points:
            continue
        at_x = [places[cell_text(found.study.points[n - 1].values[x])] for n in points]
        shift = APART * (position - (len(hues) - 1) / 2)
        label = "" if hue is None else _words(value)
        _series(ax, at_x, [estimates[n] for n in points], label, LOOKS[position % len(LOOKS)], shift,
                "-" if _are_numbers(values) else ":")  # fmt: skip
    _label(ax, found, x, hue, held, measure, level, next(iter(estimates.values())))
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


def _places(ax: Axes, values: Sequence[Any]) -> dict[str, float]:
    """Return where each value stands on the x axis: numbers where they are, anything else side by side."""
    if _are_numbers(values):
        return {cell_text(value): float(value) for value in values}
    texts = [cell_text(value) for value in values]
    ax.set_xticks(range(len(texts)), [break_lines(_words(value), 18) for value in values])
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


def _words(value: Any) -> str:
    """Return a value as a reader wants it: a table by its values, the name first."""
    if isinstance(value, Mapping):
        return ", ".join(str(part) if key == "name" else f"{key} {_words(part)}" for key, part in value.items())
    return cell_text(value)


def _label(
    ax: Axes, found: Sweep, x: str, hue: str | None, held: Mapping[str, Any], measure: str, level: int | str | None,
    example: Estimate,
) -> None:  # fmt: skip
    quiet(ax)
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.5, zorder=0)
    ax.set_xlabel(x, color=INK, fontsize=9)
    probability = example.unit == "probability"
    if probability:
        ax.set_ylim(0, min(max(ax.get_ylim()[1], 1.0), 102))
    ax.set_ylabel("probability [%]" if probability else f"[{example.unit}]", color=SOFT, fontsize=9)
    if hue is not None:
        ax.legend(
            title=hue, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=9, title_fontsize=9, labelcolor=INK,
            frameon=False, alignment="left",
        )  # fmt: skip
    study = found.study
    about = study.scenario.trial
    name = measure if level is None else f"{measure}, {level if isinstance(level, str) else f'level {level}'}"
    rest = " · ".join(f"{key} = {_words(value)}" for key, value in held.items())
    small = (
        about.title_and_id,
        *([f"Held: {rest}"] if rest else []),
        f"{study.trials:,} trials at each point, of the same patients, seed {study.seed} · "
        "bars: 95 % Monte Carlo intervals" + ("" if hue is None else ", side by side so that none hides another"),
        *caution_words(found.cautions, DATES if example.group in ("time", "waits") else None),
    )
    headline(ax, f"P({name})" if probability else f"{name}" if "quantile" in name else f"Mean {name}", small)
