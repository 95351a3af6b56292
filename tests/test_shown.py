"""Results show themselves in little space and as data frames; names and calls that are wrong are one line."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import escalate
from escalate.errors import CallError
from escalate.studies.study import read_study
from small import small

EVIL = "<script>alert(1)</script> & $x_1$"
LEVELS = 6


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return one result of each kind, of a scenario whose texts are hostile and whose trials are short."""
    doses = [{"label": f"{EVIL} {k}"} for k in range(LEVELS)]
    scenario = small(
        trial__title=EVIL * 3,
        trial__planned_completion_date="2025-12-31",
        dose_levels=doses,
        toxicity__dlt_probability=[0.05 * k for k in range(1, LEVELS + 1)],
        accrual={"kind": "poisson", "consents_per_month": 9.0},
        ranges={"safety.review_delay_days": [0, 14]},
    )
    trials = escalate.simulate(scenario, trials=40)
    file = tmp_path_factory.mktemp("study") / "study.toml"
    (file.parent / "base.toml").write_text(scenario.to_toml(), encoding="utf-8")
    grid = '"accrual.consents_per_month" = [1.0, 2.0]\n"safety.cohort_size" = [2, 3]'
    file.write_text(f'scenario = "base.toml"\ntrials = 5\n[grid]\n{grid}\n', encoding="utf-8")
    truths = {f"{EVIL} {k}": [0.01 * k] * LEVELS for k in range(20)}
    return {
        "scenario": scenario,
        "trials": trials,
        "characteristics": escalate.characteristics(trials),
        "exact": escalate.exact(scenario),
        "trial": escalate.simulate_trial(scenario),
        "comparison": escalate.compare(scenario, ["3+3", "rolling six"], truths, trials=2, enumerate_exactly=False),
        "sensitivity": escalate.sensitivity(scenario, trials=5),
        "accrual": escalate.accrual(scenario, trials=10),
        "sweep": escalate.sweep(read_study(file)),
        "table": escalate.decision_table(scenario),
        "records": escalate.simulate_trial(scenario).events,
    }


class Page(HTMLParser):
    """Every tag is closed, in order; texts are told apart from tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.styles: list[str] = []
        self.text = ""
        self.rows = 0
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.rows += tag == "tr"
        self.styles += [value or "" for name, value in attrs if name == "style"]
        if tag not in ("br", "meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_result_shows_itself(results: dict[str, Any]) -> None:
    for kind, result in results.items():
        page = Page(result._repr_html_())
        assert "script" not in page.tags and (page.rows >= 2 or "pre" in page.tags), kind
        assert len(repr(result)) < 300, kind
        if kind != "table":  # whose colours are said for both
            assert not [style for style in page.styles if "color" in style or "background" in style], kind
            assert any("overflow:auto" in style for style in page.styles), kind


def test_what_is_shown_is_what_was_found(results: dict[str, Any]) -> None:
    from escalate.results.chance import in_percent

    found = results["characteristics"]
    page = Page(found._repr_html_()).text
    for level in (*range(1, LEVELS + 1), "no dose"):
        assert in_percent(found.get("recommended", level)) in page
    assert f"{results['exact'].no_dose:.3%}" in Page(results["exact"]._repr_html_()).text
    trial = results["trial"]
    shown = Page(trial._repr_html_()).text
    assert trial.dose_path in shown and all(row["reason"] in shown for row in trial.decisions)
    comparison = Page(results["comparison"]._repr_html_()).text
    assert "8 more truths" in comparison and comparison.count("rolling six") >= 12


def test_everything_is_a_data_frame(results: dict[str, Any]) -> None:
    pytest.importorskip("pandas")
    rows = {kind: result.to_pandas() for kind, result in results.items()}
    assert all(len(frame) for frame in rows.values())
    assert len(rows["trials"]) == 40 and len(rows["exact"]) == LEVELS + 1
    assert rows["trial"]["infusion_date"].dtype.kind == "M" and rows["trial"]["sentinel"].dtype == "boolean"
    trial = results["trial"]
    assert [None if value is None else value == "yes" for value in trial.patients["sentinel"]] == [
        None if value is __import__("pandas").NA else bool(value) for value in rows["trial"]["sentinel"]
    ]
    keys = dict(zip(rows["scenario"]["key"], rows["scenario"]["value"], strict=True))
    assert keys["safety.dlt_window_days"] == 28


def test_the_wide_form_has_the_same_estimates(results: dict[str, Any]) -> None:
    pytest.importorskip("pandas")
    one = results["characteristics"]
    wide = one.to_pandas(wide=True)
    assert len(wide) == 1 and wide.shape[1] == len(one.estimates)
    assert wide["recommended, level 2"][0] == one.get("recommended", 2).estimate
    assert wide["duration"][0] == one.get("duration").estimate
    compared = results["comparison"]
    wide = compared.to_pandas(wide=True)
    assert len(wide) == 2 * 20
    for row in wide.to_dict("records"):
        found = compared.get("infused", "all", rule=row["rule"], truth=row["truth"])
        assert row["infused, all"] == found.estimate
    swept = results["sweep"].to_pandas(wide=True)
    assert len(swept) == 4 and list(swept.columns[:3]) == ["point", "accrual.consents_per_month", "safety.cohort_size"]


def test_a_person_finds_the_names(results: dict[str, Any]) -> None:
    assert escalate.getprior(0.05, 0.25, 2, 3)[1] == pytest.approx(0.25)
    assert escalate.binomial_interval(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert "BOIN" in escalate.rules() and escalate.rules("BOIN").startswith("BOIN: ")
    assert repr(escalate.rules("BOIN")) == str(escalate.rules("BOIN"))
    scenario = results["scenario"]
    assert escalate.Scenario.from_dict(scenario.filled()).resolved() == scenario.resolved()
    names = {name for name in dir(scenario) if not name.startswith("_")}
    assert {"safety", "rule", "replace", "to_toml"} <= names and not {"model_dump", "json", "construct"} & names
    assert "dlt_window_days" in dir(scenario.safety)


def test_rooms_are_asked_and_imported_by_the_same_name() -> None:
    """Whatever was imported before, and in whichever order."""
    import escalate.cautions.found
    import escalate.rules.base as base
    import escalate.rules.catalogue

    assert base is sys.modules["escalate.rules.base"]
    for name in escalate.__all__:
        assert callable(getattr(escalate, name)), name
    assert escalate.rules("BOIN").startswith("BOIN: ")
    assert escalate.cautions(escalate.load("nct06337474")) == ()
    assert isinstance(sys.modules["escalate.rules"], ModuleType) and "pure decision" in str(escalate.rules.__doc__)


def wrong_calls(results: dict[str, Any]) -> list[tuple[Any, str]]:
    scenario, found = results["scenario"], results["characteristics"]
    return [
        (lambda: escalate.simulate("x.toml"), "a Scenario, got the text 'x.toml'; escalate.load('x.toml') reads one"),
        (lambda: escalate.simulate(scenario, trials="10"), "trials is a whole number, got the text '10'"),
        (lambda: escalate.simulate(scenario, trials=1.5), "trials is a whole number, got 1.5"),
        (lambda: escalate.simulate(scenario, trails=10), "simulate has no argument 'trails'; did you mean trials?"),
        (lambda: escalate.simulate(scenario, 10), "the rest by name, as in simulate(scenario, trials=10); got 2"),
        (lambda: escalate.simulate_trial(scenario, seed="1"), "seed is a whole number"),
        (lambda: escalate.compare(scenario, "BOIN"), 'is a list, as in ["3+3", "BOIN target=0.25"]; got the text'),
        (lambda: escalate.characteristics(scenario), "characteristics(simulate(scenario, trials=...)) is meant"),
        (lambda: escalate.story(scenario), "story takes a Trial"),
        (lambda: escalate.summary(results["trial"]), "summary takes a Characteristics"),
        (lambda: escalate.exact("six"), "exact takes a Scenario"),
        (lambda: escalate.decision_table(results["trial"]), "decision_table takes a Scenario"),
        (lambda: escalate.sweep(scenario), "sweep takes a Study"),
        (lambda: escalate.rules("boim"), "there is no rule 'boim'. Did you mean `BOIN`?"),
        (lambda: found.get("recomended", 1), "did you mean 'recommended'"),
        (lambda: found.get("recommended", 99), "it has 1, 2, 3, 4, 5, 6, 'no dose'"),
        (lambda: results["comparison"].get("dlts", "all", rule="BOIN", truth="x"), "no rule 'BOIN'; there are"),
        (lambda: escalate.charateristics, "did you mean characteristics"),
    ]  # fmt: skip


def test_what_is_called_wrongly_is_one_line(results: dict[str, Any]) -> None:
    for call, said in wrong_calls(results):
        with pytest.raises((CallError, ValueError, KeyError, AttributeError)) as error:
            call()
        text = str(error.value)
        assert said in text and "\n" not in text and len(text) < 3000, text
        assert isinstance(error.value, (escalate.EscalateError, KeyError, AttributeError))


@pytest.mark.parametrize("trials", [1e1, 10, np.int64(10), np.float64(10.0)])
def test_whole_numbers_however_they_are_written(trials: Any) -> None:
    assert len(escalate.simulate(small(), trials=trials)) == 10


def test_a_call_keeps_its_signature_and_text() -> None:
    import inspect

    assert list(inspect.signature(escalate.simulate).parameters)[:2] == ["scenario", "trials"]
    assert "Parameters" in str(escalate.simulate.__doc__) and Path(inspect.getsourcefile(escalate.simulate) or "").name
