"""Second implementation of BOIN, mTPI, mTPI-2, Keyboard and i3+3 for one trial's counts, kept apart from the package.

Every rule takes the current level (from 0) and the evaluable patients and DLTs at each level, all followed up, and
returns the action and the next level. Run with a folder of golden files to compare the rules with the public programs.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scipy.special import betainc

TOLERANCE = 1e-9
NO_LEVEL = -1
Move = tuple[str, int]
Interval = tuple[float, float]


def prob_below(x: float, n: int, y: int, prior: tuple[float, float] = (1, 1)) -> float:
    """Posterior probability that the DLT rate is below x; a finite binomial sum when the prior is in whole numbers."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    a, b = prior[0] + y, prior[1] + n - y
    if a != int(a) or b != int(b):
        return float(betainc(a, b, x))
    trials = int(a + b) - 1
    return math.fsum(math.comb(trials, k) * x**k * (1.0 - x) ** (trials - k) for k in range(int(a), trials + 1))


def prob_above(x: float, n: int, y: int, prior: tuple[float, float] = (1, 1)) -> float:
    """Posterior probability that the DLT rate is above x."""
    return prob_below(1.0 - x, n, n - y, (prior[1], prior[0]))


def is_toxic(
    n: int, y: int, target: float, cutoff: float, n_min: int, y_min: int = 0, prior: tuple[float, float] = (1, 1)
) -> bool:
    """Whether the counts of one level alone put it over the safety cutoff."""
    return n >= n_min and y >= y_min and prob_above(target, n, y, prior) > cutoff + TOLERANCE


def first_eliminated(
    n: Sequence[int],
    y: Sequence[int],
    target: float,
    cutoff: float,
    n_min: int,
    y_min: int = 0,
    prior: tuple[float, float] = (1, 1),
) -> int:
    """Lowest eliminated level; the number of levels when none is."""
    toxic = [j for j in range(len(n)) if is_toxic(n[j], y[j], target, cutoff, n_min, y_min, prior)]
    return min(toxic, default=len(n))


def move(level: int, letter: str, ceiling: int) -> Move:
    """The move for a verdict E, S or D when the levels from the ceiling on are closed."""
    if ceiling == 0:
        return "stop", NO_LEVEL
    if level >= ceiling:
        return "de-escalate", ceiling - 1
    if letter == "E" and level + 1 < ceiling:
        return "escalate", level + 1
    if letter == "D" and level > 0:
        return "de-escalate", level - 1
    return "stay", level


def boin_lambdas(target: float, p_saf: float | None = None, p_tox: float | None = None) -> tuple[float, float]:
    """The escalation and de-escalation boundaries of BOIN."""
    low = 0.6 * target if p_saf is None else p_saf
    high = 1.4 * target if p_tox is None else p_tox
    lambda_e = math.log((1 - low) / (1 - target)) / math.log(target * (1 - low) / (low * (1 - target)))
    lambda_d = math.log((1 - target) / (1 - high)) / math.log(high * (1 - target) / (target * (1 - high)))
    return lambda_e, lambda_d


def boin_letter(n: int, y: int, lambda_e: float, lambda_d: float, strict: bool = False) -> str:
    """The verdict of BOIN on one level, before safety; strict keeps a rate equal to lambda_d at the level."""
    if n == 0:
        return "S"
    rate = y / n
    if rate <= lambda_e + TOLERANCE:
        return "E"
    toxic = rate > lambda_d + TOLERANCE if strict else rate >= lambda_d - TOLERANCE
    return "D" if toxic else "S"


def boin(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    *,
    target: float,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    n_min: int = 3,
    y_min: int = 1,
    extrasafe: bool = False,
    offset: float = 0.05,
    stay_on_one_of_three: bool = False,
    strict: bool = False,
) -> Move:
    """BOIN; y_min=1 because the R package looks for its elimination boundary from one DLT upwards."""
    ceiling = first_eliminated(n, y, target, cutoff, n_min, y_min)
    if extrasafe and is_toxic(n[0], y[0], target, cutoff - offset, n_min, y_min):
        ceiling = 0
    letter = boin_letter(n[level], y[level], *boin_lambdas(target, p_saf, p_tox), strict)
    if stay_on_one_of_three and letter == "D" and (n[level], y[level]) == (3, 1):
        letter = "S"
    return move(level, letter, ceiling)


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Weighted isotonic regression by the max-min formula over all blocks."""

    def mean(a: int, b: int) -> float:
        total = math.fsum(weights[a : b + 1])
        return math.fsum(v * w for v, w in zip(values[a : b + 1], weights[a : b + 1], strict=True)) / total

    size = len(values)
    return [max(min(mean(a, b) for b in range(i, size)) for a in range(i + 1)) for i in range(size)]


def boin_estimates(n: Sequence[int], y: Sequence[int], prior: float = 0.05) -> list[float]:
    """Isotonic estimates of the given levels, each of which has been tried: means of Beta(y + prior, n - y + prior)."""
    shapes = [(b + prior, a - b + prior) for a, b in zip(n, y, strict=True)]
    values = [a / (a + b) for a, b in shapes]
    weights = [(a + b) ** 2 * (a + b + 1) / (a * b) for a, b in shapes]
    return isotonic(values, weights)


def boin_mtd(
    n: Sequence[int],
    y: Sequence[int],
    target: float,
    cutoff: float = 0.95,
    bound_mtd: bool = False,
    *,
    p_tox: float | None = None,
    n_min: int = 3,
    extrasafe: bool = False,
    offset: float = 0.05,
    prior: float = 0.05,
) -> int:
    """The level BOIN selects at the end, -1 for none; here safety has no minimum number of DLTs.

    Keyboard, mTPI-2 and i3+3 select as BOIN does, and so does mTPI with a prior of 0.005.
    """
    ceiling = first_eliminated(n, y, target, cutoff, n_min)
    if extrasafe and is_toxic(n[0], y[0], target, cutoff - offset, n_min):
        ceiling = 0
    levels = [j for j in range(ceiling) if n[j] > 0]
    raw = boin_estimates([n[j] for j in levels], [y[j] for j in levels], prior)
    estimates = {j: p + 1e-10 * k for k, (j, p) in enumerate(zip(levels, raw, strict=True), start=1)}
    if bound_mtd:
        lambda_d = boin_lambdas(target, None, p_tox)[1]
        estimates = {j: p for j, p in estimates.items() if p <= lambda_d}
    return min(estimates, key=lambda j: (abs(estimates[j] - target), j), default=NO_LEVEL)


def mtpi_intervals(target: float, eps1: float, eps2: float) -> list[tuple[Interval, str]]:
    """The three intervals of mTPI with their verdicts."""
    low, high = max(target - eps1, 0.0), min(target + eps2, 1.0)
    parts = [((0.0, low), "E"), ((low, high), "S"), ((high, 1.0), "D")]
    return [(part, letter) for part, letter in parts if part[1] - part[0] > TOLERANCE]


def keys(target: float, eps1: float, eps2: float, edges: str) -> list[tuple[Interval, str]]:
    """Keys of equal width around the target key, lowest first; a short edge key is cut at 0 or 1, or dropped."""
    width = eps1 + eps2
    below = math.ceil((target - eps1) / width - TOLERANCE)
    above = math.ceil((1.0 - target - eps2) / width - TOLERANCE)
    found = []
    for k in range(-below, above + 1):
        low, high = target - eps1 + k * width, target - eps1 + (k + 1) * width
        if k != 0 and edges == "drop" and (low < -TOLERANCE or high > 1.0 + TOLERANCE):
            continue
        found.append(((max(low, 0.0), min(high, 1.0)), "E" if k < 0 else "D" if k > 0 else "S"))
    return found


def strongest(n: int, y: int, parts: Sequence[tuple[Interval, str]], prior: tuple[float, float], ties: str) -> str:
    """The verdict of the interval with the largest unit probability mass, mass over width; S without data."""
    if n == 0:
        return "S"
    mass = [(prob_below(high, n, y, prior) - prob_below(low, n, y, prior)) / (high - low) for (low, high), _ in parts]
    tied = [i for i, value in enumerate(mass) if value >= max(mass) - TOLERANCE]
    return parts[tied[0] if ties == "low" else tied[-1]][1]


def mtpi(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    *,
    target: float,
    eps1: float,
    eps2: float,
    prior: tuple[float, float] = (1, 1),
    cutoff: float = 0.95,
    n_min: int = 1,
    y_min: int = 0,
    ties: str = "high",
) -> Move:
    """mTPI: under, proper and over compared; ties go to the highest interval, as the golden table has them."""
    letter = strongest(n[level], y[level], mtpi_intervals(target, eps1, eps2), prior, ties)
    return move(level, letter, first_eliminated(n, y, target, cutoff, n_min, y_min, prior))


def mtpi2(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    *,
    target: float,
    eps1: float,
    eps2: float,
    prior: tuple[float, float] = (1, 1),
    cutoff: float = 0.95,
    n_min: int = 1,
    y_min: int = 0,
    ties: str = "low",
) -> Move:
    """mTPI-2: keys of equal width, edge keys cut and taken at their true width; ties go to the lowest key."""
    letter = strongest(n[level], y[level], keys(target, eps1, eps2, "cut"), prior, ties)
    return move(level, letter, first_eliminated(n, y, target, cutoff, n_min, y_min, prior))


def keyboard(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    *,
    target: float,
    eps1: float,
    eps2: float,
    prior: tuple[float, float] = (1, 1),
    cutoff: float = 0.95,
    n_min: int = 1,
    y_min: int = 0,
    edges: str = "drop",
    ties: str = "high",
) -> Move:
    """Keyboard: keys of equal width, partial edge keys dropped; ties go to the highest key."""
    letter = strongest(n[level], y[level], keys(target, eps1, eps2, edges), prior, ties)
    return move(level, letter, first_eliminated(n, y, target, cutoff, n_min, y_min, prior))


def i3plus3_letter(n: int, y: int, target: float, eps1: float, eps2: float) -> str:
    """The verdict of i3+3 on one level, before safety."""
    if n == 0:
        return "S"
    low, high = target - eps1 - TOLERANCE, target + eps2 + TOLERANCE
    if y / n < low:
        return "E"
    return "S" if y / n <= high or (y - 1) / n < low else "D"


def i3plus3(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    *,
    target: float,
    eps1: float,
    eps2: float,
    cutoff: float = 0.95,
    n_min: int = 1,
    y_min: int = 0,
) -> Move:
    """The i3+3 rule on the closed interval from target - eps1 to target + eps2."""
    letter = i3plus3_letter(n[level], y[level], target, eps1, eps2)
    return move(level, letter, first_eliminated(n, y, target, cutoff, n_min, y_min))


LETTERS = {"escalate": "E", "stay": "S", "de-escalate": "D", "stop": "DU"}
Cell = tuple[str, Any, Any]
Rule = Callable[..., Move]


def middle(rule: Rule, n: int, y: int, **settings: Any) -> str:
    """The letter of a rule at the middle of three levels with no data at the other two."""
    return LETTERS[rule(1, [0, n, 0], [0, y, 0], **settings)[0]]


def lowest(rule: Rule, n: int, y: int, **settings: Any) -> bool:
    """Whether a rule stops at the only level of a trial."""
    return rule(0, [n], [y], **settings)[0] == "stop"


def boundary_cells(case: dict[str, Any], rule: Rule, settings: dict[str, Any]) -> Iterator[Cell]:
    """Cells of a file of integer boundaries: the letter and the elimination of every y at every n."""
    safety = case.get("lowest_dose_stop_if_dlt_ge") or [None] * len(case["n"])
    columns = ("n", "escalate_if_dlt_le", "deescalate_if_dlt_ge", "eliminate_if_dlt_ge")
    for n, up, down, out, stop in zip(*(case[c] for c in columns), safety, strict=True):
        for y in range(n + 1):
            where = f"{case['id']} n={n} y={y}"
            yield f"{where} letter", "E" if y <= up else "D" if y >= down else "S", middle(rule, n, y, **settings)
            yield f"{where} eliminated", out is not None and y >= out, lowest(rule, n, y, **settings)
            if case.get("extrasafe"):
                extra = {**settings, "extrasafe": True, "offset": case["offset"]}
                yield f"{where} lowest stops", stop is not None and y >= stop, lowest(rule, n, y, **extra)


def check_boin_boundaries(case: dict[str, Any], **reading: Any) -> Iterator[Cell]:
    """BOIN's boundaries, and the integer boundaries they give."""
    settings = {k: case[k] for k in ("target", "p_saf", "p_tox")}
    for name, value in zip(("lambda_e", "lambda_d"), boin_lambdas(**settings), strict=True):
        yield f"{case['id']} {name}", case[name], value
    yield from boundary_cells(case, boin, {**settings, "cutoff": case["cutoff_eli"], "strict": True, **reading})


def check_boin_select_mtd(case: dict[str, Any], **reading: Any) -> Iterator[Cell]:
    """BOIN's selected dose (from 1, 99 for none) and the isotonic estimates of all tried doses."""
    n, y = case["n"], case["y"]
    options = {k: case[k] for k in ("p_tox", "extrasafe", "offset")} | {"bound_mtd": case["boundMTD"]} | reading
    found = boin_mtd(n, y, case["target"], case["cutoff_eli"], **options)
    yield f"{case['id']} mtd", case["mtd"], 99 if found == NO_LEVEL else found + 1
    tried = [j for j in range(len(n)) if n[j]]
    estimates = boin_estimates([n[j] for j in tried], [y[j] for j in tried])
    for j, value in zip(tried, estimates, strict=True):
        yield f"{case['id']} estimate of dose {j + 1}", case["isotonic_estimate_treated_doses"][j], value


def check_escalation(case: dict[str, Any], rule: Rule, **reading: Any) -> Iterator[Cell]:
    """Tables of letters without DU, and the posterior probability of an unsafe rate."""
    settings = {"target": case["target"], "eps1": case["epsilon1"], "eps2": case["epsilon2"], "cutoff": 1.0} | reading
    for row in case["table"]:
        for y, (letter, unsafe) in enumerate(zip(row["decision"], row["prob_unsafe"], strict=True)):
            where = f"{case['id']} n={row['n']} y={y}"
            yield f"{where} letter", letter, middle(rule, row["n"], y, **settings)
            yield f"{where} unsafe", unsafe, prob_above(case["target"], row["n"], y)


def check_find(case: dict[str, Any], rule: Rule, **reading: Any) -> Iterator[Cell]:
    """Tables of letters in which DU comes before the others."""
    (low, high), target = case["ei"], case["target"]
    settings = {"target": target, "eps1": target - low, "eps2": high - target, "cutoff": case["cutoff"]} | reading
    for row in case["table"]:
        for y, letter in enumerate(row["decision"]):
            found = "DU" if lowest(rule, row["n"], y, **settings) else middle(rule, row["n"], y, **settings)
            yield f"{case['id']} n={row['n']} y={y}", letter, found


def check_keyboard(case: dict[str, Any], **reading: Any) -> Iterator[Cell]:
    """The Keyboard package's integer boundaries."""
    settings = {"target": case["target"], "eps1": case["marginL"], "eps2": case["marginR"]}
    yield from boundary_cells(case, keyboard, {**settings, "cutoff": case["cutoff_eli"], **reading})


CHECKS: dict[str, Callable[..., Iterator[Cell]]] = {
    "boin_boundaries": check_boin_boundaries,
    "boin_select_mtd": check_boin_select_mtd,
    "mtpi_decision_tables_escalation": partial(check_escalation, rule=mtpi),
    "mtpi2_decision_tables_escalation": partial(check_escalation, rule=mtpi2),
    "mtpi2_decision_tables_FIND": partial(check_find, rule=mtpi2),
    "keyboard_boundaries": check_keyboard,
    "i3plus3_decision_tables": partial(check_find, rule=i3plus3),
}
OTHER_READINGS: list[tuple[str, dict[str, Any], str]] = [
    ("boin_boundaries", {"strict": False}, "a rate equal to lambda_d de-escalates, as in the paper"),
    ("boin_boundaries", {"y_min": 0}, "no DLT at all may eliminate"),
    ("boin_boundaries", {"n_min": 1}, "elimination from one patient"),
    ("boin_select_mtd", {"n_min": 1}, "elimination from one patient"),
    ("boin_select_mtd", {"p_tox": None}, "the bound of the MTD from 1.4 times the target whatever p_tox is"),
    ("boin_select_mtd", {"extrasafe": False}, "no additional safety at the lowest level"),
    ("boin_select_mtd", {"bound_mtd": False}, "no bound on the MTD"),
    ("mtpi_decision_tables_escalation", {"ties": "low"}, "an exact tie, proper 0.112/0.1 and over 0.784/0.7, stays"),
    ("mtpi_decision_tables_escalation", {"cutoff": 0.95}, "an eliminated level is left though its letter is S"),
    ("mtpi2_decision_tables_escalation", {"cutoff": 0.95}, "an eliminated level is left"),
    ("mtpi2_decision_tables_escalation", {"rule": keyboard}, "partial edge keys dropped"),
    ("mtpi2_decision_tables_FIND", {"rule": keyboard}, "partial edge keys dropped"),
    ("mtpi2_decision_tables_FIND", {"ties": "high"}, "ties go to the highest key"),
    ("mtpi2_decision_tables_FIND", {"n_min": 3}, "elimination from three patients"),
    ("keyboard_boundaries", {"edges": "cut"}, "partial edge keys cut at their true width"),
    ("keyboard_boundaries", {"ties": "low"}, "ties go to the lowest key"),
    ("keyboard_boundaries", {"n_min": 3}, "elimination from three patients"),
    ("i3plus3_decision_tables", {"n_min": 3}, "elimination from three patients"),
    ("i3plus3_decision_tables", {"rule": mtpi2}, "the letters of mTPI-2"),
]


def agree(golden: Any, here: Any) -> bool:
    """Whether two entries are the same, numbers within 1e-9."""
    return abs(golden - here) <= TOLERANCE if isinstance(here, float) else golden == here


def compare(folder: Path, name: str, **reading: Any) -> tuple[int, list[Cell]]:
    """The number of entries of one golden file, and those that differ under a reading."""
    cases = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    cells = [cell for case in cases for cell in CHECKS[name](case, **reading)]
    return len(cells), [cell for cell in cells if not agree(cell[1], cell[2])]


def main(folder: Path) -> int:
    """Print how many golden entries agree, every one that does not, and what other readings would change."""
    wrong = 0
    for name in CHECKS:
        total, bad = compare(folder, name)
        print(f"{name}: {total - len(bad)} of {total} entries agree")
        for where, golden, here in bad:
            print(f"  {where}: golden {golden}, here {here}")
        wrong += len(bad)
    print("\nEntries that would differ under another reading:")
    for name, reading, words in OTHER_READINGS:
        bad = compare(folder, name, **reading)[1]
        print(f"{name}, {words}: {len(bad)}")
        for where, golden, here in bad[:12]:
            print(f"  {where}: golden {golden}, that reading {here}")
        if len(bad) > 12:
            print(f"  and {len(bad) - 12} more")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
