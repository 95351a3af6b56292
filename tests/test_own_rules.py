"""Rules of one's own: Python functions and decision tables, in every engine; and what can be wrong with them."""

from __future__ import annotations

import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import escalate as esc
from conftest import ROOT
from escalate.cli import main
from escalate.errors import RuleError, ScenarioError
from escalate.rules import make_rule
from escalate.scenario.own_rules import REGISTERED, Known
from escalate.scenario.rules import TableRule
from escalate.words.data_cut import DataCut
from escalate.words.records import Action
from small import small

BASE = (ROOT / "scenarios" / "nct06337474.toml").read_text(encoding="utf-8")
RULE = '''import escalate as esc


@esc.rule(target=0.25)
def cautious(known):
    """Up after four without a DLT, down after two DLTs."""
    if known.y == 0 and known.n >= 4:
        return "escalate"
    return "de-escalate" if known.y >= 2 else "stay"
'''


@pytest.fixture(autouse=True)
def forget() -> Any:
    """Let no test see the rules of another."""
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


def register(function: Any, **options: Any) -> str:
    esc.rule(name="own", **options)(function)
    return "own"


def ask(function: Any, **options: Any) -> Any:
    """Return the exact results of a small trial under a rule."""
    register(function, **options)
    return esc.exact(small(rule={"python": "own"}, toxicity__dlt_probability=[0.2, 0.4]))


def boin_in_python(known: Known) -> Any:
    """BOIN for a target of 0.25 in plain Python: boundaries .1968 and .2984, eliminations for n = 3, 6, 9, 12."""
    gone = {3: 3, 6: 4, 9: 5, 12: 6}
    levels = range(known.levels)
    toxic = [known.dlts[k] >= gone.get(known.evaluable[k], 99) for k in levels]
    highest = next((k for k in levels if toxic[k]), known.levels)  # levels below it may be given
    if highest == 0:
        return "stop"
    if known.level > highest:
        return highest
    rate = known.y / known.n
    if rate <= 0.1968:
        return min(known.level + 1, highest)
    return max(known.level - 1, 1) if rate >= 0.2984 else known.level


def test_a_function_gives_the_same_as_the_rule_that_it_copies(base: esc.Scenario) -> None:
    """BOIN written in Python: every dose path and its probability, the table, and trial after trial on the calendar."""
    esc.rule(target=0.25)(boin_in_python)
    changes = {"toxicity.dlt_probability": [0.15, 0.35], "accrual.consents_per_month": 8.0}
    theirs = base.replace({"rule": {"name": "BOIN", "target": 0.25}, **changes})
    ours = base.replace({"rule": {"python": "boin_in_python"}, **changes})
    assert esc.exact(ours).recommended == pytest.approx(esc.exact(theirs).recommended, rel=0, abs=1e-12)
    assert [(p.path, p.recommended) for p in esc.dose_paths(ours)] == [
        (p.path, p.recommended) for p in esc.dose_paths(theirs)
    ]
    both = [esc.decision_table(s, [3, 6, 9]) for s in (ours, theirs)]
    assert both[0].parts == both[1].parts
    for replicate in range(60):
        one, other = (esc.simulate_trial(s, seed=4, replicate=replicate) for s in (ours, theirs))
        assert one.dose_path == other.dose_path
        assert (one.recommended, one.duration_days) == (other.recommended, other.duration_days)


def test_every_answer_means_what_it_says() -> None:
    answers = {"stay": 1, "escalate": 2, "de-escalate": 1, 1: 1, 2: 2}
    for answer, expected in answers.items():
        register(lambda known, answer=answer: answer)
        rows = esc.decision_table(small(rule={"python": "own"}), after="1NNN", cohorts=1).rows
        assert rows[0].decision.level + 1 == expected, answer
    register(lambda known: ("stop", 2))
    assert ask(lambda known: ("stop", 2)).recommended == pytest.approx((0.0, 1.0))
    assert ask(lambda known: "stop").no_dose == pytest.approx(1.0)


def test_what_a_function_is_told() -> None:
    told: list[Known] = []
    ask(lambda known: told.append(known) or "stop")
    first = Known(level=1, levels=2, evaluable=(3, 0), dlts=(0, 0), pending=(0, 0), followup=(0.0, 0.0))
    assert first in told
    assert {(known.n, known.y) for known in told} == {(3, 0), (3, 1), (3, 2), (3, 3)}


def test_without_a_target_the_cap_is_inconclusive() -> None:
    found = ask(lambda known: "stay")
    assert found.reasons == {"cap reached, inconclusive": pytest.approx(1.0)}
    assert ask(lambda known: "stay", target=0.25).reasons == {"cap reached": pytest.approx(1.0)}


def test_a_rolling_function(base: esc.Scenario) -> None:
    """Suspend while anybody is pending: then nobody is infused while another's window is open."""

    def one_by_one(known: Known) -> str:
        return "suspend" if any(known.pending) else ("escalate" if known.y == 0 and known.n else "stay")

    register(one_by_one, target=0.25, rolling=True)
    scenario = base.replace({"rule": {"python": "own"}, "safety.cohort_size": 1, "accrual.consents_per_month": 8.0})
    trial = esc.simulate_trial(scenario, seed=2)
    rows = sorted((r["infusion_day"], r["outcome_day"]) for r in trial.patients if r["infusion_day"] is not None)
    assert len(rows) >= 9
    assert all(outcome <= infusion for (_, outcome), (infusion, _) in itertools.pairwise(rows))
    assert "suspend" in trial.decisions["action"]


FAULTS = {
    "raises": (lambda known: 1 / (known.y - 2), r"raised ZeroDivisionError: division by zero"),
    "no such level": (lambda known: 7, r"answered level 7; there are levels 1 to 2"),
    "level zero": (lambda known: 0, r"answered level 0; there are levels 1 to 2"),
    "stop at no level": (lambda known: ("stop", 3), r"answered level 3; there are levels 1 to 2"),
    "true is no level": (lambda known: True, r"answered True; allowed are"),
    "a word": (lambda known: "up", r"answered 'up'; allowed are \"escalate\", \"stay\""),
    "nothing": (lambda known: None, r"answered None; allowed are"),
    "an array": (lambda known: np.array([1, 2]), r"answered array\(\[1, 2\]\); allowed are"),
    "not a number": (lambda known: float("nan"), r"answered nan; allowed are"),
    "leaves": (lambda known: sys.exit("enough"), r"raised SystemExit: enough"),
    "suspends, and is no rolling rule": (lambda known: "suspend", r"answered 'suspend'; allowed are"),
}


@pytest.mark.parametrize(("function", "says"), FAULTS.values(), ids=FAULTS)
def test_faults_name_the_rule_and_the_counts(function: Any, says: str) -> None:
    with pytest.raises(RuleError, match=r"rule 'own' at level 1, with DLTs/evaluable \d/\d, 0/0: " + says):
        ask(function)


def test_a_fault_in_a_simulation_names_the_trial_too(base: esc.Scenario) -> None:
    register(lambda known: 1 / (known.n - 3))
    scenario = base.replace({"rule": {"python": "own"}})
    with pytest.raises(RuleError, match=r"trial 5 of seed 3, day \d+: rule 'own' at level 1, .*ZeroDivisionError"):
        esc.simulate_trial(scenario, seed=3, replicate=5)


def test_an_answer_that_changes_is_a_fault() -> None:
    answers = itertools.cycle(["stay", "escalate"])
    with pytest.raises(RuleError, match="answered 'stay' and then 'escalate'; a rule must always answer the same"):
        ask(lambda known: next(answers))


def test_a_target_must_be_one() -> None:
    with pytest.raises(ValueError, match=r"target must be inside \(0, 1\), got 1.5"):
        esc.rule(target=1.5)(lambda known: "stay")


# Files


def files(tmp_path: Path, rule: str, **texts: str) -> str:
    """Write a scenario with a rule, and files beside it; return the scenario's path."""
    text = BASE.replace('name = "3+3"', rule).replace(
        'variant = "C"          # B would accept the highest level after 3 patients\n', ""
    )
    text = "\n".join(line for line in text.splitlines() if not line.startswith(('variant = "C"', '"rule.')))
    (tmp_path / "scenario.toml").write_text(text, encoding="utf-8")
    for name, content in texts.items():
        (tmp_path / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return str(tmp_path / "scenario.toml")


PYTHON = 'python = "my_rules.py:cautious"'


def test_code_runs_only_when_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "ran"
    path = files(tmp_path, PYTHON, my_rules__py=f"open({str(mark)!r}, 'w').close()\n" + RULE)
    for verb in (["check"], ["run", "--no-files"], ["exact"], ["table"], ["trial", "--no-files"]):
        assert main([verb[0], path, *verb[1:]]) == 2
        assert "give --allow-python" in capsys.readouterr().err
    assert not mark.exists()
    assert main(["exact", path, "--allow-python"]) == 0
    assert mark.exists()
    assert "rule my_rules.py:cautious" in capsys.readouterr().out


def test_a_run_with_a_rule_file_is_made_again(tmp_path: Path) -> None:
    path = files(tmp_path, PYTHON, my_rules__py=RULE)
    first, again = tmp_path / "first", tmp_path / "again"
    assert main(["run", path, "--allow-python", "--trials", "20", "--out", str(first)]) == 0
    assert (first / "my_rules.py").read_text() == RULE
    assert main(["run", str(first / "resolved.json"), "--allow-python", "--trials", "20", "--out", str(again)]) == 0
    for name in ("summary.txt", "characteristics.csv", "trials.npz", "resolved.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
    (first / "my_rules.py").write_text(RULE.replace(">= 4", ">= 3"))
    with pytest.raises(ScenarioError, match=r"my_rules.py has changed since these results were made"):
        esc.load(first / "resolved.json", allow_python=True)


def test_a_file_whose_rule_is_loaded_is_loaded_again_when_it_changes(tmp_path: Path) -> None:
    path = files(tmp_path, PYTHON, my_rules__py=RULE)
    first = esc.load(path, allow_python=True)
    (tmp_path / "my_rules.py").write_text(RULE.replace("known.n >= 4", "known.n >= 1"), encoding="utf-8")
    second = esc.load(path, allow_python=True)
    assert level_2_recommended(second) > level_2_recommended(first)


def level_2_recommended(scenario: esc.Scenario) -> float:
    """Return the exact probability that the second dose level is recommended."""
    return float(esc.exact(scenario).recommended[1])


def test_files_of_one_name_keep_their_own_rules(tmp_path: Path) -> None:
    probabilities = []
    scenarios = []
    for folder, code in (("timid", RULE), ("bold", RULE.replace("known.n >= 4", "known.n >= 1"))):
        (tmp_path / folder).mkdir()
        scenarios.append(esc.load(files(tmp_path / folder, PYTHON, my_rules__py=code), allow_python=True))
        probabilities.append(level_2_recommended(scenarios[-1]))
    assert probabilities[0] < probabilities[1]
    assert "cautious" not in REGISTERED
    assert [level_2_recommended(scenario) for scenario in scenarios] == probabilities


def test_a_file_leaves_the_names_of_the_session_alone(tmp_path: Path) -> None:
    esc.rule(lambda known: "stay", name="cautious")
    mine = REGISTERED["cautious"]
    esc.load(files(tmp_path, PYTHON, my_rules__py=RULE), allow_python=True)
    assert REGISTERED["cautious"] is mine


def test_a_scenario_with_a_rule_file_can_be_changed(tmp_path: Path) -> None:
    scenario = esc.load(files(tmp_path, PYTHON, my_rules__py=RULE), allow_python=True)
    changed = scenario.replace({"toxicity": {"dlt_probability": [0.5, 0.6]}})
    assert changed.rule == scenario.rule
    assert level_2_recommended(changed) < level_2_recommended(scenario)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (None, "my_rules.py cannot be read: No such file"),
        ("import sys; sys.exit('enough')", "my_rules.py cannot be run: SystemExit: enough"),
        ("def cautious(:", "my_rules.py cannot be run: SyntaxError"),
        ("raise RuntimeError('no')", "my_rules.py cannot be run: RuntimeError: no ("),
        ("def cautious(known): pass", "registers no function 'cautious' with @escalate.rule; it registers: none"),
        (RULE.replace("cautious", "bold"), "registers no function 'cautious' with @escalate.rule; it registers: bold"),
    ],
)
def test_bad_rule_files(tmp_path: Path, code: str | None, says: str) -> None:
    path = files(tmp_path, PYTHON, **({} if code is None else {"my_rules__py": code}))
    with pytest.raises(ScenarioError) as caught:
        esc.load(path, allow_python=True)
    (problem,) = caught.value.problems
    assert says in str(problem)
    assert problem.line > 0


def test_check_says_that_a_rule_does_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", files(tmp_path, 'python = "nobody"')]) == 2
    assert "no such rule is loaded" in capsys.readouterr().err


def test_a_name_that_nobody_registered_is_refused_at_once(base: esc.Scenario, tmp_path: Path) -> None:
    says = r"rule.python = owm: no such rule is loaded. Did you mean `own`\? Register"
    register(lambda known: "stay")
    for make in (
        lambda: base.replace({"rule": {"python": "owm"}}),
        lambda: base.replace({"rule": {"python": "own"}}).replace({"rule.python": "owm"}),
        lambda: esc.load(base.resolved() | {"rule": {"python": "owm"}}),
        lambda: esc.load(files(tmp_path, 'python = "owm"')),
    ):
        with pytest.raises(ScenarioError, match=says):
            make()


def test_a_result_of_a_function_that_is_gone_is_read(base: esc.Scenario, tmp_path: Path) -> None:
    """So that it can be compared with others; it cannot be run."""
    made = base.replace({"rule": {"python": register(lambda known: "stay")}})
    (tmp_path / "resolved.json").write_text(json.dumps(made.resolved()), encoding="utf-8")
    del REGISTERED["own"]
    with pytest.raises(RuleError, match=r"rule.python = 'own': no such rule is loaded"):
        esc.exact(esc.load(tmp_path / "resolved.json"))


def test_a_rule_without_its_name_is_told_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="rule: needs a `name`; it has an unknown key `pyhton`: did you mean `pyt"):
        esc.load(files(tmp_path, 'pyhton = "my_rules.py:cautious"'))


def test_an_error_names_the_line_of_the_function(tmp_path: Path) -> None:
    """The line of the person's own code, not of what it called; levels and tuples where it looked beyond."""
    code = "import math\n" + RULE.replace(
        "    if known.y ==", "    math.log(known.dlts[known.level])\n    if known.y =="
    )
    scenario = esc.load(files(tmp_path, PYTHON, my_rules__py=code), allow_python=True)
    says = rf"raised ValueError: .* \({re.escape(str(tmp_path))}.my_rules.py, line 8\)$"
    with pytest.raises(RuleError, match=says):
        esc.decision_table(scenario, after="1NNN", cohorts=1)
    (tmp_path / "my_rules.py").write_text(code.replace("[known.level]", "[known.level + 1]"), encoding="utf-8")
    counted = (
        r"line 8\); known.level counts from 1, and known.dlts and the others from 0: .* known.dlts\[known.level - 1\]"
    )
    with pytest.raises(RuleError, match=counted):
        esc.decision_table(esc.load(str(tmp_path / "scenario.toml"), allow_python=True), after="1NNN", cohorts=1)


HEAD = "evaluable,dlts,decision\n"
THREES = HEAD + "".join(
    f"{n},{y},{letter}\n" for n in (3, 6, 9) for y, letter in enumerate((["E", "S", "D", "DU"] + ["DU"] * 6)[: n + 1])
)


def test_a_table_file_is_read_where_the_scenario_lies(tmp_path: Path) -> None:
    scenario = esc.load(files(tmp_path, 'name = "table"\ntarget = 0.25\nfile = "own.csv"', own__csv=THREES))
    assert scenario.rule.decisions == {"3": "E S D DU", "6": "E S D DU DU DU DU", "9": "E S D DU DU DU DU DU DU DU"}
    assert esc.exact(scenario).no_dose > 0


LAST = len(THREES.splitlines())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read: No such file"),
        ("n,y,d\n", "has no column decision, dlts, evaluable"),
        (HEAD, "has no line"),
        (THREES.replace("3,1,S\n", ""), "has holes: there is no decision for DLTs 1 in 3"),
        (THREES + "3,1,D\n", f"own.csv:{LAST + 1}: contradicts itself: 1 DLTs in 3 are S and D"),
        (THREES + "3,4,D\n", "has 4 DLTs among 3 patients"),
        (
            "# by hand\n\n" + THREES + "three,1,D\n",
            f"own.csv:{LAST + 3}: evaluable 'three' and dlts '1' must be whole numbers",
        ),
        (THREES.replace("3,1,S", "3,1,X"), "own.csv:3: 3 = 'E X D DU': letters are E, S, D, DU"),
        (
            THREES.replace("3,1,S", "3,1,D").replace("3,2,D", "3,2,S"),
            "own.csv:4: with 3 patients, 2 DLTs (S) are bolder than 1 (D); more DLTs may not be answered",
        ),
        (THREES.replace("6,1,S", "6,1,D"), "own.csv:7: 1 DLTs in 6 patients (D) are more cautious than in 3 (S)"),
        (THREES.split("9,0")[0], "has no line for 9 evaluable patients"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str | None, says: str) -> None:
    rule = 'name = "table"\ntarget = 0.25\nfile = "own.csv"'
    path = files(tmp_path, rule, **({} if text is None else {"own__csv": text}))
    with pytest.raises(ScenarioError) as caught:
        esc.load(path)
    assert any(says in str(problem) for problem in caught.value.problems), [str(p) for p in caught.value.problems]
    assert all(problem.line > 0 for problem in caught.value.problems)


@pytest.mark.parametrize("change", [
    lambda text: text.replace(",", ";"),
    lambda text: text.replace(",", ", "),
    lambda text: text.replace(",", "\t"),
    lambda text: text.replace(",", " ; ").replace("\n", "\r\n"),
    lambda text: "\ufeff# a table\n\n" + text.replace("evaluable,dlts,decision", "Evaluable,DLTs,Decision,remark"),
    lambda text: '"# with, commas"\n' + text.replace("decision", "decision,levels,rule_by_itself").replace(
        "E\n", "S,level 1,E\n").replace("S\n", "S,level 1,S\n").replace("D\n", "S,level 1,D\n").replace(
        "DU\n", "ND,level 1,DU\n"),
])  # fmt: skip
def test_tables_of_spreadsheets_are_read(tmp_path: Path, change: Any) -> None:
    """With semicolons, blanks or tabs, a mark of UTF-8, capitals in the head, and as `escalate table` writes it."""
    plain = esc.load(files(tmp_path, TABLE_FILE, own__csv=THREES))
    (tmp_path / "own.csv").write_text(change(THREES), encoding="utf-8", newline="")
    assert esc.load(tmp_path / "scenario.toml").rule.decisions == plain.rule.decisions


TABLE_FILE = 'name = "table"\ntarget = 0.25\nfile = "own.csv"'


def resolved(tmp_path: Path) -> Path:
    """Return a resolved scenario in a folder of its own: it names the file, and has what it said."""
    scenario = esc.load(files(tmp_path, TABLE_FILE, own__csv=THREES))
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "resolved.json"
    path.write_text(json.dumps(scenario.resolved()), encoding="utf-8")
    assert esc.load(path) == scenario, "without the file"
    return path


def test_a_resolved_table_stands_without_its_file_but_not_against_it(tmp_path: Path) -> None:
    path = resolved(tmp_path)
    file = path.parent / "own.csv"
    file.write_text("# another order of lines\n" + HEAD + "\n".join(THREES.splitlines()[:0:-1]), encoding="utf-8")
    assert esc.load(path) == esc.load(tmp_path / "scenario.toml")
    file.write_text(THREES.replace("3,1,S", "3,1,E").replace("6,2,D", "6,2,DU"), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        esc.load(path)
    [problem] = caught.value.problems
    assert (problem.key, problem.value, problem.message) == (
        "rule.file",
        "own.csv",
        "says something else than rule.decisions: 1 DLTs in 3 are E there and S here; 2 DLTs in 6 are DU there and D "
        "here. Leave out file or decisions",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (THREES.split("9,0")[0], "0 DLTs in 9 are missing there and E here; .*; 5 more cells differ. Leave out"),
        (THREES + "1,0,E\n1,1,D\n", "0 DLTs in 1 are E there and missing here; 1 DLTs in 1 are D there and missing"),
        (THREES.replace("3,1,S\n", ""), "has holes: there is no decision for DLTs 1 in 3"),
        ("n,y,d\n", "has no column decision, dlts, evaluable"),
    ],
)
def test_a_file_that_is_there_counts(tmp_path: Path, text: str, says: str) -> None:
    path = resolved(tmp_path)
    (path.parent / "own.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=says):
        esc.load(path)


@pytest.mark.parametrize("decisions", ['"E S D DU"', "{3 = 5}", '{three = "E S"}', '{3 = "E S D"}'])
def test_decisions_that_are_no_table_are_faults_of_their_own(tmp_path: Path, decisions: str) -> None:
    """They are not compared with the file, but told as they are without one."""
    path = files(tmp_path, f"{TABLE_FILE}\ndecisions = {decisions}", own__csv=THREES)
    with pytest.raises(ScenarioError) as caught:
        esc.load(path)
    assert all(problem.key.startswith("rule.decisions") or "decisions:" in problem.message
               for problem in caught.value.problems)  # fmt: skip


def test_changes_of_a_scenario_do_not_read_another_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the same name where the session runs is another one, until somebody names it."""
    scenario = esc.load(files(tmp_path, TABLE_FILE, own__csv=THREES))
    (tmp_path / "session").mkdir()
    monkeypatch.chdir(tmp_path / "session")
    other = THREES.replace("9,1,S", "9,1,E")
    Path("own.csv").write_text(other, encoding="utf-8")
    for change in ({"toxicity.dlt_probability": [0.5, 0.6]}, {"rule.target": 0.3}, {"rule.file": None}):
        assert scenario.replace(change).rule.decisions == scenario.rule.decisions
    named = scenario.replace({"rule.file": "own.csv"}).rule
    assert (named.file, named.decisions["9"]) == ("own.csv", "E E D DU DU DU DU DU DU DU")
    with pytest.raises(ScenarioError, match=r"rule.file = no.csv: cannot be read: No such file"):
        scenario.replace({"rule.file": "no.csv"})
    for change in ({"rule.decisions": {**scenario.rule.decisions, "3": "E D D DU"}}, {"rule.decisions.3": "E D D DU"}):
        written = scenario.replace(change)
        assert (written.rule.file, written.rule.decisions["3"]) == (None, "E D D DU")
        assert written.sources["rule.file"] == "assumption: changed by a person, with no source given"


def test_a_table_in_the_scenario_itself() -> None:
    scenario = small(
        rule={"name": "table", "target": 0.3, "decisions": {"3": "E S D DU", "6": "E E S D DU DU DU"}},
        limits={"most_per_level": 6},
        toxicity__dlt_probability=[0.2, 0.4],
    )
    assert sum(esc.exact(scenario).recommended) > 0.8
    with pytest.raises(ScenarioError, match="has no line for 9, 12 evaluable patients"):
        scenario.replace({"limits.most_per_level": None})


def test_a_table_is_asked_at_the_current_level_alone_and_says_which_line_it_lacks() -> None:
    """A level that has been left may have any number of patients; the current one needs its line."""
    rule = make_rule(TableRule(name="table", target=0.3, decisions={"3": "E S D DU", "20": "E " * 20 + "DU"}))
    decided = rule.decide(DataCut.of([1, 1, 0], [[5, 3], [5, 0], [20, 4]], [[0, 2], [0, 0], [20, 0]]))
    assert decided.action.tolist() == [Action.DE_ESCALATE, Action.STAY, Action.STOP]
    with pytest.raises(RuleError, match=r"no line for 5 evaluable patients at a level; it has lines for 3, 20$"):
        rule.decide(DataCut.of([0, 1, 0], [[3, 0], [3, 7], [5, 0]], [[0, 0]] * 3))


def test_a_level_that_may_be_recommended_is_not_called_gone_for_good() -> None:
    """The rule leaves level 2 whatever comes, for ever, and recommends it at the cap if 1/3 there is nearest to .25."""
    esc.rule(name="once", target=0.25)(lambda known: 2 if known.level == 1 and not known.evaluable[1] else 1)
    scenario = small(rule={"python": "once"}, trial__planned_patients=9, safety__early_decision=False)
    assert "recommend level 2" in esc.decision_table(scenario, after="1NNN 2NNT 1NNN").to_text()
    [cells] = re.findall(r"Level 2: decisions\n +DLTs .*\n((?: +\S+ .*\n)+)", esc.decision_table(scenario).to_text())
    letters = {line.split()[0]: line.split()[1] for line in cells.splitlines()}
    assert letters["1"] == "D" and letters["2"] == "DU", letters


@pytest.mark.parametrize("python", ["my_rules.py", "my_rules:cautious"])
def test_half_a_name_of_a_function_is_told_the_whole_form(python: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Permission is not what it lacks."""
    with pytest.raises(ScenarioError, match=r"must be file\.py:function, or the name of a function") as told:
        small(rule={"python": python})
    assert "allow" not in str(told.value)
    assert main(["check", str(ROOT / "scenarios" / "nct06337474.toml"), "--set", f'rule={{python="{python}"}}']) == 2
    assert "must be file.py:function" in capsys.readouterr().err
