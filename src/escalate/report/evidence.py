"""What a recommendation rests on: how little so few patients say about P(DLT) at the recommended dose."""

from __future__ import annotations

from collections.abc import Mapping

from ..results.estimates import binomial_interval, posterior_interval


def evidence_lines(evidence: Mapping[tuple[int, int, int], float], most: int = 4) -> list[str]:
    """Return the counts at the recommended dose that are most frequent, with what they say about P(DLT) there.

    Parameters
    ----------
    evidence : mapping of (int, int, int) to float
        Probability of each recommended level (from 0) with DLTs and evaluable patients there.
    most : int
        How many to tell.
    """
    if not evidence:
        return []
    lines = [f"{'What would a recommended dose rest on?':<46}{'probability':>12}   P(DLT), 95 %: exact   uniform prior"]
    ordered = sorted(evidence.items(), key=lambda item: (-item[1], item[0]))
    for (level, y, n), q in ordered[:most]:
        intervals = binomial_interval(y, n), posterior_interval(y, n)
        exact, posterior = (f"{low:.0%} to {high:.0%}" for low, high in intervals)
        lines.append(f"{f'  level {level + 1} with {y} DLT in {n}':<46}{q:>12.1%}   {exact:>19}{posterior:>16}")
    rest = sum(q for _, q in ordered[most:])
    return lines + ([f"{f'  {len(ordered) - most} other counts':<46}{rest:>12.1%}"] if rest else [])
