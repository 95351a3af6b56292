"""Scripts that submit a job array and, when it has ended, a merge: for Slurm, LSF and Grid Engine."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class _System(NamedTuple):
    """How a scheduler is asked; `{name}` and `{shards}` are put in.

    Parameters
    ----------
    title : str
        What people call it.
    submit : str
        Submits a job that it reads, and prints its number.
    task : str
        The variable that holds a task's number, from 1.
    number_of : str
        Cuts the array's number out of what `submit` prints.
    then : str
        Lets a job wait for the array's end, however that was: a merge says what is missing.
    array, shard_log, options, merge_log : str
        What stands at the head of jobs: of the array, of both, and of the merge.
    """

    title: str
    submit: str
    task: str
    number_of: str
    then: str
    array: str
    shard_log: str
    options: str
    merge_log: str


_SYSTEMS = {
    "slurm": _System(
        title="Slurm",
        submit="sbatch --parsable",
        task="SLURM_ARRAY_TASK_ID",
        number_of="cut -d ';' -f 1",
        then='--dependency="afterany:$array"',
        array="""\
#SBATCH --job-name={name}
# A task for each shard; 1-{shards}%10 runs at most ten at one time.
#SBATCH --array=1-{shards}""",
        options="""\
# One core.
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
# Memory of one task.
#SBATCH --mem=2G
# Time of one task, hours:minutes:seconds. One that is cut off keeps the parts that it has done.
#SBATCH --time=04:00:00""",
        shard_log="#SBATCH --output={name}-%A-%a.log",
        merge_log="#SBATCH --job-name={name}-merge\n#SBATCH --output={name}-merge-%j.log",
    ),
    "lsf": _System(
        title="LSF",
        submit="bsub",
        task="LSB_JOBINDEX",
        number_of="sed -n 's/^Job <\\([0-9]*\\)>.*/\\1/p'",
        then='-w "numended($array,*)"',
        array="""\
# A task for each shard; [1-{shards}]%10 runs at most ten at one time.
#BSUB -J "{name}[1-{shards}]\"""",
        options="""\
# One core.
#BSUB -n 1
# Memory of one task, and what is reserved for it. An LSF before 10.1 knows no GB: write a number in its own unit.
#BSUB -M 2GB
#BSUB -R "rusage[mem=2GB]"
# Time of one task, hours:minutes. One that is cut off keeps the parts that it has done.
#BSUB -W 4:00""",
        shard_log="#BSUB -o {name}-%J-%I.log",
        merge_log='#BSUB -J "{name}-merge"\n#BSUB -o {name}-merge-%J.log',
    ),
    "sge": _System(
        title="Grid Engine (SGE)",
        submit="qsub -terse",
        task="SGE_TASK_ID",
        number_of="cut -d . -f 1",
        then='-hold_jid "$array"',
        array="""\
#$ -N {name}
# A task for each shard; a line with -tc 10 runs at most ten at one time.
#$ -t 1-{shards}""",
        options="""\
#$ -S /bin/sh
#$ -cwd
#$ -j y
# One core, since no parallel environment is asked for. Memory of one task.
#$ -l h_vmem=2G
# Time of one task, hours:minutes:seconds. One that is cut off keeps the parts that it has done.
#$ -l h_rt=04:00:00""",
        shard_log="#$ -o {name}.$JOB_ID.$TASK_ID.log",
        merge_log="#$ -N {name}-merge\n#$ -o {name}-merge.$JOB_ID.log",
    ),
}

SYSTEMS = tuple(_SYSTEMS)
"""Schedulers for which a script is printed."""

_SCRIPT = """\
#!/bin/sh
# Submits two jobs to {title}: an array of {shards} shards, and a merge when all of them have ended.
# Save it as a file, set memory and time, add what your cluster asks for (account, queue), and run it by sh.
# The folders below are seen by every machine, and escalate is the same on all. There are {parts} parts; a shard does
# every {nth} of them. Submitted again, it does what is missing and nothing twice; a merge says what that is.
set -eu
cd {here}

array=$({submit} <<'SHARD' | {number_of}
#!/bin/sh
{array}
{shard_log}
{options}
{threads}
exec {command} --shard "${task}/{shards}"
SHARD
)
test -n "$array"

{submit} {then} <<'MERGE'
#!/bin/sh
{merge_log}
{options}
{threads}
exec {command} --merge --shards {shards}
MERGE
"""

_THREADS = "export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
"""A task has one core."""


def job_script(system: str, words: Sequence[str], shards: int, parts: int) -> str:
    """Return a script that submits all shards of some work, and a merge.

    Parameters
    ----------
    system : str
        One of `SYSTEMS`.
    words : sequence of str
        The verb and its arguments, as they stand on a command line.
    shards : int
        How many, at least 1.
    parts : int
        Of how many parts the work is.
    """
    asked = _SYSTEMS[system]
    name = "-".join(["escalate", words[0], re.sub(r"[^A-Za-z0-9]+", "-", Path(words[1]).stem)[:40].strip("-")])
    filled = {key: text.format(name=name, shards=shards) for key, text in asked._asdict().items()}
    return _SCRIPT.format(
        **filled,
        shards=shards,
        parts=f"{parts:,}",
        nth="one" if shards == 1 else f"{shards}{_ordinal(shards)}",
        here=shlex.quote(str(Path.cwd())),
        threads=_THREADS,
        command=shlex.join([sys.executable, "-m", "escalate", *words]),
    )


def _ordinal(number: int) -> str:
    """Return what is written behind a number that counts."""
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
