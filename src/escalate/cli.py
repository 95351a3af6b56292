"""The command line: a thin reader of the Python interface.

Exit status 0: fine. 1: the work failed. 2: bad input, said in plain lines, with nothing written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from . import __version__

MOST = 10**15
"""Largest seed, number of trials or replicate."""

Run = Callable[[argparse.Namespace], None]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process where they are not given.

    Returns
    -------
    int
        Exit status.
    """
    arguments = _parser().parse_args(argv)
    from .errors import EscalateError

    try:
        arguments.run(arguments)
    except EscalateError as error:
        if arguments.debug:
            raise
        print("\n".join(f"escalate: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print(f"escalate: interrupted; {arguments.interrupted}", file=sys.stderr)
        return 1
    except Exception as error:
        if arguments.debug:
            raise
        print(f"escalate: failed: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="escalate",
        description="Dose-escalation trials on a real calendar: which dose, how safely, and when everything happens.",
        epilog="A simulation is no medical advice: what comes out rests on the scenario's assumptions.",
    )
    parser.add_argument("--version", action="version", version=f"escalate {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    verbs = parser.add_subparsers(title="verbs", dest="verb", required=True, metavar="VERB")
    _add_run(verbs)
    _add_sweep(verbs)
    _add_sensitivity(verbs)
    _add_trial(verbs)
    _add_compare(verbs)
    _add_exact(verbs)
    _add_table(verbs)
    _add_rules(verbs)
    _add_check(verbs)
    _add_init(verbs)
    _add_schema(verbs)
    return parser


def _verb(verbs: Verbs, name: str, run: Run, words: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run, interrupted="nothing was written")
    return parser


def _add_run(verbs: Verbs) -> None:
    parser = _verb(verbs, "run", _run, "simulate a scenario many times: operating characteristics, dates, figures")
    _add_scenario(parser)
    parser.add_argument("--trials", type=_at_least(1), default=10_000, metavar="N", help="trials (default 10000)")
    parser.add_argument("--seed", type=_at_least(0), default=1, metavar="S", help="seed (default 1)")
    _add_workers(parser)
    _add_out(parser, "results/<scenario>, with a number if that exists")


def _add_sweep(verbs: Verbs) -> None:
    parser = _verb(verbs, "sweep", _sweep, "simulate a scenario at every point of a grid; what is interrupted goes on")
    parser.add_argument("study", help="study file (.toml): a scenario, and a grid over its keys")
    parser.add_argument("--out", metavar="DIR", help="folder, begun or gone on with (default: results/<study>)")
    parser.add_argument("--x", metavar="KEY", help="x axis of the figure (default: the first)")
    parser.add_argument("--hue", metavar="KEY", help="second axis of the figure (default: the next)")
    parser.add_argument("--measure", metavar="NAME", help="what the figure shows: see column measure of sweep.csv")
    parser.add_argument("--level", metavar="L", help="its dose level, from 1, where it has levels")
    _add_workers(parser)
    _add_allow_python(parser)
    parser.set_defaults(interrupted="what is done is kept, and the same command goes on from there")


def _add_sensitivity(verbs: Verbs) -> None:
    parser = _verb(verbs, "sensitivity", _sensitivity, "say which assumption matters most, going through their ranges")
    _add_scenario(parser)
    parser.add_argument("--trials", type=_at_least(1), default=2000, metavar="N", help="trials (default 2000)")
    parser.add_argument("--seed", type=_at_least(0), default=1, metavar="S", help="seed (default 1)")
    _add_workers(parser)
    _add_out(parser, "results/<scenario>-sensitivity, with a number if that exists")


def _add_trial(verbs: Verbs) -> None:
    parser = _verb(verbs, "trial", _trial, "tell one simulated trial day by day, and draw its timeline")
    _add_scenario(parser)
    parser.add_argument("--replicate", type=_at_least(0), default=0, metavar="K", help="which trial (default 0)")
    parser.add_argument("--seed", type=_at_least(0), default=1, metavar="S", help="seed (default 1)")
    _add_out(parser, "results/<scenario>-trial-<K>, with a number if that exists")


def _add_compare(verbs: Verbs) -> None:
    parser = _verb(verbs, "compare", _compare, "compare rules under several truths, on the same patients")
    _add_scenario(parser)
    rule = 'a rule, as in BOIN or "CRM prior_mtd_level=2 limits.coherence=last_cohort"; differences are to the first'
    truth = 'P(DLT) at each level, as in "0.05 0.12"'
    target = "target P(DLT) of every rule that needs one and names none; it also says which level is the MTD of a truth"
    parser.add_argument("--rule", action="append", default=[], metavar="RULE", help=f"{rule}; give one for each")
    parser.add_argument("--truth", action="append", default=[], metavar="P", help=f"{truth}; give one for each")
    parser.add_argument("--target", type=float, metavar="P", help=target)
    parser.add_argument("--rules", metavar="FILE", help="file (.toml) with target, [[rules]] and [[truths]]")
    parser.add_argument("--trials", type=_at_least(1), default=10_000, metavar="N", help="of each (default 10000)")
    parser.add_argument("--seed", type=_at_least(0), default=1, metavar="S", help="seed (default 1)")
    parser.add_argument("--no-exact", action="store_true", help="compute no exact values")
    _add_workers(parser)
    _add_out(parser, "results/<scenario>-compared, with a number if that exists")


def _add_exact(verbs: Verbs) -> None:
    parser = _verb(verbs, "exact", _exact, "compute exact operating characteristics and dose paths, without simulating")
    _add_scenario(parser)
    parser.add_argument("--csv", metavar="FILE", help="write every dose path with its probability")
    parser.add_argument("--out", metavar="DIR", help="write summary, characteristics, dose paths and their tree")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE or the folder of an earlier result")


def _add_table(verbs: Verbs) -> None:
    parser = _verb(verbs, "table", _table, "print the decision table of a scenario's rule, for the protocol")
    _add_scenario(parser)
    parser.add_argument("--patients", type=_at_least(1), metavar="N", help="most patients at the level (default 12)")
    parser.add_argument("--after", default="", metavar="PATH", help='the trial so far, as in "1NNN 2NNT"')
    parser.add_argument("--cohorts", type=_at_least(1), metavar="N", help="next doses for so many cohorts ahead")
    parser.add_argument("--out", metavar="DIR", help="write it as text, CSV, Markdown, HTML, PNG and SVG")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder of an earlier table")


def _add_rules(verbs: Verbs) -> None:
    parser = _verb(verbs, "rules", _rules, "list the escalation rules, or the options of one")
    parser.add_argument("rule", nargs="?", help="name of a rule, as scenario files write it")


def _add_check(verbs: Verbs) -> None:
    parser = _verb(verbs, "check", _check, "check a scenario, and list its assumptions with their sources")
    _add_scenario(parser)


def _add_init(verbs: Verbs) -> None:
    parser = _verb(verbs, "init", _init, "draft a scenario from a registry record (ClinicalTrials.gov API v2, JSON)")
    parser.add_argument("record", help="the record's file (.json)")
    parser.add_argument("--out", metavar="FILE", help="file to write (default: standard output)")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def _add_schema(verbs: Verbs) -> None:
    _verb(verbs, "schema", _schema, "print the JSON Schema of scenario files, for editors")


def _add_scenario(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help="scenario file (.toml), or resolved.json of an earlier run")
    _add_allow_python(parser)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=_at_least(1), metavar="N", help="worker processes (default: this one alone)")
    parser.add_argument("--dask", metavar="ADDRESS", help="workers of a Dask cluster, by the address of its scheduler")


def _add_allow_python(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-python",
        action="store_true",
        help="run the Python file that the scenario's rule names",
    )


def _add_out(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--out", metavar="DIR", help=f"folder of results (default: {default})")
    parser.add_argument("--overwrite", action="store_true", help="replace the folder of an earlier run")
    parser.add_argument("--no-files", action="store_true", help="print only, write nothing")


def _at_least(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        if value > MOST:
            raise argparse.ArgumentTypeError(f"{value} is more than {MOST}")
        return value

    return convert


def _folder(arguments: argparse.Namespace, name: str) -> Path | None:
    """Return where the results go: the folder that was asked for, or one that is free."""
    from .files import check_free, free_folder

    if arguments.no_files:
        return None
    if arguments.out is None:
        return free_folder(Path("results") / name)
    check_free(Path(arguments.out), arguments.overwrite)
    return Path(arguments.out)


def _run(arguments: argparse.Namespace) -> None:
    from .export import run
    from .report import summary
    from .scenario import load
    from .studies.workers import workers

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    out = _folder(arguments, Path(arguments.scenario).stem)
    with workers(arguments.workers, arguments.dask) as executor:
        found = run(
            scenario,
            out,
            trials=arguments.trials,
            seed=arguments.seed,
            overwrite=arguments.overwrite,
            progress=True,
            executor=executor,
            source=arguments.scenario,
        )
    print(summary(found))
    if out is not None:
        print(f"\nWritten to {out}: summary, characteristics, figures, every trial, and trial 0 with its timeline.")


def _sweep(arguments: argparse.Namespace) -> None:
    from .export import write_sweep_figure
    from .report import summary
    from .studies.study import read_study
    from .studies.sweeps import sweep
    from .studies.workers import workers

    study = read_study(arguments.study, allow_python=arguments.allow_python)
    study.pair(arguments.x, arguments.hue)
    out = Path(arguments.out or Path("results") / Path(arguments.study).stem)
    with workers(arguments.workers, arguments.dask) as executor:
        found = sweep(study, out, executor=executor, progress=True)
    level = int(arguments.level) if (arguments.level or "").isdigit() else arguments.level
    write_sweep_figure(found, out, x=arguments.x, hue=arguments.hue, measure=arguments.measure, level=level)
    print(summary(found))
    print(f"\nWritten to {out}: sweep.csv, every estimate at every point; sweep.png and .svg.")


def _sensitivity(arguments: argparse.Namespace) -> None:
    from .export import write_sensitivity
    from .report import summary
    from .scenario import load
    from .studies.sensitivities import sensitivity
    from .studies.workers import workers

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    out = _folder(arguments, f"{Path(arguments.scenario).stem}-sensitivity")
    with workers(arguments.workers, arguments.dask) as executor:
        found = sensitivity(scenario, trials=arguments.trials, seed=arguments.seed, executor=executor, progress=True)
    if out is not None:
        write_sensitivity(found, out, overwrite=arguments.overwrite)
    print(summary(found))
    if out is not None:
        print(f"\nWritten to {out}: sensitivity.csv, and a tornado for each measure.")


def _trial(arguments: argparse.Namespace) -> None:
    from .export import write_trial
    from .report.narrative import story
    from .scenario import load
    from .trial.conduct import simulate_trial

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    out = _folder(arguments, f"{Path(arguments.scenario).stem}-trial-{arguments.replicate}")
    trial = simulate_trial(scenario, seed=arguments.seed, replicate=arguments.replicate)
    if out is not None:
        write_trial(trial, scenario, out, overwrite=arguments.overwrite)
    print(story(trial))
    if out is not None:
        print(f"\nWritten to {out}: records, story, timeline.png, staircase.png.")


def _compare(arguments: argparse.Namespace) -> None:
    from .export import write_comparison
    from .report import summary
    from .scenario import load
    from .scenario.comparison_file import read_asked
    from .studies.comparison import compare
    from .studies.workers import workers

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    asked = read_asked(
        arguments.rule,
        arguments.truth,
        arguments.rules,
        target=arguments.target,
        allow_python=arguments.allow_python,
    )
    out = _folder(arguments, f"{Path(arguments.scenario).stem}-compared")
    with workers(arguments.workers, arguments.dask) as executor:
        found = compare(
            scenario,
            asked.rules or None,
            asked.truths or None,
            target=asked.target,
            trials=arguments.trials,
            seed=arguments.seed,
            enumerate_exactly=not arguments.no_exact,
            progress=True,
            executor=executor,
        )
    if out is not None:
        sources = [file for file in (arguments.scenario, arguments.rules) if file is not None]
        write_comparison(found, out, overwrite=arguments.overwrite, sources=sources)
    print(summary(found))
    if out is not None:
        print(f"\nWritten to {out}: summary, comparison.csv, comparison.png, and every scenario compared.")


def _exact(arguments: argparse.Namespace) -> None:
    from .errors import NotCoveredError
    from .exactly.enumeration import exact
    from .exactly.paths import dose_paths
    from .export import write_exact
    from .files import check_free, write_text
    from .report import exact_summary, paths_csv
    from .scenario import load

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    if arguments.out is not None:
        check_free(Path(arguments.out), arguments.overwrite)
    found = exact(scenario)
    try:
        paths = dose_paths(scenario)
    except NotCoveredError:
        if arguments.csv is not None:
            raise
        paths = []
    if arguments.csv is not None:
        write_text(Path(arguments.csv), paths_csv(paths), arguments.overwrite)
    if arguments.out is not None:
        write_exact(found, paths, arguments.out, overwrite=arguments.overwrite)
    print(exact_summary(found, paths))


def _table(arguments: argparse.Namespace) -> None:
    from .export import write_table
    from .files import check_free
    from .protocol_tables import decision_table
    from .scenario import load

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    if arguments.out is not None:
        check_free(Path(arguments.out), arguments.overwrite)
    table = decision_table(scenario, arguments.patients, after=arguments.after, cohorts=arguments.cohorts)
    if arguments.out is not None:
        write_table(table, scenario, arguments.out, overwrite=arguments.overwrite)
    print(table.to_text())


def _rules(arguments: argparse.Namespace) -> None:
    from .rules.catalogue import rules_list

    print(rules_list(arguments.rule))


def _check(arguments: argparse.Namespace) -> None:
    from .committee.committee import Committee
    from .report import assumptions
    from .scenario import load

    scenario = load(arguments.scenario, allow_python=arguments.allow_python)
    Committee(scenario)  # a Python rule shows only now whether it exists, and has what goes around it
    print(f"{arguments.scenario}: a valid scenario\n")
    print(assumptions(scenario))


def _init(arguments: argparse.Namespace) -> None:
    from .files import write_text
    from .registry import draft_scenario

    draft = draft_scenario(arguments.record)
    if arguments.out is None:
        print(draft, end="")
    else:
        write_text(Path(arguments.out), draft, arguments.overwrite)
        print(f"Written to {arguments.out}; `escalate check {arguments.out}` says what it still assumes.")


def _schema(_: argparse.Namespace) -> None:
    import json

    from .scenario import Scenario

    print(json.dumps(Scenario.model_json_schema(), indent=2))


if __name__ == "__main__":
    sys.exit(main())
