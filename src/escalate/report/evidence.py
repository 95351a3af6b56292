"""What a recommendation rests on: how little so few patients say about P(DLT) at the recommended dose."""

from __future__ import annotations

from collections.abc import Mapping

from ..results.chance import binomial_interval, in_percent
from ..results.estimates import posterior_interval, probability
from .heads import plural


def evidence_lines(
    evidence: Mapping[tuple[int, int, int], float], most: int = 4, trials: int | None = None
) -> list[str]:
    """Return the counts at the recommended dose that are most frequent, with what they say about P(DLT) there.

    Parameters
    ----------
    evidence : mapping of (int, int, int) to float
        Probability of each recommended level (from 0) with DLTs and evaluable patients there.
    most : int
        How many to tell.
    trials : int, optional
        Simulated trials that the probabilities are shares of; they are exact where it is not given.
    """
    if not evidence:
        return []
    ordered = sorted(evidence.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(q for _, q in ordered[most:])
    chances = [_chance(q, trials) for q in (*(q for _, q in ordered[:most]), *([rest] if rest else []))]
    shown = [(f"  level {level + 1} with {y} DLT{plural(y)} in {n}", y, n) for (level, y, n), _ in ordered[:most]]
    wide = max(11 if trials is None else 15, *map(len, chances))
    long = max([26, *(len(words) for words, _, _ in shown)])
    lines = [
        f"{'What would a recommended dose rest on?':<{long + 2 + wide}}{'P(DLT), 95%:':>16}",
        f"{'':<{long}}  {'probability':>{wide}}{'exact':>16}{'uniform prior':>16}",
    ]
    for (words, y, n), chance in zip(shown, chances, strict=False):
        intervals = binomial_interval(y, n), posterior_interval(y, n)
        exact, posterior = (f"{low:.0%} to {high:.0%}" for low, high in intervals)
        lines.append(f"{words:<{long}}  {chance:>{wide}}{exact:>16}{posterior:>16}")
    others = f"  {len(ordered) - most} other count{plural(len(ordered) - most)}"
    return lines + ([f"{others:<{long}}  {chances[-1]:>{wide}}"] if rest else [])


def _chance(q: float, trials: int | None) -> str:
    return f"{q:.1%}" if trials is None else in_percent(probability("", "", None, round(q * trials), trials))
