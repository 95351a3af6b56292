"""`escalate compare`: compare rules under several truths, or several scenarios, on the same patients."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..words.defaults import TRIALS
from .arguments import (
    Verbs,
    add_allow_python,
    add_out,
    add_set,
    add_trials,
    add_workers,
    crew_of,
    name_of,
    new_verb,
    result_folder,
    say,
    scenario_of,
)
from .shards import add_shards, did_some, is_divided, parts_beside, say_parts_are_done, travels

if TYPE_CHECKING:
    from ..files import FileRead
    from ..studies.parts import Work


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = new_verb(verbs, "compare", run, "compare rules under several truths, or scenarios, on the same patients")
    words = "scenario file (.toml), resolved.json of an earlier run, or name of a scenario that comes with escalate"
    more = "; several are compared with each other, differences are to the first"
    parser.add_argument("scenario", nargs="+", metavar="SCENARIO", help=words + more)
    add_set(parser)
    add_allow_python(parser)
    rule = (
        'a rule, as in BOIN or "CRM prior_mtd_level=2 limits.coherence=last_cohort"; the name alone of the '
        "scenario's own rule takes its settings; differences are to the first"
    )
    truth = 'P(DLT) at each level, as in "0.05 0.12"'
    target = "target P(DLT) of every rule that needs one and names none; it also says which level is the MTD of a truth"
    variant = (
        "the first scenario with other values, compared with it, as in "
        '"slow: accrual.consents_per_month=0.5 screening.days=21"; give one for each'
    )
    parser.add_argument("--variant", action="append", default=[], metavar="LABEL: KEY=VALUE", help=variant)
    parser.add_argument("--rule", action="append", default=[], metavar="RULE", help=f"{rule}; give one for each")
    parser.add_argument("--truth", action="append", default=[], metavar="P", help=f"{truth}; give one for each")
    parser.add_argument("--target", type=float, metavar="P", help=target)
    parser.add_argument("--rules", metavar="FILE", help="file (.toml) with target, [[rules]] and [[truths]]")
    add_trials(parser, TRIALS, "trials of each")
    parser.add_argument("--no-exact", action="store_true", help="compute no exact values of rules")
    add_workers(parser)
    add_out(parser, "results/<scenario>-compared, with a number if that exists")
    add_shards(parser)


def run(arguments: argparse.Namespace) -> None:
    """Do it."""
    if arguments.variant or len(arguments.scenario) > 1:
        _run_scenarios(arguments)
    else:
        arguments.scenario = arguments.scenario[0]
        _run_rules(arguments)


def _run_scenarios(arguments: argparse.Namespace) -> None:
    """Compare scenarios: those of several files, and variants of the first."""
    from ..errors import CallError
    from ..scenario.variants import read_scenarios
    from ..studies.comparison import compare, scenarios_work

    given = ("rule", "truth", "target", "rules")
    alone = [f"--{name}" for name in given if getattr(arguments, name) not in (None, [])]
    if alone:
        raise CallError(
            f"{' and '.join(alone)}: rules and truths are compared within one scenario; where scenarios are compared, "
            'each has its own: --variant "BOIN: rule=BOIN rule.target=0.25"'
        )
    scenarios, reads = read_scenarios(arguments.scenario, arguments.settings, arguments.variant, arguments.allow_python)
    how = {"trials": arguments.trials, "seed": arguments.seed}

    def write(*found: Any, **more: Any) -> None:
        from ..export import write_variants

        write_variants(*found, **more)

    plan = partial(scenarios_work, scenarios, **how)
    _found(arguments, plan, partial(compare, scenarios, **how), write, reads, "scenarios")


def _run_rules(arguments: argparse.Namespace) -> None:
    """Compare rules under truths."""
    from ..scenario.comparison_file import read_asked
    from ..scenario.texts import read_once
    from ..studies.comparison import compare, comparison_work

    scenario, read = scenario_of(arguments)
    inputs = [read, *([read_once(Path(arguments.rules))] if arguments.rules is not None else [])]
    asked = read_asked(
        arguments.rule,
        arguments.truth,
        *inputs[1:],
        target=arguments.target,
        allow_python=arguments.allow_python,
    )
    given = (scenario, asked.rules or None, asked.truths or None)
    how = {
        "target": asked.target,
        "trials": arguments.trials,
        "seed": arguments.seed,
        "enumerate_exactly": not arguments.no_exact,
    }

    def write(*found: Any, **more: Any) -> None:
        from ..export import write_comparison

        write_comparison(*found, **more)

    plan = partial(comparison_work, *given, **how, progress=True)
    _found(arguments, plan, partial(compare, *given, **how), write, inputs, "comparison")


def _found(
    arguments: argparse.Namespace,
    plan: Callable[..., Work[Any, Any, Any]],
    at_one_go: Callable[..., Any],
    write: Callable[..., None],
    inputs: Sequence[FileRead],
    tables: str,
) -> None:
    """Do a shard of a comparison; or compare, or put together what shards did, and say and write what was found."""
    from ..studies.parts import merged, steady

    folder = parts_beside(arguments) if is_divided(arguments) else None
    if folder is not None:
        work = plan(travel=travels(arguments), cut=steady)
        if did_some(arguments, work, folder):
            return
    from ..report import summary  # not before a shard is done, which needs nothing that is read

    with result_folder(arguments, f"{name_of(inputs[0])}-compared") as out:
        if folder is not None:
            found = merged(work, folder, arguments.shards)
        else:
            with crew_of(arguments) as executor:
                found = at_one_go(progress=True, executor=executor)
        if out is None:
            say(summary(found))
        else:
            write(found, out, xlsx=arguments.xlsx, inputs=inputs, tell=lambda: say(summary(found)))
            say(f"\nWritten to {out.path}: summary, tables ({tables}.html, .md, .csv), figure, every scenario.")
            say_parts_are_done(folder)
