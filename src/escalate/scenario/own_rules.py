"""Rules of your own: a Python function of one trial's counts, registered with a decorator.

    import escalate as esc

    @esc.rule(target=0.25)
    def cautious(known):
        if known.y == 0 and known.n >= 4:
            return "escalate"
        return "de-escalate" if known.y >= 2 else "stay"

    scenario = scenario.replace({"rule": {"python": "cautious"}})

works in simulations, exact results and decision tables. The function is asked when somebody has been treated, about
the level of the last cohort: `known.n` evaluable patients there and `known.y` DLTs; `known.evaluable`, `known.dlts`,
`known.pending` and `known.followup` have every level. `known.level` counts from 1, as the protocol does, and Python's
tuples from 0: the DLTs at level 2 are `known.dlts[1]`, those at the level itself `known.dlts[known.level - 1]`, or
`known.y`. It answers "escalate", "stay", "de-escalate", the level of the next cohort from 1, "stop" (no dose) or
("stop", level recommended); a rolling rule may answer "suspend".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from typing import Any

from ..errors import CallError, near
from ..words.asked import asks, described, number

_OURS = str(Path(__file__).parents[1])
"""Where no code is a person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a rule of your own is told: one trial's counts; levels are counted from 1.

    Parameters
    ----------
    level : int
        Dose level of the last cohort, from 1; in the tuples its place is ``level - 1``.
    levels : int
        Number of dose levels.
    evaluable, dlts, pending : tuple of int
        Patients at each level, the lowest first: with an outcome, with a DLT, with an open window and no DLT.
    followup : tuple of float
        Shares of the window seen by the pending patients of each level, added up.
    """

    level: int
    levels: int
    evaluable: tuple[int, ...]
    dlts: tuple[int, ...]
    pending: tuple[int, ...]
    followup: tuple[float, ...]

    @property
    def n(self) -> int:
        """Evaluable patients at the level of the last cohort."""
        return self.evaluable[self.level - 1]

    @property
    def y(self) -> int:
        """Patients with a DLT at the level of the last cohort."""
        return self.dlts[self.level - 1]

    def __str__(self) -> str:
        counts = ", ".join(f"{y}/{n}" for y, n in zip(self.dlts, self.evaluable, strict=True))
        waiting = f", pending {', '.join(map(str, self.pending))}" if any(self.pending) else ""
        return f"at level {self.level}, with DLTs/evaluable {counts}{waiting}"


Function = Callable[[Known], Any]


@dataclass(frozen=True, slots=True)
class Registered:
    """A function with what its decorator said.

    Parameters
    ----------
    name : str
        Name of the rule.
    function : callable
        From `Known` to an answer: see `rule`.
    target : float or None
        Target DLT probability, if the rule recommends a dose when the cap is reached.
    rolling : bool
        Whether the rule is asked when a candidate is ready, with outcomes pending.
    """

    name: str
    function: Function
    target: float | None = None
    rolling: bool = False


REGISTERED: dict[str, Registered] = {}
"""Rules of this session, by the name that a scenario's ``rule = {python = NAME}`` uses."""

CODE: dict[str, bytes] = {}
"""Contents of the Python files that ran in this session, by their SHA-256."""


def registered_name(reference: str, sha256: str | None) -> str:
    """Return the name under which a function is remembered: a file's with the file's fingerprint."""
    return reference if sha256 is None else f"{reference} {sha256}"


def why_unknown(reference: str) -> str:
    """Return what is said where a rule names a function that this session does not have."""
    names = [name for name in REGISTERED if ":" not in name]
    close = near(reference, names)
    meant = f". Did you mean `{close[0]}`?" if close else f"; there are {', '.join(names)}." if names else "."
    return (
        f"no such rule is loaded{meant} Register the function with @escalate.rule in this session before, or name its "
        "file, my_rules.py:function, whose code runs only when you ask for it: give --allow-python (in Python: "
        "load(path, allow_python=True))"
    )


def raised_where(error: BaseException) -> str:
    """Return file and line of a person's own code on which it failed, in words; nothing where that is not known."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    outside = [place for place in frames if not place[0].startswith(_OURS)]
    if not outside:
        return ""
    file, line = [place for place in outside if place[0] == outside[0][0]][-1]
    return f" (line {line} of its cell)" if "ipykernel" in file or "<ipython" in file else f" ({file}, line {line})"


def has_target(reference: str, sha256: str | None) -> bool:
    """Return whether a registered function has a target DLT probability, so that it recommends from any data."""
    found = REGISTERED.get(registered_name(reference, sha256))
    return found is not None and found.target is not None


@asks()
def rule(
    function: Function | None = None, *, name: str | None = None, target: float | None = None, rolling: bool = False
) -> Any:
    """Register a function of one trial's counts as an escalation rule (a decorator).

    Parameters
    ----------
    function : callable
        From what is known (`Known`: level, levels, evaluable, dlts, pending, followup; n and y at the level, which is
        ``dlts[level - 1]``: levels count from 1, Python's tuples from 0) to "escalate", "stay", "de-escalate", the
        level of the next cohort from 1, "stop" (no dose) or ("stop", level recommended); a rolling rule may answer
        "suspend". A step up from the highest level, or down from the lowest, is no step.
    name : str, optional
        Name of the rule; the function's where it is not given.
    target : float, optional
        Target DLT probability: when the cap is reached, or a stopping rule stops, the tried level whose smoothed DLT
        rate is closest to it is recommended. Without one such a trial ends inconclusive.
    rolling : bool
        Whether the rule is asked when a candidate is ready, with outcomes pending.

    Returns
    -------
    callable
        The function itself.

    Raises
    ------
    CallError
        If the target is no number, or what is registered is no function.
    ValueError
        If the target is not in (0, 1).
    """
    target = number("target", target)
    if target is not None and not 0 < target < 1:
        raise ValueError(f"target must be inside (0, 1), got {target}")

    def register(asked: Function) -> Function:
        if not callable(asked):
            raise CallError(f"rule registers a function, got {described(asked)}; a name is given as name=...")
        own = name or str(getattr(asked, "__name__", "own"))
        REGISTERED[own] = Registered(own, asked, target, rolling)
        return asked

    return register if function is None else register(function)
