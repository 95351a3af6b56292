"""`escalate sweep`: simulate a scenario at every point of a grid; what is interrupted goes on."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ..words.defaults import TRIALS_EACH
from .arguments import (
    Verbs,
    add_allow_python,
    add_set,
    add_size,
    add_workers,
    crew_of,
    figures_as_asked,
    new_verb,
    say,
)
from .shards import add_shards, did_some, is_divided, travels


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "sweep", run, "simulate a scenario at every point of a grid; what is interrupted goes on")
    words = f"study file (.toml): a scenario, a grid over its keys, trials at each point (default {TRIALS_EACH:,})"
    parser.add_argument("study", help=words)
    parser.add_argument("--out", metavar="DIR", help="folder, begun or gone on with (default: results/<study>)")
    parser.add_argument("--x", metavar="KEY", help="x axis of the figure (default: the first)")
    parser.add_argument("--hue", metavar="KEY", help="second axis of the figure (default: the next)")
    parser.add_argument("--measure", metavar="NAME", help="what the figure shows: see column measure of sweep.csv")
    parser.add_argument("--level", metavar="L", help="its dose level, from 1, where it has levels")
    add_size(parser)
    add_workers(parser)
    add_set(parser)
    add_allow_python(parser)
    add_shards(parser)
    parser.set_defaults(interrupted="what is done is kept, and the same command goes on from there")


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    from ..studies.study import read_study
    from ..studies.sweeps import merged_sweep, sweep, sweep_work

    study = read_study(arguments.study, allow_python=arguments.allow_python, settings=arguments.settings)
    study.pair(arguments.x, arguments.hue)
    out = Path(arguments.out or Path("results") / Path(arguments.study).stem)
    if is_divided(arguments):
        work = sweep_work(study, travel=travels(arguments))
        if did_some(arguments, work, out):
            return
        found = merged_sweep(work, out, arguments.shards)
    else:
        with crew_of(arguments) as executor:
            found = sweep(study, out, executor=executor, progress=True)
    from ..export import write_sweep_figure  # not before a shard is done, which needs nothing that draws
    from ..report import summary

    level = int(arguments.level) if (arguments.level or "").isdecimal() else arguments.level
    say(summary(found))
    name = _name(arguments)
    with figures_as_asked(arguments):
        write_sweep_figure(found, out, name, x=arguments.x, hue=arguments.hue, measure=arguments.measure, level=level)
    say(f"\nWritten to {out}: sweep.csv, every estimate at every point; {name}.png and .svg.")


def _name(arguments: argparse.Namespace) -> str:
    """Return what a figure is called: after what was asked of it, so that another one stands beside it."""
    asked = {"": arguments.measure, "level-": arguments.level, "x-": arguments.x, "hue-": arguments.hue}
    parts = [re.sub(r"[^\w.]+", "-", f"{before}{word}") for before, word in asked.items() if word]
    return "-".join(["sweep", *parts])[:120]
