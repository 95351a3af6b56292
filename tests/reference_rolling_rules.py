"""Second implementation of rolling six and TITE-BOIN for one trial's counts, kept apart from the package.

Per level: n are the evaluable patients (a DLT, or the window completed), y the DLTs among them, pending the patients
with an open window and no DLT, stft the parts of the window the pending have been seen for, summed. Levels count from
0. Run with a folder of golden files to compare the rules with the published tables and the public programs.

TITE-BOIN, for one dose with y DLTs and c pending among all its patients, here called total:

* imputation: every pending patient counts as so much of a DLT as is still to be expected of them. With the rate
  p = (y + target / 2) / (total - c + 1) that makes the rate (y + p / (1 - p) * (c - stft)) / total. It falls as
  follow-up is gathered, from its value at stft = 0 to the observed y / total at stft = c.
* ess: the rate is y over the effective sample size total - c + stft.

The rate is held against the boundaries of BOIN. An imputed rate never de-escalates while y / total is below the
target, because only DLTs nobody has seen would take it there (long-memory coherence, supplement of Yuan 2018). Without
that guard 1 DLT among 6 patients at target 0.20 would de-escalate up to an stft of 0.47 (2 pending) or 1.86 (3
pending), where the published table stays throughout. The twin of the guard, no escalation from the target on, never
binds: the imputed rate is at least y / total.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from reference_interval_rules import TOLERANCE, boin_lambdas, boin_letter, first_eliminated, is_toxic, move

SIX = 6
Move = tuple[str, int | None]
Bounds = tuple[str, float | None, float | None]
ROLLING_SIX_PACKAGE = {(4, 0, 1): "escalate", (5, 0, 1): "escalate", (5, 0, 2): "escalate", (6, 0, 1): "suspend"}


def rolling_six_cell(enrolled: int, y: int, pending: int, table: str = "published") -> str:
    """The decision at one level; "published" is Frankel 2020 table 2, "package" the R package RollingSix.

    More than six enrolled are read as six, the surplus taken from the evaluated patients.
    """
    enrolled, pending = min(enrolled, SIX), min(pending, SIX, enrolled)
    if table == "package" and (enrolled, y, pending) in ROLLING_SIX_PACKAGE:
        return ROLLING_SIX_PACKAGE[enrolled, y, pending]
    if y >= 2:
        return "de-escalate"
    if enrolled < SIX:
        return "escalate" if y == 0 and pending == 0 and enrolled >= 3 else "stay"
    return "escalate" if pending + y <= 1 else "suspend"


def rolling_six(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    pending: Sequence[int],
    table: str = "published",
    six_at_mtd: bool = True,
) -> Move:
    """Where the next patient goes, or the MTD (None for none) when the trial stops."""
    enrolled = [a + b for a, b in zip(n, pending, strict=True)]
    ceiling = min((j for j in range(len(n)) if y[j] >= 2), default=len(n))
    if ceiling == 0:
        return "stop", None
    if level >= ceiling:
        if enrolled[ceiling - 1] < SIX:
            return "de-escalate", ceiling - 1
        return "suspend" if pending[ceiling - 1] else "stop", ceiling - 1
    cell = rolling_six_cell(enrolled[level], y[level], pending[level], table)
    if cell != "escalate":
        return cell, level
    if level + 1 < ceiling:
        return "escalate", level + 1
    exceeded_above = level + 1 < len(n)
    if (six_at_mtd or exceeded_above) and enrolled[level] < SIX:
        return "stay", level
    return "suspend" if pending[level] else "stop", level


Lines = dict[tuple[int, int, bool], list[str]]


def read_lines(decisions: dict[str, str]) -> Lines:
    """A table as a scenario writes it: `"3+1 closed"` is three evaluable, one pending, the level above closed."""
    found: Lines = {}
    for key, letters in decisions.items():
        counts, _, above = key.partition(" ")
        n, _, c = counts.partition("+")
        for closed in {"open": [False], "closed": [True], "": [False, True]}[above]:
            found[int(n), int(c or 0), closed] = letters.split()
    return found


@cache
def read_csv_lines(name: str) -> Lines:
    """A table of the package, one line for each cell."""
    found: dict[tuple[int, int, bool], dict[int, str]] = {}
    text = (Path(__file__).parent.parent / "src/escalate/scenario" / name).read_text(encoding="utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if line[0] != "#"):
        for closed in {"open": [False], "closed": [True], "": [False, True]}[row["above"]]:
            line = found.setdefault((int(row["evaluable"]), int(row["pending"]), closed), {})
            line[int(row["dlts"])] = row["decision"]
    return {place: [line[y] for y in range(len(line))] for place, line in found.items()}


def rolling_table(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    pending: Sequence[int],
    lines: Lines,
    still_open: int | None = None,
) -> tuple[str, int | None, int, bool]:
    """Where a table sends the next patient, or the MTD when the trial stops; and how many levels are open then.

    Last, whether the level above that one is closed.
    A level knows the one above closed if it is the last, or was eliminated, or reads D or DU there just now.
    """
    levels = len(n)
    still_open = levels if still_open is None else still_open
    reads, shut = [""] * (levels + 1), [True] * levels
    for k in range(levels - 1, -1, -1):
        shut[k] = k == levels - 1 or still_open <= k + 1 or reads[k + 1] in ("D", "DU")
        reads[k] = lines[n[k], pending[k], shut[k]][y[k]] if n[k] + pending[k] else "S"
    still_open = min([still_open, *(k for k in range(levels) if reads[k] == "DU")])
    if still_open == 0:
        return "stop", None, 0, True
    here = 0
    while here < min(level, still_open - 1) and reads[here] != "R" and reads[here + 1] not in ("D", "DU"):
        here += 1
    if reads[0] == "D":
        here = 0
    while reads[here] == "E" and not shut[here]:
        here += 1
    if reads[here] == "R":
        return "stop", here, still_open, shut[here]
    if reads[here] == "SUS":
        return "suspend", min(here, level), still_open, shut[here]
    return "de-escalate" if here < level else "escalate" if here > level else "stay", here, still_open, shut[here]


def imputed_rate(total: int, y: int, c: int, stft: float, target: float) -> float:
    """The DLT rate with the outcomes of the pending filled in."""
    p = (y + target / 2) / (total - c + 1)
    return (y + p / (1 - p) * (c - stft)) / total


def ess_rate(total: int, y: int, c: int, stft: float) -> float:
    """The DLT rate over the effective sample size; no patients' worth of follow-up says nothing yet, without a DLT."""
    size = total - c + stft
    return y / size if size > 0 else 0.0


def tite_boin_cell(
    n_total: int,
    y: int,
    c: int,
    stft: float,
    *,
    target: float,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    method: str = "imputation",
    max_pending_ratio: float = 0.5,
    min_completed: int = 0,
) -> str:
    """The verdict on one dose, E, S, D, DE (eliminated) or SUS, with c of its n_total patients pending.

    In this order: elimination, a de-escalation the pending cannot avert, suspension for too many pending, and the
    estimated rate; escalation needs min_completed patients unless none is pending. The effective sample size is
    published with max_pending_ratio=1 and min_completed=2.
    """
    low, high = boin_lambdas(target, p_saf, p_tox)
    if is_toxic(n_total, y, target, cutoff, 3, 1):
        return "DE"
    if c == 0:
        return boin_letter(n_total, y, low, high)
    if y / n_total >= high - TOLERANCE:
        return "D"
    if c / n_total > max_pending_ratio + TOLERANCE:
        return "SUS"
    imputation = method == "imputation"
    rate = imputed_rate(n_total, y, c, stft, target) if imputation else ess_rate(n_total, y, c, stft)
    if rate <= low + TOLERANCE:
        return "E" if n_total - c >= min_completed else "SUS"
    guarded = imputation and y / n_total < target - TOLERANCE
    return "D" if rate >= high - TOLERANCE and not guarded else "S"


def tite_boin(
    level: int,
    n: Sequence[int],
    y: Sequence[int],
    pending: Sequence[int],
    stft: Sequence[float],
    *,
    target: float,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    method: str = "imputation",
    max_pending_ratio: float = 0.5,
    min_completed: int = 0,
) -> Move:
    """Where the next cohort goes; a level is eliminated with the pending counted as patients without a DLT."""
    total = [a + b for a, b in zip(n, pending, strict=True)]
    ceiling = first_eliminated(total, y, target, cutoff, 3, 1)
    if ceiling == 0:
        return "stop", None
    if level >= ceiling:
        return "de-escalate", ceiling - 1
    letter = tite_boin_cell(
        total[level],
        y[level],
        pending[level],
        stft[level],
        target=target,
        p_saf=p_saf,
        p_tox=p_tox,
        cutoff=cutoff,
        method=method,
        max_pending_ratio=max_pending_ratio,
        min_completed=min_completed,
    )
    return ("suspend", level) if letter == "SUS" else move(level, letter, ceiling)


def crossing(total: int, y: int, c: int, rate: float, target: float, method: str) -> float:
    """The statistic at which the estimated rate equals a given one: stft by imputation, else the sample size."""
    if method == "ess":
        return y / rate
    p = (y + target / 2) / (total - c + 1)
    return c - (1 - p) / p * (total * rate - y)


def tite_boin_bounds(
    n_total: int,
    y: int,
    c: int,
    *,
    target: float,
    p_saf: float | None = None,
    p_tox: float | None = None,
    cutoff: float = 0.95,
    method: str = "imputation",
    max_pending_ratio: float = 0.5,
    min_completed: int = 0,
) -> Bounds:
    """The verdicts the follow-up of the pending can bring, joined by "/", and the bounds where they change.

    Escalation is at and above the first bound, de-escalation at and below the second. The bounds are of stft, and for
    method "ess" of the effective sample size; a bound that no follow-up can cross is None.
    """
    low, high = boin_lambdas(target, p_saf, p_tox)
    if is_toxic(n_total, y, target, cutoff, 3, 1):
        return "DE", None, None
    if c == 0:
        return boin_letter(n_total, y, low, high), None, None
    if y / n_total >= high - TOLERANCE:
        return "D", None, None
    if c / n_total > max_pending_ratio + TOLERANCE:
        return "SUS", None, None
    least, most = (0, c) if method == "imputation" else (n_total - c, n_total)
    rise, fall = (crossing(n_total, y, c, rate, target, method) for rate in (low, high))
    up = "E" if n_total - c >= min_completed else "SUS"
    if rise <= least + TOLERANCE:
        return up, None, None
    can_rise = rise <= most + TOLERANCE
    can_fall = fall >= least - TOLERANCE and not (method == "imputation" and y / n_total < target - TOLERANCE)
    verdicts = [up] * can_rise + ["S"] + ["D"] * can_fall
    return "/".join(verdicts), rise if can_rise else None, fall if can_fall else None


Cell = tuple[str, Any, Any]
ROLLING_SIX_WORDS = {"escalate": "Escalate", "stay": "Stay", "de-escalate": "De-escalate", "suspend": "Suspend"}
SETTINGS = ("target", "method", "max_pending_ratio", "min_completed")


def check_rolling_six(case: dict[str, Any]) -> Iterator[Cell]:
    """Both tables at one count, and the move at the lower of two levels, which differs only where the trial stops."""
    enrolled, y, pending = case["n_enrolled"], case["n_dlt"], case["n_pending"]
    for table, column in (("published", "decision_published"), ("package", "decision_RollingSix_pkg")):
        found = ROLLING_SIX_WORDS[rolling_six_cell(enrolled, y, pending, table)]
        yield f"{case['id']} {table}", case[column], found
        action, level = rolling_six(0, [enrolled - pending, 0], [y, 0], [pending, 0], table)
        yield f"{case['id']} {table} none", case[column] == "De-escalate", (action, level) == ("stop", None)
        if action != "stop":
            yield f"{case['id']} {table} action", case[column], ROLLING_SIX_WORDS[action]


def verdicts_reached(n: int, y: int, c: int, **settings: Any) -> str:
    """The verdicts of `tite_boin_cell` over a grid of follow-up, joined as in the golden tables."""
    steps = 100 if c else 1
    seen = {tite_boin_cell(n, y, c, k * c / steps, **settings) for k in range(steps + 1)}
    return "/".join(letter for letter in ("E", "SUS", "S", "D", "DE") if letter in seen)


def check_decision_tables(case: dict[str, Any]) -> Iterator[Cell]:
    """Every row of a table: the string, the bounds to the printed precision, and the verdicts near the bounds.

    A p_saf or p_tox printed like the default is taken as the default, which has more digits.
    """
    settings = {name: case[name] for name in SETTINGS} | {"cutoff": case["cutoff_eli"]}
    for name, factor in (("p_saf", 0.6), ("p_tox", 1.4)):
        settings[name] = None if agree(case[name], factor * case["target"]) else case[name]
    for row in case["rows"]:
        n, y, c = row["n"], row["n_tox"], row["n_pending"]
        where = f"{case['id']} n={n} y={y} c={c}"
        decision, rise, fall = tite_boin_bounds(n, y, c, **settings)
        yield f"{where} decision", row["decision"], decision
        yield f"{where} escalates from", row["esc_bound"], rise
        yield f"{where} de-escalates to", row["deesc_bound"], fall
        yield f"{where} verdicts", row["decision"], verdicts_reached(n, y, c, **settings)
        base = 0 if case["method"] == "imputation" else n - c
        for bound, letter, sign in ((row["esc_bound"], decision.split("/")[0], 1), (row["deesc_bound"], "D", -1)):
            if bound is not None:
                near = [tite_boin_cell(n, y, c, bound - base + k * sign * 1e-6, **settings) for k in (0, 1, -1)]
                yield f"{where} at {bound}", [letter, letter, "S"], near


def check_published_table(case: dict[str, Any]) -> Iterator[Cell]:
    """The published table for target 0.20, with cut-offs to two decimals."""
    decision, rise, fall = tite_boin_bounds(case["n"], case["n_dlt"], case["n_pending"], target=0.2)
    yield f"{case['id']} decision", case["decision"], decision
    for column, bound in (("escalate_if_stft_ge", rise), ("deescalate_if_stft_le", fall)):
        yield f"{case['id']} {column}", case[column], None if bound is None else round(bound, 2)


CHECKS: dict[str, Callable[[dict[str, Any]], Iterator[Cell]]] = {
    "rolling_six_decisions": check_rolling_six,
    "titeboin_decision_tables": check_decision_tables,
    "titeboin_published_table": check_published_table,
}


def agree(golden: Any, here: Any) -> bool:
    """Whether two entries are the same, numbers to the 15 digits printed."""
    return bool(golden == (float(f"{here:.15g}") if isinstance(here, float) else here))


def compare(folder: Path, name: str) -> tuple[int, list[Cell]]:
    """The number of entries of one golden file, and those that differ."""
    cases = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    cells = [cell for case in cases for cell in CHECKS[name](case)]
    return len(cells), [cell for cell in cells if not agree(cell[1], cell[2])]


def main(folder: Path) -> int:
    """Print how many golden entries agree, and every one that does not."""
    wrong = 0
    for name in CHECKS:
        total, bad = compare(folder, name)
        print(f"{name}: {total - len(bad)} of {total} entries agree")
        for where, golden, here in bad:
            print(f"  {where}: golden {golden}, here {here}")
        wrong += len(bad)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
