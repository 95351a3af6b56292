"""What the public functions are given: a wrong kind, a wrong name or a wrong call is one line, with what was meant.

`asks` goes around a function of the Python interface. It looks at how the function was called before anything is done,
and takes whole numbers however they are written (``trials=1e4``).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, ParamSpec, TypeVar

from ..errors import CallError, near

P = ParamSpec("P")
R = TypeVar("R")

MADE_BY = {
    "Scenario": "load(...) reads one from a file, a name or a mapping",
    "Trials": "simulate(scenario, trials=...) makes them",
    "Tally": "simulate(scenario, trials=...) makes them",
    "Trial": "simulate_trial(scenario) makes one",
    "Characteristics": "characteristics(simulate(scenario, trials=...)) makes them",
    "Comparison": "compare(scenario, rules) makes one",
    "Variants": "compare([scenario, scenario]) makes one",
    "FolderDifference": "studies.stored.diff(folder, folder) makes one",
    "Exact": "exact(scenario) makes them",
    "Sensitivity": "sensitivity(scenario) makes one",
    "Sweep": "sweep(study, out) makes one",
    "Accrual": "accrual(scenario) makes one",
    "OfScenario": "decision_table(scenario) makes one",
}
"""What makes each kind of thing that is asked for."""

_TEXT = 60


def asks(*kinds: type, numbers: Sequence[str] = (), like: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return what goes around a public function.

    Parameters
    ----------
    *kinds : type
        What the first argument may be; anything if none is given.
    numbers : sequence of str
        Names of the arguments that are whole numbers.
    like : str
        How it is called, where a person who calls it wrongly could not know from the names alone.

    Returns
    -------
    callable
        The function, which raises `CallError` where it is called wrongly.
    """

    def around(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        first = next(iter(signature.parameters))

        @functools.wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            given = _bound(function.__name__, signature, args, kwargs, like).arguments
            if kinds and not isinstance(given[first], kinds):
                raise CallError(_wrong_kind(function.__name__, given[first], kinds))
            for name in numbers:
                if kwargs.get(name) is not None:
                    kwargs[name] = whole(name, kwargs[name])
            return function(*args, **kwargs)

        return asked

    return around


def whole(name: str, value: Any) -> int:
    """Return a whole number, however it is written.

    Raises
    ------
    CallError
        If it is none.
    """
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer():
        return int(float(value)) if isinstance(value, float) else int(str(value))
    raise CallError(f"{name} is a whole number, got {described(value)}")


def number(name: str, value: Any) -> float | None:
    """Return a number, or ``None`` where none is given.

    Raises
    ------
    CallError
        If it is something else.
    """
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, bool):
        raise CallError(f"{name} is a number, got {described(value)}")
    return float(value)


def nothing_named(measure: str, level: object, known: Iterable[tuple[str, object]], of: str = "") -> str:
    """Return what is said where there is no estimate of a measure at a level: the levels it has, or near names."""
    levels: dict[str, list[str]] = {}
    for name, at in known:
        levels.setdefault(name, []).append("no level" if at is None else repr(at))
    if measure in levels:
        told = ", ".join(dict.fromkeys(levels[measure]))
        return f"no estimate of {measure!r} at level {level!r}{of}; it has {told}"
    meant = ", ".join(map(repr, near(str(measure), levels, 3)))
    hint = f"did you mean {meant}?" if meant else "the column measure of its table has the names"
    return f"no estimate of {measure!r}{of}; {hint}"


def described(value: Any) -> str:
    """Return a value as it is told in an error: short, with its kind where that says more."""
    if isinstance(value, str):
        return f"the text {value[:_TEXT]!r}"
    text = repr(value)
    return text if len(text) <= _TEXT and not isinstance(value, type) else f"a {type(value).__name__}"


def _bound(name: str, signature: inspect.Signature, args: Any, kwargs: Any, like: str = "") -> inspect.BoundArguments:
    known = [key for key in signature.parameters if key != "self"]
    example = f", as in {like}" if like else ""
    for given in kwargs:
        if given not in known:
            meant = near(given, known)
            hint = f"did you mean {meant[0]}?" if meant else f"it takes {', '.join(known)}"
            raise CallError(f"{name} has no argument {given!r}; {hint}{example}")
    by_place = [p.name for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(args) > len(by_place):
        by_name = [key for key in known if key not in by_place]
        which = f"{by_name[0]}={args[len(by_place)]!r}" if by_name else ""
        more = f", the rest by name, as in {name}({', '.join([*by_place, which])[:_TEXT]})" if which else ""
        takes = f"{len(by_place)} argument{'s' if len(by_place) > 1 else ''} ({', '.join(by_place)})"
        raise CallError(f"{name} takes {takes}{more}; got {len(args)}")
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        raise CallError(f"{name}: {error}{example}") from None


def _wrong_kind(name: str, value: Any, kinds: Sequence[type]) -> str:
    wanted = list(dict.fromkeys(kind.__name__ for kind in kinds))
    named = ["decision table" if kind == "OfScenario" else kind for kind in wanted]
    made = next((MADE_BY[kind] for kind in wanted if kind in MADE_BY), "")
    if wanted[0] == "Scenario" and isinstance(value, str):
        made = f"escalate.load({value[:_TEXT]!r}) reads one"
    if wanted[0] in ("Trials", "Tally") and type(value).__name__ == "Scenario":
        made = f"{name}(simulate(scenario, trials=...)) is meant, perhaps"
    article = "an" if named[0][0] in "AEIOU" else "a"
    return f"{name} takes {article} {' or '.join(named)}, got {described(value)}{f'; {made}' if made else ''}"
