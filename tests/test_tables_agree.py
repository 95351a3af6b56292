"""Every cell of every form of every table is the committee's decision on a data cut with these counts. No sample.

The data cuts are made here from what a table says of itself: its levels, in words, and what it assumes of the others.
The forms are read as a person reads them: text, Markdown, HTML, CSV, and boundaries.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import escalate as esc
from escalate import Scenario, decision_table
from escalate.committee.committee import Committee
from escalate.committee.protocol import ENOUGH, LEVEL_FULL, PRECISE, STUCK
from escalate.protocol_tables import CountTable, PendingTable
from escalate.rules import rule_for
from escalate.scenario.own_rules import REGISTERED, Known
from escalate.words.data_cut import DataCut
from escalate.words.records import NO_LEVEL, Action
from small import small

ROOM = 10_000

# Scenarios


def of(rule: dict[str, Any], levels: int = 3, **changes: Any) -> Scenario:
    """Return a scenario of some levels, twelve patients, in cohorts of three."""
    doses = [{"label": f"dose {k}"} for k in range(1, levels + 1)]
    plain = {"dose_levels": doses, "toxicity__dlt_probability": [0.1] * levels, "safety__early_decision": False}
    return small(**{**plain, "rule": rule, **changes})


BOIN = {"name": "BOIN", "target": 0.25}
TITE = {"name": "TITE-BOIN", "target": 0.25}
LINES = {"3": "E S D DU", "6": "E E S D DU DU DU", "9": "E E E S D DU DU DU DU DU"}
LINES["12"] = "E E E E S D D DU DU DU DU DU DU"

PENDING_LINES = {
    "1": "S S", "0+1": "S",
    "2": "S S DU", "1+1": "S S", "0+2": "S",
    "3": "E S D DU", "2+1": "S S DU", "1+2": "SUS SUS", "0+3": "SUS",
    "4 open": "E R R DU DU", "4 closed": "R R R DU DU", "3+1 open": "E SUS DU DU", "3+1 closed": "SUS SUS DU DU",
    "2+2": "SUS SUS DU", "1+3": "SUS SUS", "0+4": "SUS",
}  # fmt: skip
LARGEST = {"IQ rolling six": 8, "table": 4}
"""Most patients at a level of tables that have a largest number."""

RULES: dict[str, dict[str, Any]] = {
    **{f"3+3 {variant}": {"name": "3+3", "variant": variant} for variant in "ABC"},
    "BOIN": BOIN,
    "BOIN .2": {**BOIN, "target": 0.2},
    "BOIN 1/3": {**BOIN, "target": 1 / 3},
    "BOIN, own boundaries": {**BOIN, "p_saf": 0.1, "p_tox": 0.45},
    "BOIN, extrasafe": {**BOIN, "extrasafe": True},
    "BOIN, extrasafe .1": {**BOIN, "extrasafe": True, "offset": 0.1},
    "BOIN, eliminates late": {**BOIN, "eliminate_from": 6, "elimination_cutoff": 0.9},
    "BOIN, stays on 1 of 3": {**BOIN, "stay_on_1_of_3": True},
    "BOIN, strict": {**BOIN, "target": 0.3, "p_tox": 0.3679, "strict_upper_boundary": True},
    "mTPI": {"name": "mTPI", "target": 0.3},
    "mTPI, wide": {"name": "mTPI", "target": 0.3, "epsilon1": 0.1, "epsilon2": 0.15},
    "mTPI-2": {"name": "mTPI-2", "target": 0.25},
    "mTPI-2, sooner": {"name": "mTPI-2", "target": 0.25, "eliminate_from": 2, "elimination_cutoff": 0.85},
    "Keyboard": {"name": "Keyboard", "target": 0.3},
    "Keyboard, rescaled": {"name": "Keyboard", "target": 0.13, "partial_keys": "rescale"},
    "i3+3": {"name": "i3+3", "target": 0.25},
    "table": {"name": "table", "target": 0.25, "decisions": LINES},
}
ROLLING: dict[str, dict[str, Any]] = {
    "rolling six": {"name": "rolling six"},
    "rolling six, package": {"name": "rolling six", "table": "package"},
    "rolling six, three suffice": {"name": "rolling six", "six_at_mtd": False},
    "IQ rolling six": {"name": "IQ rolling six"},
    "table, pending": {"name": "table", "target": 0.25, "decisions": PENDING_LINES},
    "TITE-BOIN": TITE,
    "TITE-BOIN, extrasafe": {**TITE, "extrasafe": True},
    "TITE-BOIN, sample size": {**TITE, "method": "effective_sample_size", "most_pending_share": 1, "min_completed": 2},
}
OWN = ("own", "own of every stop", "own that skips")
AROUND: dict[str, dict[str, Any]] = {
    "most per level": {"limits__most_per_level": 6},
    "most per level, a part": {"limits__most_per_level": 4},
    "no skipping down": {"limits__no_skipping_down": True},
    "coherence, last level": {"limits__coherence": "last_level"},
    "coherence, last cohort": {"limits__coherence": "last_cohort"},
    "coherence, after DLT": {"limits__coherence": "after_dlt"},
    "enough, staying": {"stopping__enough_at_level": 6},
    "enough, any move": {"stopping__enough_at_level": 6, "stopping__enough_when": "any_move"},
    "too toxic": {"stopping__too_toxic_probability": 0.7, "stopping__too_toxic_above": 0.25},
    "precise": {"stopping__interval_width": 0.45},
    "titration": {"titration": {}},
    "titration to level 2": {"titration": {"last_level": 2}},
    "early": {"safety__early_decision": True},
    "not replaced": {"safety__replace_non_evaluable": False},
    "cohorts of one": {"safety__cohort_size": 1},
    "cohorts of four": {"safety__cohort_size": 4},
    "most patients": {"stopping__most_patients": 9},
    "all at once": {
        "limits__most_per_level": 9, "limits__coherence": "after_dlt", "stopping__enough_at_level": 6,
        "stopping__too_toxic_probability": 0.7, "stopping__too_toxic_above": 0.25, "titration": {},
    },
}  # fmt: skip
NO_MORE_THAN_ITS_LINES = {"limits__no_skipping": "highest_given"}
NEEDS_TARGET = ("coherence, last level", "coherence, last cohort", "precise")

Case = tuple[dict[str, Any], int, dict[str, Any]]
"""A rule, the number of levels, and what goes around the rule."""


def cases(rules: dict[str, dict[str, Any]], around: tuple[str, ...]) -> Iterator[tuple[str, Case]]:
    """Yield each rule at one, two and four levels, and some of them with each of what goes around a rule."""
    for (name, rule), levels in itertools.product(rules.items(), (1, 2, 4)):
        yield f"{name}, levels {levels}", (rule, levels, NO_MORE_THAN_ITS_LINES if name == "table, pending" else {})
    for name, (words, changes) in itertools.product(around, AROUND.items()):
        rule = rules[name]
        if rule.get("target") is None and words in NEEDS_TARGET:
            continue
        if name == "table" and (
            "cohorts" in words or "titration" in changes or words in ("most per level, a part", "early", "not replaced")
        ):
            continue  # its lines are for cohorts of three
        if name == "table, pending" and "limits__coherence" in changes:
            continue  # who is kept back would be one more than its lines are for
        if name == "table, pending":
            changes = changes | NO_MORE_THAN_ITS_LINES
        for levels in (2, 3) if words in ("all at once", "titration") else (3,):
            yield f"{name}, {words}, levels {levels}", (rule, levels, changes)


def own(known: Known) -> Any:
    """Escalate by the counts of this level, and not above one with half its patients toxic."""
    above = known.dlts[min(known.level, known.levels - 1)] if known.level < known.levels else 0
    if known.y * 2 >= max(known.n, 3):
        return "de-escalate" if known.level > 1 else "stop"
    return "escalate" if known.y == 0 and not above else "stay"


def own_of_every_stop(known: Known) -> Any:
    levels = {1: min(known.level + 1, known.levels), 2: known.level, 3: max(known.level - 1, 1)}
    return "escalate" if known.y == 0 else ("stop", levels[known.y]) if known.y in levels else "stop"


def own_that_skips(known: Known) -> Any:
    return known.levels if known.y == 0 else 1 if known.y > 1 else "stay"


OWN_RULES = dict(zip(OWN, (own, own_of_every_stop, own_that_skips), strict=True))


@pytest.fixture(autouse=True)
def own_rules() -> Iterator[None]:
    """Register this file's rules, and forget them."""
    before = dict(REGISTERED)
    for name, function in OWN_RULES.items():
        esc.rule(name=name, target=0.25)(function)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


# Reading a table


Place = tuple[int, str]
"""A level, from 1, and what stands beside it: nothing, "exceeded" or "titration"."""


def places_of(name: str, levels: int) -> set[Place]:
    """Return the places that a part's name says."""
    found = set()
    for words in name.lower().split("; "):
        beside = "exceeded" if re.search("exceeded|eliminated", words) else "titration" if "titration" in words else ""
        if words.startswith("every level"):
            found |= {(k, beside) for k in range(1, levels + 1)}
            continue
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", words):
            found |= {(k, beside) for k in range(int(first), int(last or first) + 1)}
    return found


def read_text(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the grids of a text by their headings; wrapped columns put beside each other again."""
    for block in re.split(r"\n\n(?=\S)", text):
        heading, *lines = block.split("\n")
        if lines and re.match(r"  +(DLTs|evaluable patients|treated) ", lines[0] + " "):
            rows: list[list[str]] = []
            for piece in "\n".join(lines).split("\n\n"):
                ends = columns_of(piece.split("\n"))
                for number, line in enumerate(piece.split("\n")):
                    cells = [line[a:b].strip() for a, b in ends]
                    if len(rows) <= number:
                        rows.append([cells[0]])
                    rows[number] += cells[1:]
            yield heading, rows


def columns_of(lines: list[str]) -> list[tuple[int, int]]:
    """Return where columns begin and end: between two blanks that all lines have."""
    width = max(map(len, lines))
    empty = [all(line.ljust(width)[k] == " " for line in lines) for k in range(width)]
    starts = [k for k in range(2, width) if not empty[k] and empty[k - 1] and empty[k - 2]]
    return list(zip(starts, [*starts[1:], width], strict=True))


def read_markdown(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    heading, rows = "", []
    for line in [*text.split("\n"), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if rows:
            yield heading, [rows[0], *rows[2:]]
            rows = []
        heading = line.strip("*") if line.startswith("**") else heading


class Tables(HTMLParser):
    """The tables of a document by their captions, and the classes of their cells."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[list[str]]]] = []
        self.classes: list[tuple[str, str]] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        if tag == "table":
            self.found.append(("", []))
        elif tag == "tr":
            self.found[-1][1].append([])
        elif tag in ("td", "th"):
            self.found[-1][1][-1].append("")
            self.kind = dict(attrs).get("class") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self.kind:
            self.classes.append((self.kind, self.found[-1][1][-1][-1]))
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "caption":
            self.found[-1] = (self.found[-1][0] + data, self.found[-1][1])
        elif self.inside in ("td", "th"):
            self.found[-1][1][-1][-1] += data


def read_html(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    assert text.startswith("<!DOCTYPE html>") and '<meta charset="utf-8">' in text and text.count("<html") == 1
    tables = Tables()
    tables.feed(text)
    assert all(cell.startswith(kind) for kind, cell in tables.classes)
    yield from tables.found


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))


Grid = dict[tuple[int, int], str]


def grid_of(rows: list[list[str]]) -> Grid:
    """Return a grid's letters by patients and DLTs; its last row may be of so many DLTs or more."""
    patients, found = [int(n) for n in rows[0][1:]], {}
    for number, *letters in rows[1:]:
        first = 0 if number == "any" else int(number.split()[0])
        last = max(patients) if number == "any" or "more" in number else first
        for n, letter in zip(patients, letters, strict=True):
            found |= {(n, y): letter for y in range(first, min(last, n) + 1)}
            assert (letter == "") == (n < first)
    return found


SAID = {
    "escalate if DLTs <=": "E", "stop, recommend a higher level, if DLTs <=": "RH",
    "stop, recommend this level, if DLTs <=": "R", "de-escalate if DLTs >=": "D",
    "stop, recommend a lower level, if DLTs >=": "RL", "eliminate if DLTs >=": "DU", "stop, no dose, if DLTs >=": "ND",
}  # fmt: skip


def bounded(rows: list[list[str]]) -> Grid:
    """Return the letters that a boundary form says, read as it says itself that it is read; without "see grid"."""
    found = {}
    for column, n in enumerate(map(int, rows[0][1:]), 1):
        if any(row[column] == "see grid" for row in rows[1:]):
            assert all(row[column] == "see grid" for row in rows[1:])
            continue
        for y in range(n + 1):
            downs = [row for row in rows[1:] if ">=" in row[0] and row[column] != "-" and y >= int(row[column])]
            ups = [row for row in rows[1:] if "<=" in row[0] and row[column] != "-" and y <= int(row[column])]
            other = [row[column] for row in rows[1:] if row[0] == "otherwise"]
            words = downs[-1][0] if downs else ups[0][0] if ups else ""
            if " and the last cohort allows it, or else " in words:
                found[n, y] = f"E({words.rpartition(' ')[2]})"
            else:
                found[n, y] = SAID[words] if words else other[0]
    return found


# Asking the committee


class Asked:
    """A committee, asked about the counts of a level, with what a table assumes of the others."""

    def __init__(self, scenario: Scenario, text: str) -> None:
        text = " ".join(text.split())
        stopping = scenario.stopping.model_copy(update={"most_patients": None})  # a condition below the table
        self.committee = Committee(scenario.model_copy(update={"stopping": stopping}))
        self.scenario, self.rule, self.levels = scenario, rule_for(scenario), scenario.levels
        self.below = int(m[1]) if (m := re.search(r"(\d+) evaluable patients without a DLT at each", text)) else 0
        self.above = (
            int(m[1]) if (m := re.search(r"(?:exceeded the MTD|was eliminated): (\d+) of \1 evaluable", text)) else 0
        )
        self.gone: dict[tuple[int, int, int], bool] = {}
        self.most = LARGEST.get(scenario.rule.name, 99)

    def cuts(self, place: Place, counts: list[tuple[int, ...]], followup: list[float] | None = None) -> DataCut:
        """Return data cuts with evaluable, DLTs, pending, last cohort and its DLTs at a place."""
        level, beside = place
        n, y, c, last, last_dlts = np.array(counts).T
        shape = (len(counts), self.levels)
        evaluable, dlts, pending = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        seen = np.zeros(shape)
        evaluable[:, : level - 1] = 1 if beside == "titration" else self.below
        if beside == "exceeded":
            evaluable[:, level] = dlts[:, level] = self.above
        evaluable[:, level - 1], dlts[:, level - 1], pending[:, level - 1] = n, y, c
        seen[:, level - 1] = 0 if followup is None else followup
        at = np.full(len(counts), level - 1)
        return DataCut.of(at, evaluable, dlts, pending, seen, last_evaluable=last, last_dlts=last_dlts)

    def letters(self, place: Place, counts: list[tuple[int, ...]], followup: list[float] | None = None) -> list[str]:
        """Return the committee's answers as letters."""
        cut = self.cuts(place, counts, followup)
        decided = self.committee.decide_many(cut, np.full(len(counts), ROOM))
        return [self.letter(place[0], counts[k], decided.one(k)) for k in range(len(counts))]

    def letter(self, level: int, counts: tuple[int, ...], decision: Any) -> str:
        step = decision.level + 1 - level
        if decision.action is Action.STOP:
            if decision.reason in (ENOUGH, LEVEL_FULL, PRECISE, STUCK) and self.rule.has_answer_at_cap:
                return "ST"
            if decision.level == NO_LEVEL:
                return "ND"
            down = "RL" if step < 0 else ""
            letter = down or ("RH" if step else "R")
        else:
            letter = "D" if step < 0 else "SUS" if decision.action is Action.SUSPEND else "E" if step else "S"
        closes = decision.open_levels < level
        return "DU" if step < 0 and (closes or self.never_again(level, counts[0] + counts[2], counts[1])) else letter

    def never_again(self, level: int, n: int, y: int) -> bool:
        """Return whether no number of patients without a DLT at the level below leads back."""
        key = (level, n, y)
        if key not in self.gone:
            lines = getattr(self.scenario.rule, "cells", {})
            tried = list(lines) or range(1, min(self.scenario.trial.planned_patients, self.most) + 1)
            below = np.array([[*[m] * (level - 1), n, *[0] * (self.levels - level)] for m in tried])
            dlts = np.zeros_like(below)
            dlts[:, level - 1] = y
            decided = self.rule.decide(DataCut.of(np.full(len(below), level - 2), below, dlts))
            self.gone[key] = not (decided.level >= level - 1).any()
        return self.gone[key]

    def last_cohorts(self, n: int, y: int) -> list[tuple[int, int]]:
        """Return every last cohort of a level with so many evaluable patients: its patients and DLTs."""
        if self.scenario.limits.coherence not in ("last_cohort", "after_dlt"):
            return [(0, 0)]
        size, rolling = self.scenario.safety.cohort_size, self.rule.rolling
        whole = n and n % size == 0 and self.scenario.safety.replace_non_evaluable and not rolling
        sizes = [size] if whole else range(n + 1) if rolling else range(1, min(n, size) + 1)
        return [(s, z) for s in sizes for z in range(s + 1) if z <= y and y - z <= n - s]


def every_place(asked: Asked) -> set[Place]:
    found = {(level, "") for level in range(1, asked.levels + 1)}
    if asked.above:
        found |= {(level, "exceeded") for level in range(1, asked.levels)}
    if asked.scenario.titration is not None:
        last = min(asked.scenario.titration.last_level or asked.levels, asked.levels)
        found |= {(level, "titration") for level in range(1, last + 1)}
    return found


def by_place(parts: list[tuple[str, Any]], asked: Asked) -> dict[Place, Any]:
    """Return what parts say by place; a place that is told twice, or never, is a fault."""
    found: dict[Place, Any] = {}
    for name, what in parts:
        for place in places_of(name, asked.levels):
            assert place not in found, place
            found[place] = what
    for place in every_place(asked) - found.keys():
        assert place[1] != "", f"{place} is missing"
        found[place] = found[place[0], ""]
    assert found.keys() == every_place(asked)
    return found


def check_counts(scenario: Scenario, table: CountTable) -> int:
    """Check every cell of every form of a table of counts; return how many cells there were."""
    text = table.to_text()
    asked = Asked(scenario, text)
    grids: dict[str, dict[Place, Grid]] = {}
    forms = {
        "text": read_text(text),
        "Markdown": read_markdown(table.to_markdown()),
        "HTML": read_html(table.to_html()),
    }
    for form, found in forms.items():
        told = list(found)
        grids[form] = by_place(
            [(h.removesuffix(": decisions"), grid_of(r)) for h, r in told if "decisions" in h], asked
        )
        grids[f"boundaries in {form}"] = by_place(
            [(h.removesuffix(": boundaries"), bounded(r)) for h, r in told if "boundaries" in h], asked
        )
    rows = read_csv(table.to_csv())
    parts: dict[str, Grid] = {}
    for row in rows:
        parts.setdefault(row["levels"], {})[int(row["evaluable"]), int(row["dlts"])] = row["decision"]
    grids["CSV"] = by_place(list(parts.items()), asked)
    bounds: dict[str, list[list[str]]] = {}
    for row in read_csv(table.boundaries_csv()):
        name, _ = row.pop("levels"), None
        bounds.setdefault(name, [[]]).append(list(row.values()))
        bounds[name][0] = list(row)
    grids["boundaries as CSV"] = by_place([(name, bounded(_columns(rows))) for name, rows in bounds.items()], asked)
    cells = 0
    for place in every_place(asked):
        numbers = [1] if place[1] == "titration" else table.patients if scenario.titration is None else None
        grid = grids["CSV"][place]
        patients = sorted({n for n, _ in grid}) if numbers is None else list(numbers)
        counts = [(n, y) for n in patients for y in range(n + 1)]
        assert sorted(grid) == counts
        expected = dict(zip(counts, answers(asked, place, counts), strict=True))
        for form, said in grids.items():
            assert set(said[place]) <= set(expected)
            if not form.startswith("boundaries"):
                assert set(said[place]) == set(expected), form
            wrong = {cell: (letter, expected[cell]) for cell, letter in said[place].items() if letter != expected[cell]}
            assert not wrong, (form, place, wrong)
            cells += len(said[place])
    return cells


def _columns(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows of a part without the columns that it does not have."""
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows[1:])]
    return [[row[k] for k in kept] for row in rows]


def answers(asked: Asked, place: Place, counts: list[tuple[int, int]]) -> list[str]:
    """Return the letters of counts; two of them where the last cohort decides, the bolder one first."""
    questions = [(k, (n, y, 0, *last)) for k, (n, y) in enumerate(counts) for last in asked.last_cohorts(n, y)]
    letters = asked.letters(place, [question for _, question in questions])
    said: list[set[str]] = [set() for _ in counts]
    for (k, _), letter in zip(questions, letters, strict=True):
        said[k].add(letter)
    return [one_or_two(some) for some in said]


def one_or_two(some: set[str]) -> str:
    return next(iter(some)) if len(some) == 1 else f"E({next(iter(some - {'E'}))})" if len(some) == 2 else f"{some}"


STEPS = 8


def check_pending(scenario: Scenario, table: PendingTable) -> int:
    """Check every cell of every form of a table with patients pending; return how many cells there were."""
    text = table.to_text()
    asked = Asked(scenario, text)
    parts: dict[str, dict[tuple[int, int, int], dict[str, str]]] = {}
    for row in read_csv(table.to_csv()):
        cell = int(row["treated"]), int(row["dlts"]), int(row["pending"])
        parts.setdefault(row["levels"], {})[cell] = row
    told = by_place(list(parts.items()), asked)
    cells = 0
    for place, rows in told.items():
        treated = sorted({n for n, _, _ in rows})
        wanted = [(n, y, c) for n in treated for y in range(n + 1) for c in range(n - y + 1)]
        assert sorted(rows) == wanted
        check_followup(asked, place, rows)
        cells += len(rows)
    for form in (read_text(text), read_markdown(table.to_markdown()), read_html(table.to_html())):
        found = by_place([(heading, expanded(rows)) for heading, rows in form], asked)
        for place, rows in told.items():
            assert found[place] == {cell: words_of(row) for cell, row in rows.items()}
    return cells


def check_followup(asked: Asked, place: Place, rows: dict[tuple[int, int, int], dict[str, str]]) -> None:
    """Ask at steps of follow-up, and on both sides of every cut-off, with every last cohort."""
    questions, seen, told = [], [], []
    for (n, y, c), row in rows.items():
        at = [c * step / STEPS for step in range(STEPS + 1)] if c else [0.0]
        at += [float(row[name]) + side * 1e-5 for name in row if "followup" in name and row[name] for side in (-1, 1)]
        for followup in at:
            if 0 <= followup <= c:
                for last in asked.last_cohorts(n - c, y):
                    questions.append((n - c, y, c, *last))
                    seen.append(followup)
                    told.append((n, y, c, followup, said_at(row, followup)))
    letters: dict[Any, set[str]] = {}
    for key, letter in zip(told, asked.letters(place, questions, seen), strict=True):
        letters.setdefault(key, set()).add(letter)
    wrong = {key: some for key, some in letters.items() if one_or_two(some) not in key[4]}
    assert not wrong, (place, wrong)


def said_at(row: dict[str, str], followup: float) -> tuple[str, ...]:
    """Return what a line of the CSV says for a follow-up; two letters right at a cut-off."""
    letters = row["decision"].split(" or ")
    rises, waits, falls = (row[f"{name}_followup_{end}"] for name, end in
                           (("escalate_if", "from"), ("suspend_if", "from"), ("de_escalate_if", "to")))  # fmt: skip
    cut_offs = [float(at) for at in (rises, waits, falls) if at]
    if any(abs(followup - at) < 5e-6 for at in cut_offs):
        return tuple(letters)
    if rises and followup >= float(rises):
        return (next(letter for letter in letters if letter.startswith("E")),)
    if waits and followup >= float(waits):
        return ("SUS",)
    if falls and followup <= float(falls):
        return ("D",)
    rest = [
        x for x in letters if not (rises and x[0] == "E") and not (waits and x == "SUS") and not (falls and x == "D")
    ]
    return tuple(rest)


def words_of(row: dict[str, str]) -> str:
    """Return the words of a cell, made anew from its line in the CSV."""
    letters = row["decision"].split(" or ")
    if len(letters) == 1:
        return letters[0]
    told = {}
    for letter in letters:
        name = {"E": "escalate_if_followup_from", "SUS": "suspend_if_followup_from", "D": "de_escalate_if_followup_to"}
        at = row.get(name.get(letter.split("(")[0], ""), "")
        if at:
            told[letter] = f"{letter} if follow-up {'<=' if letter == 'D' else '>='} {float(at):.2f}"
    return ", ".join([*told.values(), *(f"otherwise {letter}" for letter in letters if letter not in told)])


def expanded(rows: list[list[str]]) -> dict[tuple[int, int, int], str]:
    """Return the words of each cell of a grid with patients pending."""
    found = {}
    for treated, dlts, pending, words in rows[1:]:
        n = int(treated)
        for y in numbers(dlts):
            some = range(n - y + 1) if pending == "any" else numbers(pending)
            for c in some:
                assert (n, y, c) not in found
                found[n, y, c] = words
    return found


def numbers(words: str) -> range:
    first, _, last = words.partition(" to ")
    return range(int(first), int(last or first) + 1)


COUNTS = dict(cases(RULES, ("3+3 A", "3+3 C", "BOIN", "BOIN, extrasafe", "mTPI-2", "i3+3", "table")))
PENDING = dict(
    cases(
        ROLLING, ("rolling six", "IQ rolling six", "table, pending", "TITE-BOIN, extrasafe", "TITE-BOIN, sample size")
    )
)


@pytest.mark.parametrize("name", COUNTS)
def test_every_cell_of_a_table_of_counts(name: str) -> None:
    rule, levels, around = COUNTS[name]
    scenario = of(rule, levels, **around)
    table = decision_table(scenario)
    assert isinstance(table, CountTable)
    assert check_counts(scenario, table) > 0


@pytest.mark.parametrize("rule", ["BOIN, extrasafe", "3+3 B", "Keyboard", "mTPI"])
def test_every_cell_of_a_table_of_every_number(rule: str) -> None:
    scenario = of(RULES[rule], 3, trial__planned_patients=36)
    check_counts(scenario, decision_table(scenario, 20))
    check_counts(scenario, decision_table(scenario))


@pytest.mark.parametrize("name", PENDING)
def test_every_cell_of_a_table_with_patients_pending(name: str) -> None:
    rule, levels, around = PENDING[name]
    scenario = of(rule, levels, **{"trial__planned_patients": 6 if "limits__coherence" in around else 9, **around})
    table = decision_table(scenario)
    assert isinstance(table, PendingTable)
    assert check_pending(scenario, table) > 0


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "around", [{}, {"limits__most_per_level": 6}, {"limits__no_skipping": "off"}, {"titration": {}}]
)
def test_every_cell_of_a_rule_of_ones_own(name: str, around: dict[str, Any]) -> None:
    for levels in (1, 2, 4):
        scenario = of({"python": name}, levels, **around)
        check_counts(scenario, decision_table(scenario))
