"""The page of a run: it says all, escapes all, is one file, and a real browser shows and prints all of it."""

from __future__ import annotations

import math
import re
import unicodedata
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import escalate
import escalate.export.trial
from chromium import A4_INSIDE, measured, needs_chromium, printed
from escalate import Scenario
from escalate.cautions import caution_sentences, cautions
from escalate.cli import main
from escalate.export import simulation
from escalate.pages import run_page
from escalate.pages.page import unbroken
from escalate.pages.run import FIGURES
from escalate.pages.table import LEFT_OUT, table_of
from escalate.report.answer import five_lines
from escalate.results.chance import in_percent
from escalate.results.estimates import Characteristics
from escalate.scenario.own_rules import Known
from escalate.scenario.sources import ledger
from escalate.studies.simulation import provenance
from escalate.words.records import NO_DOSE
from small import small

LETTERS = {"svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="700pt" height="300pt"><path d="M0 0H9"/></svg>'}
DRAWN = {name: LETTERS["svg"].replace(b"H9", f"H{place}".encode()) for place, (name, *_) in enumerate(FIGURES)}
MARGIN = 15 / 25.4 * 72 - 0.5
"""Margin of a printed page, but for rounding [points]."""

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "{{ 7 * 7 }} {% raw %} $\\frac{1}{2}$ & &amp; \"quoted\" 'so'",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "剂量水平一：嵌合抗原受体自然杀伤细胞，每平方米体表面积，难治性原发性免疫性血小板减少症" * 2,
    "</title></style><b>bold</b>",
)


class Read(HTMLParser):
    """What a page says: its texts, its tags, its pictures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)
        self.text = _spaced("".join(self.words))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in ("td", "th", "dd", "dt", "li", "p", "div"):
            self.words.append(" ")

    @property
    def figures(self) -> list[bytes]:
        """The pictures that the page holds."""
        begins = "data:image/svg+xml;base64,"
        return [b64decode(value.removeprefix(begins)) for name, value in self.attributes if name == "src"]


def _spaced(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def hostile() -> Scenario:
    """A scenario in which every name is somebody's attack, and whose decision table is as wide as they come."""
    labels = [{"label": words} for words in HOSTILE]
    sources = {"sources.trial": f"literature: {HOSTILE[0]} https://example.org/{'a' * 300}"}
    return small(
        trial__title=" ".join(HOSTILE),
        trial__planned_patients=36,
        dose_levels=labels,
        safety__cohort_size=1,
        rule={"name": "BOIN", "target": 0.3},
        toxicity__dlt_probability=[0.1, 0.2, 0.3, 0.4, 0.5, 0.2],
        accrual__consent_days=list(range(0, 3000, 7)),
        screening__failure_probability={HOSTILE[0]: 0.1, HOSTILE[3]: 0.1},
        **{key.replace(".", "__"): value for key, value in sources.items()},
    )


@pytest.fixture(scope="module")
def found(base: Scenario) -> Characteristics:
    return escalate.characteristics(escalate.simulate(base, trials=60))


def page_of(scenario: Scenario, figures: dict[str, bytes] = DRAWN, **asked: int) -> tuple[Characteristics, str]:
    found = escalate.characteristics(escalate.simulate(scenario, **{"trials": 40, **asked}))
    return found, run_page(found, escalate.simulate_trial(scenario), figures)


@pytest.fixture(scope="module")
def hostile_found(hostile: Scenario) -> tuple[Characteristics, str]:
    return page_of(hostile)


@pytest.fixture(scope="module")
def hostile_page(hostile_found: tuple[Characteristics, str]) -> str:
    return hostile_found[1]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write a small picture instead of each figure, since drawing takes a second each; list those that are drawn."""
    drawn: list[str] = []

    def plot(name: str) -> str:
        drawn.append(name)
        return name

    for module in (simulation, escalate.export.trial):
        for name in [name for name in vars(module) if name.startswith("plot_")]:
            monkeypatch.setattr(module, name, lambda *_, name=name: plot(name.removeprefix("plot_").replace("_", "-")))
    monkeypatch.setattr("escalate.export.figures.image", lambda name, kind: DRAWN[name])
    return drawn


# What it says


def test_question_and_answer_in_five_lines(found: Characteristics, base: Scenario) -> None:
    lines = five_lines(found)
    heads, said = zip(*lines, strict=True)
    assert heads == ("Question", "Which dose?", "No dose?", "When?", "What drives it?")
    best = found.get("recommended", 2)
    assert "rule 3+3, variant C" in said[0] and "at most 9 evaluable patients" in said[0] and "60 simulated" in said[0]
    assert said[1] == f"Recommended most often: level 2, 13.5e9 cells, in {in_percent(best)}."
    assert said[2].startswith(f"No dose is recommended in {in_percent(found.get('recommended', NO_DOSE))}: ")
    assert "the planned patients do not suffice for the rule to finish" in said[2]
    day = round(found.get("trial ended: 50% quantile").estimate)
    assert f"Last follow-up: median {escalate.simulate_trial(base).date_of(day)}, 80% of the trials" in said[3]
    in_time = in_percent(found.get("finished by planned completion date"))
    assert said[3].endswith(f"Finished by 2026-07-30, as planned, with a dose or without one: {in_time}.")
    assert said[4].startswith(
        "0.857 consents a month; 30% fail screening; 22 closures; P(DLT) assumed 3%, 6%. Longest of all is wait"
    )


def test_a_trial_of_one_level_whose_end_nobody_sees() -> None:
    never = small(dose_levels=[{"label": "low"}], toxicity__dlt_probability=[0.0], trial__max_days=400)
    found, page = page_of(never)
    said = dict(five_lines(found))
    assert "(the only one is low, or none)" in said["Question"]
    assert said["When?"] == "40 trials were ended by trial.max_days: not finished, and their durations stop there."
    assert said["When?"] in Read(page).text


def test_the_page_says_all(base: Scenario, hostile_found: tuple[Characteristics, str]) -> None:
    for found, page in (page_of(base), hostile_found):
        scenario = found.tally.scenario
        text = Read(page).text
        told = [words for _, words in five_lines(found)]
        told += [scenario.trial.title_and_id, *caution_sentences(cautions(scenario))]
        told += [in_percent(found.get("recommended", level)) for level in (1, 2, NO_DOSE)]
        told += [f"{entry.key} = {entry.value_text[:200]}" for entry in ledger(scenario)]
        told += [entry.source for entry in ledger(scenario)]
        table = escalate.decision_table(scenario)
        told += [" ".join(cell.split()) for row in table.sheet().blocks[-1].lines for cell in [row]]
        told += [str(value) for value in provenance(scenario, seed=1, first=0, trials=40).values()]
        assert [words for words in told if _spaced(words) not in text] == []
    assert cautions(hostile_found[0].tally.scenario)


def test_no_advice_in_the_words_of_the_command(hostile_page: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    advice = "A simulation is no medical advice: what comes out rests on the scenario's assumptions."
    assert advice in _spaced(capsys.readouterr().out)
    assert advice in Read(hostile_page).text


def test_every_word_is_escaped(hostile: Scenario, hostile_page: str, base: Scenario) -> None:
    read, plain = Read(hostile_page), Read(page_of(base)[1])
    assert read.tags - plain.tags <= {"ul", "li"}
    assert {name for name, _ in read.attributes} == {name for name, _ in plain.attributes}
    for words in HOSTILE:
        assert read.text.count(_spaced(words)) >= 3  # title, level, question or table
    assert "49" not in read.text.partition("{{ 7 * 7 }}")[0][-10:]


def test_the_page_needs_nothing_else(hostile_page: str) -> None:
    read = Read(hostile_page)
    addresses = [value for name, value in read.attributes if name in ("src", "href", "action", "data")]
    assert len(addresses) == len(FIGURES)
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)
    assert "url(" not in hostile_page and "@import" not in hostile_page
    assert "default-src 'none'" in dict(read.attributes)["content"] or "default-src 'none'" in hostile_page


def test_dates_and_errors_stay_whole() -> None:
    words = 'in 9.8% ± 0.7 <b> of 2026-08-25, 100% [83, 100], 6 days in all "±"'
    whole = re.findall('<span class="unbroken">(.*?)</span>', unbroken(words))
    assert whole == ["9.8% ± 0.7", "2026-08-25", "100% [83, 100]"]
    assert Read(unbroken(words)).text == words


def test_a_rule_that_cannot_be_asked_about_a_level_has_next_doses(base: Scenario) -> None:
    def by_all_levels(known: Known) -> str:
        if known.level > 1 and not known.evaluable[0]:
            raise ValueError("nobody is treated so")
        return "stay" if sum(known.evaluable) < 6 else "stop"

    own = base.replace({"rule": {"python": escalate.rule(by_all_levels, name="by_all_levels").__name__}})
    text = Read(page_of(own)[1]).text
    assert "after" in text
    assert "escalate run resolved.json --trials 40 --seed 1 --allow-python" in text


SIX = (0.02, 0.06, 0.12, 0.25, 0.4, 0.55)


def levels(number: int, rule: dict[str, Any]) -> Scenario:
    labels = [{"label": f"{k} mg"} for k in range(1, number + 1)]
    return small(dose_levels=labels, toxicity__dlt_probability=SIX[:number], rule=rule)


def test_what_a_page_has_no_room_for_is_said() -> None:
    four = levels(4, {"name": "BLRM", "doses": [1, 2, 4, 8]})
    shown, whole = table_of(four), escalate.decision_table(four)
    assert "P(over) 4" in whole.to_html() and "P(over) 4" not in shown.html
    assert all(escape(row.words) in shown.html for row in whole.rows)
    assert shown.remark == LEFT_OUT


def test_why_there_is_no_decision_table(base: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*given: Any, **options: Any) -> None:
        raise escalate.EscalateError("the rule <b>does not answer</b>")

    monkeypatch.setattr("escalate.pages.table.decision_table", refuses)
    assert "There is none: the rule <b>does not answer</b>" in Read(page_of(base)[1]).text


# How it is written


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_figures_are_drawn_once_and_stand_on_the_page(base: Scenario, tmp_path: Path, undrawn: list[str]) -> None:
    escalate.run(base, tmp_path / "out", trials=20)
    assert sorted(undrawn) == sorted(name for name, *_ in FIGURES)
    written = {name.rpartition("/")[2]: data for name, data in files(tmp_path / "out").items()}
    figures = Read((tmp_path / "out" / simulation.PAGE).read_text(encoding="utf-8")).figures
    assert figures == [written[f"{name}.svg"] for name, *_ in FIGURES] == list(DRAWN.values())


@pytest.mark.usefixtures("undrawn")
def test_equal_results_are_equal_pages(base: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    escalate.run(base, tmp_path / "out", trials=20, seed=3)
    page = (tmp_path / "out" / simulation.PAGE).read_bytes()
    again = re.search(rb"<pre>(.*)</pre>", page)
    assert again is not None
    monkeypatch.chdir(tmp_path / "out")
    assert main([*again[1].decode().split()[1:], "--out", "../again"]) == 0
    assert (tmp_path / "again" / simulation.PAGE).read_bytes() == page


def test_trials_that_begin_later_are_made_again_in_python(base: Scenario) -> None:
    page = page_of(base, trials=3, first=5)[1]
    code = 'esc.characteristics(esc.simulate(esc.load("resolved.json"), trials=3, seed=1, first=5)).save("again")'
    assert code in Read(page).text


def test_a_figure_that_cannot_be_drawn_is_said_on_the_page(
    base: Scenario, tmp_path: Path, undrawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(found: Characteristics) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr(simulation, "plot_durations", fails)
    with pytest.raises(escalate.errors.IncompleteError, match=r"^durations could not be drawn"):
        escalate.run(base, tmp_path / "out", trials=20)
    read = Read((tmp_path / "out" / simulation.PAGE).read_text(encoding="utf-8"))
    assert len(read.figures) == len(FIGURES) - 1
    assert "When is the trial finished? This figure could not be drawn." in read.text


@pytest.mark.usefixtures("undrawn")
def test_a_page_that_cannot_be_made_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    escalate.run(escalate.load("nct06337474"), tmp_path / "whole", trials=20)
    monkeypatch.setattr(simulation, "run_page", lambda *given: 1 / 0)
    assert main(["run", "nct06337474", "--trials", "20", "--out", str(tmp_path / "out")]) == 1
    assert "report.html could not be drawn (ZeroDivisionError" in capsys.readouterr().err
    assert files(tmp_path / "whole").keys() - files(tmp_path / "out").keys() == {simulation.PAGE}


# In a browser


@pytest.fixture(scope="module")
def shown(base: Scenario, hostile_page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Pages to be looked at: a real run with its figures, the hostile one, and the widest table that has all in it."""
    out = tmp_path_factory.mktemp("shown") / "out"
    escalate.run(base, out, trials=60)
    next_doses = page_of(levels(6, {"name": "CRM", "target": 0.25, "skeleton": list(SIX)}))[1]
    run = (out / simulation.PAGE).read_text(encoding="utf-8")
    return {"base": run, "hostile": hostile_page, "next doses": next_doses}


@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_shows_all_of_it(shown: dict[str, str], tmp_path: Path, dark: bool) -> None:
    found, console = measured(shown, [1200, 400], tmp_path, dark)
    assert console == []
    assert found.keys() == {(name, how) for name in shown for how in ("1200", "400", "print")}
    for (name, how), page in found.items():
        assert page["texts"] > 150 and page["pictures"] == len(FIGURES), (name, how)
        assert page["dark"] == dark
        assert (page["paper"] == "rgb(255, 255, 255)") == (not dark or how == "print")
        for fault in ("overlaps", "cut", "missing", "faint", "active"):
            assert page[fault] == [], (name, how, fault)
        assert page["wider"] == 0, (name, how)
        if how == "print":
            assert page["tallest"] <= A4_INSIDE[1] and page["widest"] <= A4_INSIDE[0]


def letters(paper: Path) -> Iterator[tuple[str, float, float, float]]:
    """Yield the texts of a PDF: words, where they begin from the left and from below, size of the letters [points]."""
    from pypdf import PdfReader

    for sheet in PdfReader(paper).pages:
        assert (round(float(sheet.mediabox.width)), round(float(sheet.mediabox.height))) == (595, 842)
        parts: list[Any] = []
        sheet.extract_text(visitor_text=lambda *part, to=parts: to.append(part))
        for words, page, line, _, size in parts:  # two transformations, of the line and of the page
            if words.strip():
                along, across, _, _, left, up = together(line, page)
                yield words, left, up, size * math.hypot(along, across)


def together(one: list[float], other: list[float]) -> tuple[float, ...]:
    """Return one transformation of a PDF and then another, as one."""
    (a, b, c, d, e, f), (p, q, r, s, t, u) = one, other
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


@needs_chromium
@pytest.mark.parametrize("name", ["base", "hostile"])
def test_nothing_is_cut_on_paper(shown: dict[str, str], tmp_path: Path, name: str) -> None:
    pytest.importorskip("pypdf")
    found = list(letters(printed(shown[name], tmp_path)))
    wanted = characters(Read(shown[name].partition("<body>")[2]).text)
    assert wanted - characters("".join(words for words, *_ in found)) == Counter()
    title = max(size for *_, size in found)
    assert title == pytest.approx(15, abs=1e-3)  # a page that is too wide is made smaller as a whole
    outside = [part for part in found if not (MARGIN < part[1] < 595 - MARGIN and MARGIN < part[2] < 842 - MARGIN)]
    assert outside == []


def characters(text: str) -> Counter[str]:
    """Return the letters of a text, whatever their order, without ligatures and spaces."""
    return Counter("".join(unicodedata.normalize("NFKC", text).split()))
