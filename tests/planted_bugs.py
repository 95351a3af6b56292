"""Bugs planted to see the tests fail: the list, and the program that plants them.

``python tests/planted_bugs.py [WORDS]`` copies the package to a temporary folder, plants one bug at a time, runs the
tests that must notice, and prints which did. Exit status 1 if a bug went unnoticed. With WORDS, only bugs whose
description holds them. `test_planted_bugs.py` checks that every bug can still be planted.
"""

# ruff: noqa: E501

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "escalate"


@dataclass(frozen=True)
class Bug:
    """One line changed in one file, and the tests that must fail."""

    what: str
    file: str
    right: str
    wrong: str
    tests: str


RULE, CALENDAR, TRIAL = "rules/three_plus_three.py", "calendar.py", "trial.py"
HAND, GOLDEN, CORNERS = "test_hand_computed.py", "test_golden_three_plus_three.py", "test_three_plus_three.py"
EXACT = f"{GOLDEN}::test_golden_exact_values"
RANDOM, INVARIANT, ESTIMATE = "test_randomness.py", "test_invariants.py", "test_estimates.py"
TITRATION = "test_protocol.py::test_every_transition_of_a_titration"
REFERENCE, PROTOCOL = "test_reference_agrees.py", "test_protocol_reference.py"
ENGINES, QUESTIONS = "test_engines_agree.py", "test_questions.py"

BUGS = (
    Bug("2 of 6 tolerated", RULE, "exceeded, highest = y >= 2", "exceeded, highest = y >= 3", EXACT),
    Bug("1 of 6 exceeds", RULE, "exceeded, highest = y >= 2", "exceeded, highest = (y >= 2) | ((y == 1) & (n >= 6))", EXACT),
    Bug("variant C accepts 3 at the top", RULE, '(highest & (self.variant == "C"))', "(highest & False)", EXACT),
    Bug("variant B does not fill up the dose below", RULE, "(6 if comes_down else 3)", "3", EXACT),
    Bug("re-escalates after coming down", RULE, "(capped_above, Action.STOP,", "(capped_above & False, Action.STOP,", EXACT),
    Bug("recommends the level that exceeded", RULE, "Action.STOP, below, 0, MTD_BELOW", "Action.STOP, level, 0, MTD_BELOW", EXACT),
    Bug("one DLT of four escalates", RULE, "(y == 0) | (n >= 6)", "(y == 0) | (n >= 4)", CORNERS),
    Bug("declares an untried dose", RULE, "np.where(n < 3, 3 - n, np.maximum(6 - n, 1))", "np.maximum(6 - n, 1)", CORNERS),
    Bug("a DLT on day W + 1 counts", CALENDAR, '"DLT" if fate.dlt_day <= window_end else', '"DLT" if fate.dlt_day <= window_end + 1 else', HAND),
    Bug("drop-out on the last day of the window is not evaluable", CALENDAR, "if window_end <= last and", "if window_end < last and", HAND),
    Bug("infusion on the day of a DLT is given", CALENDAR, "if day < stopped_on(fate)", "if day <= stopped_on(fate)", HAND),
    Bug("weekdays off by one", CALENDAR, "(start.weekday() + day + wait)", "(start.weekday() + day + wait + 1)", HAND),
    Bug("evening outcomes known in the morning", CALENDAR, "EVENING if day == 0 else phase", "phase", HAND),
    Bug("review delay ignored", "gates.py", "cut_day + self._safety.review_delay_days", "cut_day", ENGINES),
    Bug("sentinel stagger one day short", "gates.py", "treated[-1].planned_infusion_day + stagger", "treated[-1].planned_infusion_day + stagger - 1", HAND),
    Bug("no sentinel after the first cohort", TRIAL, 'has_sentinel=new_level or self.safety.sentinel == "every_cohort"', "has_sentinel=new_level", INVARIANT),
    Bug("patience one day longer", TRIAL, "yield self.clock.at(self.clock.today + days, CANDIDATES)", "yield self.clock.at(self.clock.today + days + 1, CANDIDATES)", HAND),
    Bug("withholding ignored", TRIAL, 'self.safety.dlt_after_lymphodepletion == "withhold"', "False", HAND),
    Bug("a closed level is still infused", TRIAL, "if cohort.level > self.permitted_level:", "if False:", f"{HAND} {INVARIANT}"),
    Bug("non-evaluable patients not replaced", "census.py", "cohort.non_evaluable if cohort.rolling or not self._replaces else 0", "cohort.non_evaluable", HAND),
    Bug("always replaced", "census.py", "if cohort.rolling or not self._replaces else 0", "if cohort.rolling else 0", HAND),
    Bug("early decision although switched off", TRIAL, "return self.safety.early_decision and", "return", HAND),
    Bug("lymphodepleted patients take no place", "census.py", "return self.decided_places(cohort) + cohort.pending + cohort.lymphodepleted", "return self.decided_places(cohort) + cohort.pending", HAND),
    Bug("cap ignores whom it counts", "census.py", 'self.infused if self._cap_counts == "infused" else', "self.infused if False else", HAND),
    Bug("partial dose counts as evaluable", TRIAL, '"no DLT" if person.full_dose else "non-evaluable"', '"no DLT"', HAND),
    Bug("infusions of a patient who leaves are halved", "logbook.py", "if person.reduced:", "if not person.full_dose:", HAND),
    Bug("lost candidates wait", TRIAL, 'if accrual.without_place == "lost" or', "if False or", HAND),
    Bug("who is on the way to a closed level takes room", "census.py", "for c in self._cohorts if c.level <= level", "for c in self._cohorts", HAND),
    Bug("no expansion", TRIAL, 'return self.safety.when_rule_finished == "expand"', "return False", HAND),
    Bug("an expansion goes on whatever comes", "protocol.py", "self.stopping.expansion_too_toxic_probability if self._closes_expansions else None", "None", f"{HAND} {REFERENCE}"),
    Bug("a closed expansion is still infused", TRIAL, "self.permitted_level = cohort.level - 1", "pass", f"{HAND} {REFERENCE}"),
    Bug("an expansion is judged by the lowest level", "protocol.py", "return self._exceeds(cut, cut.level, probability)", "return self._exceeds(cut, np.zeros_like(cut.level), probability)", REFERENCE),
    Bug("cap off by one", "committee.py", "(ruled.patients > room)", "(ruled.patients > room + 1)", HAND),
    Bug("inconclusive end recommends the last dose", "committee.py", "answer = np.full_like(ruled.level, NO_LEVEL)", "answer = np.maximum(ruled.level, 0)", HAND),
    Bug("decisions forced upward too", "committee.py", "np.asarray(best.level < cut.level)", "np.asarray(best.level != cut.level)", CORNERS),
    Bug("a forced decision is read on what is known alone", "committee.py", "decided = self._decide_on(_read(cut, outstanding), room)", "decided = self._decide_on(cut, room)", REFERENCE),
    Bug("forced decisions tried on whole cohorts alone", "committee.py", "sizes = [most] if self._replaces else range(most + 1)", "sizes = [most]", REFERENCE),
    Bug("forced by one completion", "committee.py", "(level == level[:, :1]).all(axis=1)", "True", QUESTIONS),
    Bug("all streams the same", "patients.py", "SeedSequence(seed, spawn_key=(stream,)).generate", "SeedSequence(seed, spawn_key=()).generate", RANDOM),
    Bug("pages the same", "patients.py", "(PAGE // 4), 0, page, 0]", "(PAGE // 4), 0, 0, 0]", RANDOM),
    Bug("trials overlap", "patients.py", "[first * (PAGE // 4), 0", "[first, 0", RANDOM),
    Bug("accrual starts anew on each page", "patients.py", "        times[:, 0] += self._clock\n", "", RANDOM),
    Bug("pauses end a day late", "patients.py", "(pause.last_day - start).days + 1", "(pause.last_day - start).days + 2", RANDOM),
    Bug("the window's last day has no DLTs", "patients.py", "self.scenario.window_end_offset + 1\n", "self.scenario.window_end_offset\n", RANDOM),
    Bug("every level as toxic as the first", "patients.py", "self.scenario.toxicity.dlt_probability[level]\n        return np.where", "self.scenario.toxicity.dlt_probability[0]\n        return np.where", RANDOM),
    Bug("Weibull's second half is its first", "patients.py", "-math.log1p(-p * (1 - second_half_share))", "-math.log1p(-p * second_half_share)", RANDOM),
    Bug("drop-out a month is a year's", "patients.py", "-math.log1p(-yearly) / 365.25", "-math.log1p(-yearly) / 30.4", RANDOM),
    Bug("what_if moves its neighbour", "patients.py", "{item.patient - 1: item", "{item.patient: item", RANDOM),
    Bug("waits forget the committee", "timeline.py", 'total["committee"] += closed - cut', 'total["committee"] += 0', f"{INVARIANT} {ESTIMATE}"),
    Bug("stagger and patients confused", "timeline.py", '        if is_open:\n            what = "stagger" if any(', '        if is_open:\n            what = "patients" if any(', f"{INVARIANT}::test_everybody_at_once"),
    Bug("standard error without the root", "estimates.py", "mc_se=math.sqrt(p * (1 - p) / trials)", "mc_se=p * (1 - p) / trials", ESTIMATE),
    Bug("interval of a probability one-sided", "estimates.py", "tail = (1 - CONFIDENCE) / 2\n    low =", "tail = 1 - CONFIDENCE\n    low =", ESTIMATE),
    Bug("quantile one rank too high", "estimates.py", "math.ceil(n * q), min(", "math.ceil(n * q) + 1, min(", ESTIMATE),
    Bug("finished the day after still counts", "outcomes.py", "NOT_REACHED if planned is None else planned)", "NOT_REACHED if planned is None else planned + 1)", ESTIMATE),
    Bug("trials cut off count as finished", "timeline.py", "trial.duration_days if trial.is_complete else None", "trial.duration_days", ENGINES),
    Bug("the last infusion is the last first one", "timeline.py", "max(last_infusions, default=None)", "max(infusions, default=None)", ESTIMATE),
    Bug("a reduced dose is half the dose", "logbook.py", "share *= self._scenario.attrition.partial_dose_share", "share *= 0.5", HAND),
    Bug("the first enrolled is the sentinel", TRIAL, "person.sentinel = all(other.infusion_day is None for other in cohort.people if other is not person)", "person.sentinel = len(cohort.people) == 1", HAND),
    Bug("the story's outcome table shows other dates", "narrative.py", "{row['infusion_date'] or '-':<10}", "{row['window_end_date'] or '-':<10}", ESTIMATE),
    Bug("early and late against the plan confused", "narrative.py", 'if late > 0 else', 'if late < 0 else', ESTIMATE),
    Bug("a problem's line off by one", "scenario/toml_lines.py", "start = number\n", "start = number + 1\n", "test_errors.py"),
    Bug("only the first problem is told", "scenario/load.py", "raise ScenarioError(sorted(problems, key=lambda problem: problem.line))", "raise ScenarioError(sorted(problems, key=lambda problem: problem.line)[:1])", "test_errors.py"),
    Bug("foreign folders overwritten", "files.py", "if not (out / MARK).is_file() and", "if False and", "test_cli.py"),
    Bug("the old folder is lost when writing fails", "files.py", '            (beside / "old").rename(out)\n', "            pass\n", "test_cli.py"),
    Bug("elimination does not reach the levels above", "rules/counts.py", "np.logical_or.accumulate(gone, axis=-1)", "gone", "test_interval_rules_reference.py"),
    Bug("elimination with too few patients", "rules/counts.py", "toxic = (n >= self.eliminate_from)", "toxic = (n >= 1)", "test_golden_interval_rules.py"),
    Bug("smoothing without weights", "rules/counts.py", "total**2 * (total + 1) / ((y + prior) * (n - y + prior))", "1.0", "test_golden_interval_rules.py"),
    Bug("ties go to the lower dose", "rules/counts.py", "+ 1e-10 * np", "- 1e-10 * np", "test_golden_interval_rules.py"),
    Bug("BOIN's boundaries with p_tox for p_saf", "rules/boin.py", "math.log((1 - p_saf) / (1 - target))", "math.log((1 - p_saf) / (1 - p_tox))", "test_golden_interval_rules.py"),
    Bug("mTPI's tie goes to stay", "rules/intervals.py", "np.array([1, 0, -1]), ties_to_highest=True)", "np.array([1, 0, -1]), ties_to_highest=False)", "test_golden_interval_rules.py"),
    Bug("i3+3 without its second clause", "rules/intervals.py", "one_less < options.lower - TOLERANCE", "one_less < -1", "test_golden_interval_rules.py"),
    Bug("exact paths forget an outcome", "enumeration.py", "for k in range(size + 1)]", "for k in range(size)]", "test_exact_vs_simulated.py"),
    Bug("dose paths that meet are counted once", "enumeration.py", "for weight in (probability, paths)]", "for weight in (probability, paths)]; merged[1][:] = 1", "test_exact_vs_simulated.py"),
    Bug("exact results without the cap", "enumeration.py", "most - states.n.sum(axis=1)", "999 - 0 * states.n.sum(axis=1)", "test_exact_vs_simulated.py"),
    Bug("a level that may be given again is called too toxic", "protocol_tables/counts.py", "down[~again].tolist()", "down.tolist()", "test_decision_table.py"),
    Bug("a level below that is clean enough at last is not tried", "protocol_tables/counts.py", "np.arange(1, most + 1)[:, np.newaxis]", "np.arange(1, CLEAN + 1)[:, np.newaxis]", "test_decision_table.py"),
    Bug("only the cleanest level below is tried", "protocol_tables/counts.py", "(decided.level >= MIDDLE).any(axis=0)", "(decided.level >= MIDDLE)[-1]", "test_decision_table.py"),
    Bug("a level that is recommended later is called too toxic", "protocol_tables/counts.py", "(decided.level >= MIDDLE).any(axis=0)", "((decided.level >= MIDDLE) & (decided.action != Action.STOP)).any(axis=0)", "test_decision_table.py"),
    Bug("a stop looks like a de-escalation", "protocol_tables/counts.py", "        return RECOMMENDED[level]\n", "        return DE_ESCALATE\n", "test_decision_table.py"),
    Bug("a stop at the lower level is a stop, whatever is eliminated", "protocol_tables/counts.py", "letter in (DE_ESCALATE, STOP_BELOW)", "letter == DE_ESCALATE", "test_decision_table.py"),
    Bug("patients pending above hold back who asks from below", "protocol_tables/counts.py", "_comes_back(rule, n[down] + pending[down], y[down], most)", "_comes_back(rule, n[down], y[down], most)", "test_golden_rolling.py test_decision_table.py"),
    Bug("what a function was asked is not said", "protocol_tables/__init__.py", "remarks += [ASKED] if isinstance(scenario.rule, PythonRule) else []", "", "test_decision_table.py"),
    Bug("patients are asked for in vain", "protocol_tables/__init__.py", "if patients is not None and size:", "if False:", "test_decision_table.py"),
    Bug("patients are not obeyed", "protocol_tables/__init__.py", "patients or MOST_PATIENTS", "MOST_PATIENTS", "test_decision_table.py"),
    Bug("a table with patients pending guesses", "protocol_tables/pending.py", "    _compare(ask, cells, rule.name)\n", "", "test_decision_table.py"),
    Bug("a table as a rule is asked like any other", "protocol_tables/__init__.py", "        return _written(options, words)\n", "        pass\n", "test_decision_table.py"),
    Bug("rolling six escalates with a patient pending", "rules/data/rolling_six_published.csv", "4,0,1,S\n", "4,0,1,E\n", "test_golden_rolling.py test_rolling_rules_reference.py"),
    Bug("rolling six never fills up to six at the top", "rules/rolling_six.py", "six_required = limit | self.six_at_mtd", "six_required = limit", "test_rolling_rules_reference.py"),
    Bug("rolling six puts a seventh patient below a toxic level", "rules/rolling_six.py", "(comes_down & (enrolled >= SIX), Action.SUSPEND", "(comes_down & (enrolled > SIX), Action.SUSPEND", "test_rolling_rules_reference.py"),
    Bug("TITE-BOIN de-escalates below the target", "rules/tite_boin.py", "(expected >= n * self.fall - TOLERANCE) & at_target", "(expected >= n * self.fall - TOLERANCE)", "test_golden_rolling.py"),
    Bug("TITE-BOIN suspends at half the patients pending", "rules/tite_boin.py", "c > self.most_pending_share * n + TOLERANCE", "c > self.most_pending_share * n - TOLERANCE", "test_golden_rolling.py"),
    Bug("TITE-BOIN eliminates on complete data alone", "rules/tite_boin.py", "return cut.evaluable + cut.pending", "return cut.evaluable", "test_golden_rolling.py test_rolling_rules_reference.py"),
    Bug("TITE-BOIN imputes without its prior", "rules/tite_boin.py", "p = (y + self.target / 2) / (done + 1)", "p = y / np.maximum(done, 1)", "test_golden_rolling.py"),
    Bug("TITE-BOIN is told no follow-up", "rules/tite_boin.py", "reads_followup = True", "reads_followup = False", "test_reference_agrees.py"),
    Bug("TITE-BOIN recommends with the pending as if without a DLT", "rules/tite_boin.py", "return super().recommend(replace(cut, pending=nobody, followup=nobody.astype(float)))", "return super().recommend(cut)", "test_reference_agrees.py"),
    Bug("CRM's prior twice as wide", "rules/crm.py", "log_prior = -0.5 * (nodes / self.prior_sd) ** 2", "log_prior = -0.125 * (nodes / self.prior_sd) ** 2", "test_golden_crm.py"),
    Bug("CRM reads the mean of the curve's highest point", "rules/crm.py", "found[part] = density @ at.nodes", "found[part] = at.nodes[density.argmax(axis=1)]", "test_golden_crm.py"),
    Bug("CRM counts patients where it should count those without a DLT", "rules/crm.py", "parts = [y, n - y]", "parts = [y, n]", "test_golden_crm.py"),
    Bug("CRM is timid where no level is toxic at all", "rules/crm.py", "(p <= self.target + TOLERANCE).all(axis=-1)", "(p < 0).all(axis=-1)", "test_model_rules_reference.py::test_crm_by_maximum_likelihood"),
    Bug("CRM breaks ties upwards", "rules/crm.py", "closest = np.argmax(distance <= distance.min(axis=-1, keepdims=True) + TOLERANCE, axis=-1)", "closest = p.shape[-1] - 1 - np.argmax(distance[:, ::-1] <= distance.min(axis=-1, keepdims=True) + TOLERANCE, axis=-1)", "test_model_rules_reference.py::test_ties_and_ends"),
    Bug("skeletons are turned around", "skeleton.py", "step ** (mtd_level - level)", "step ** (level - mtd_level)", "test_golden_crm.py"),
    Bug("TITE-CRM forgets the weights", "rules/crm.py", "no_dlt[here] *= 1 - weight[here, np.newaxis] * p[level[here]]", "no_dlt[here] *= 1 - p[level[here]]", "test_golden_crm.py"),
    Bug("TITE-CRM's adaptive weights are linear", "rules/crm.py", 'if self.weights == "adaptive" else share', 'if self.weights == "never" else share', "test_golden_crm.py test_model_rules_reference.py"),
    Bug("TITE-CRM counts drop-outs for ever", "rules/crm.py", "(self.count_lost | ~partial.lost.reshape(-1, many))", "True", "test_model_rules_reference.py"),
    Bug("adaptive weights count one DLT too few", "rules/crm.py", "(passed + part) / (came.size + 1)", "(passed + part) / came.size", "test_model_rules_reference.py"),
    Bug("beliefs of the CRM on the wrong side", "rules/crm.py", "density @ below(points, at.nodes)[:, 0].T", "density @ (1 - below(points, at.nodes)[:, 0].T)", "test_model_rules_reference.py"),
    Bug("the BLRM allows what is likely an overdose", "rules/blrm.py", "allowed = (over <= self.feasibility + TOLERANCE) & reachable", "allowed = (over <= 2 * self.feasibility) & reachable", "test_model_rules_reference.py::test_blrm"),
    Bug("the BLRM without its correlation", "rules/blrm.py", "self.rule.correlation * self.z) / self.free", "0 * self.z) / self.free", "test_model_rules_reference.py"),
    Bug("half the sine integral", "rules/quadrature.py", "0.5 + sine / math.pi", "0.5 + sine / (2 * math.pi)", "test_model_rules_reference.py::test_blrm_with_more_levels"),
    Bug("titration goes on after a DLT", "protocol.py", "first, up = singles & (here == 0), singles & no_dlt & (level < last)", "first, up = singles & (here == 0), singles & (level < last)", "test_protocol.py"),
    Bug("titration fills up one patient too many", "protocol.py", "to_fill = self.cohort_size - 1", "to_fill = self.cohort_size", "test_protocol.py"),
    Bug("titration begins with a cohort", "protocol.py", "TITRATION_FIRST, Action.STAY, level, 1)", "TITRATION_FIRST, Action.STAY, level, self.cohort_size)", TITRATION),
    Bug("titration begins at the level above", "protocol.py", "decided.overruled(first & no_dlt,", "decided.overruled(first & no_dlt & False,", TITRATION),
    Bug("titration goes up with two patients", "protocol.py", "np.minimum(level + 1, self.levels - 1), 1)", "np.minimum(level + 1, self.levels - 1), 2)", TITRATION),
    Bug("titration goes on below a level with a DLT", "protocol.py", "no_dlt = cut.dlts.sum(axis=-1) == 0", "no_dlt = at_level(cut.dlts, level) == 0", TITRATION),
    Bug("titration passes its last level", "protocol.py", "last = min(self.titration.last_level or self.levels, self.levels) - 1", "last = min(self.titration.last_level or self.levels, self.levels - 1)", TITRATION),
    Bug("titration's last cohort is filled up after a DLT alone", "protocol.py", "fills = singles & ~up & (to_fill > 0)", "fills = singles & ~no_dlt & (to_fill > 0)", TITRATION),
    Bug("titration fills up what is full", "protocol.py", "fills = singles & ~up & (to_fill > 0)", "fills = singles & ~up", TITRATION),
    Bug("titration fills up again and again", "protocol.py", "singles = (treated <= 1).all(axis=-1)", "singles = at_level(treated, level) <= 2", TITRATION),
    Bug("titration comes back at an empty level", "protocol.py", "singles = (treated <= 1).all(axis=-1)", "singles = here <= 1", TITRATION),
    Bug("titration does not wait", "protocol.py", "waits = singles & (pending > 0)", "waits = singles & (pending > 1)", TITRATION),
    Bug("titration waits when it is over", "protocol.py", "waits = singles & (pending > 0)", "waits = pending > 0", TITRATION),
    Bug("levels are skipped", "protocol.py", "skips = goes_on & (decided.level > given + 1)", "skips = goes_on & (decided.level > given + 2)", "test_protocol.py"),
    Bug("levels are skipped above the highest one given", "protocol.py", "np.maximum(level, highest_allowed(treated > 0))", "level + 1", "test_protocol.py"),
    Bug("levels are skipped downwards", "protocol.py", "skips = goes_on & (decided.level < level - 1)", "skips = goes_on & (decided.level < level - 2)", PROTOCOL),
    Bug("steps down are limited for everybody", "protocol.py", "if limits.no_skipping_down:", "if True:", REFERENCE),
    Bug("coherence forbids below the target alone", "protocol.py", "cut.last_dlts >= cut.last_evaluable * (self.target or 1.0) - 1e-9", "cut.last_dlts > cut.last_evaluable * (self.target or 1.0) + 1e-9", "test_golden_crm.py test_protocol.py"),
    Bug("enough patients stop whatever comes", "protocol.py", "enough &= asked.level == level", "enough &= asked.level >= 0", "test_golden_characteristics.py test_protocol.py"),
    Bug("a reason to stop reads what another made of the decision", "protocol.py", "enough &= asked.level == level", "enough &= decided.level == level", "test_protocol.py"),
    Bug("titration silences the stopping rule for toxicity", "protocol.py", "no_dose = (titrated.action == Action.STOP) & (titrated.level == NO_LEVEL)", "ruled = self.rule.decide(cut); no_dose = (ruled.action == Action.STOP) & (ruled.level == NO_LEVEL)", "test_protocol.py"),
    Bug("most patients without the next cohort", "protocol.py", "treated.sum(axis=-1) + wanted > stopping.most_patients", "treated.sum(axis=-1) >= stopping.most_patients", REFERENCE),
    Bug("the most patients of a rolling trial are the evaluable ones", "protocol.py", "treated = cut.evaluable + cut.pending if self.rolling else cut.evaluable", "treated = cut.evaluable", REFERENCE),
    Bug("a 90 % interval is called precise", "rules/base.py", "betaincinv(1 + y, 1 + n - y, 0.025)", "betaincinv(1 + y, 1 + n - y, 0.075)", REFERENCE),
    Bug("the prior alone is toxic", "rules/base.py", "np.where(n > 0, too_toxic_probability(n, y, above), 0.0)", "too_toxic_probability(n, y, above)", "test_protocol.py"),
    Bug("too toxic at any level", "protocol.py", "self._exceeds(cut, np.zeros_like(cut.level), self.stopping.too_toxic_probability)", "self._exceeds(cut, cut.level, self.stopping.too_toxic_probability)", "test_protocol.py test_exact_vs_simulated.py"),
    Bug("one patient more per level", "protocol.py", "room = most - at_level(cut.evaluable, level) - pending", "room = most + 1 - at_level(cut.evaluable, level) - pending", "test_protocol.py"),
    Bug("a part of the last cohort is one too many", "committee.py", "ruled.with_at_most(np.maximum(room, 1))", "ruled.with_at_most(np.maximum(room + 1, 1))", "test_golden_characteristics.py test_reference_agrees.py"),
    Bug("the two readings of skipping confused", "protocol.py", 'level if limits.no_skipping == "last_given" else', 'level if limits.no_skipping == "highest_given" else', PROTOCOL),
    Bug("the target reached in the last cohort forbids nothing", "protocol.py", 'if self.limits.coherence == "last_cohort":', "if False:", PROTOCOL),
    Bug("coherence after two DLTs alone", "protocol.py", "return cut.last_dlts > 0", "return cut.last_dlts > 1", PROTOCOL),
    Bug("coherence at the level forbids nothing", "protocol.py", "return np.asarray(y > n * (self.target or 1.0) + 1e-9)", "return np.asarray(y > n)", PROTOCOL),
    Bug("a full level is the last one given", "protocol.py", "level = np.maximum(decided.level, 0)\n", "level = cut.level\n", PROTOCOL),
    Bug("stopping rules go before limits", "protocol.py", "self._stopped(cut, self._limited(cut, titrated))", "self._limited(cut, self._stopped(cut, titrated))", PROTOCOL),
    Bug("toxicity goes before the rule's own finding", "protocol.py", "self.is_too_toxic(cut) & ~no_dose, TOO_TOXIC", "self.is_too_toxic(cut), TOO_TOXIC", PROTOCOL),
    Bug("precise at the last level given", "protocol.py", "self.rule.interval(cut, np.maximum(best, 0))", "self.rule.interval(cut, cut.level)", PROTOCOL),
    Bug("enough patients at all levels together", "protocol.py", "(at_level(treated, level) >= stopping.enough_at_level)", "(treated.sum(axis=-1) >= stopping.enough_at_level)", PROTOCOL),
    Bug("most patients with more than a cohort", "protocol.py", "wanted = np.minimum(asked.patients, self.cohort_size)", "wanted = np.minimum(asked.patients, self.cohort_size + 1)", PROTOCOL),
    Bug("enough goes before precise", "protocol.py", "self._precise(cut, decided, goes_on & (cut", "self._precise(cut, decided, (decided.action != Action.STOP) & (cut", PROTOCOL),
    Bug("dose paths forget the last cohort", "paths.py", "if committee.rule.reads_last else (0, 0)", "if False else (0, 0)", PROTOCOL),
    Bug("a function of one's own is asked once", "rules/own.py", "said = self._ask(known), self._ask(known)", "said = (self._ask(known),) * 2", "test_own_rules.py"),
    Bug("a level above the last is taken for the last", "rules/own.py", "not 1 <= level <= known.levels:", "not 1 <= level:", "test_own_rules.py"),
    Bug("code runs without being asked for", "scenario/rule_files.py", "    if not allow_python:\n", "    if False:\n", "test_own_rules.py"),
    Bug("a file's rule is the one that was loaded last", "own_rules.py", "return reference if sha256 is None else", "return reference if True else", "test_own_rules.py"),
    Bug("check lets a rule pass that does not exist", "cli.py", "    Committee(scenario)  #", "    #", "test_own_rules.py"),
    Bug("a file is not read again", "scenario/rule_files.py", "    if not allow_python:\n        if", "    if True:\n        if", "test_own_rules.py"),
    Bug("a file takes the names of the session", "scenario/rule_files.py", "    REGISTERED.clear()\n", "", "test_own_rules.py"),
    Bug("a rule that leaves takes the program along", "rules/own.py", "except (Exception, SystemExit) as error", "except Exception as error", "test_own_rules.py"),
    Bug("a skeleton may run to 0", "skeleton.py", "not all(0 < p < 1 for p in found)", "not all(-1 < p < 2 for p in found)", "test_rule_errors.py"),
    Bug("exact results forget that the non-evaluable have no DLT", "patients.py", "* float(stays[end]) * (1 - attrition.partial_dose_probability)", "", "test_exact_vs_simulated.py"),
    Bug("holes of a table are overlooked", "scenario/rule_files.py", "if (n, y) not in cells]", "if (n, y) not in cells and False]", "test_own_rules.py"),
    Bug("decisions are not compared with their file", "scenario/rule_files.py", " or list(_differences(cells, given))", "", "test_own_rules.py"),
    Bug("lines that decisions lack are overlooked", "scenario/rule_files.py", "sorted({*cells, *written})", "sorted(written)", "test_own_rules.py"),
    Bug("decisions need their file", "scenario/rule_files.py", "        if not given:\n            yield where", "        if True:\n            yield where", "test_own_rules.py"),
    Bug("the file goes before the decisions beside it", "scenario/rule_files.py", "if not faults and not given:", "if not faults:", "test_own_rules.py"),
    Bug("decisions that are no table are compared", "scenario/rule_files.py", "    if any(table_faults(given)):\n        return\n", "", "test_own_rules.py"),
    Bug("every change reads the rule's file again", "scenario/load.py", "if _NAME_FILES & set(plain) else []", "if plain else []", "test_own_rules.py"),
    Bug("a table without its file is none", "scenario/load.py", 'changes.get("rule.file") is not None', '"rule.file" in changes', "test_own_rules.py"),
    Bug("another file keeps the decisions of the first", "scenario/load.py", '        rule["decisions"] = {}\n', "        pass\n", "test_own_rules.py"),
    Bug("changed decisions keep their file", "scenario/load.py", '        rule["file"] = None\n', "        pass\n", "test_own_rules.py"),
    Bug("a bolder decision after more DLTs is overlooked", "scenario/rules.py", "if more < fewer:", "if more < fewer - 1:", "test_own_rules.py"),
    Bug("a line that a table lacks is a stay", "rules/table.py", "np.full((size, size), NO_LINE)", "np.zeros((size, size), dtype=np.int64)", "test_own_rules.py"),
    Bug("a table has a line for nobody", "rules/table.py", "(moves == NO_LINE) & (n > 0)", "moves == NO_LINE", "test_own_rules.py"),
    Bug("the last row decides whatever holds", "rules/first_match.py", "where=rows[number][0])", "where=rows[number][0] & False)", "test_three_plus_three.py"),
    Bug("exact results forget the last cohort", "enumeration.py", "keeps_last = committee.rule.reads_last", "keeps_last = False", "test_golden_crm.py test_exact_vs_simulated.py"),
    Bug("exact results start at the lowest level", "enumeration.py", "table[0, 0] = scenario.safety.start_level - 1", "table[0, 0] = 0", "test_exact_vs_simulated.py::test_simulation_agrees_with_all_of_it_at_once"),
    Bug("simulated trials take the level for the last cohort", "census.py", "if rule.rolling else (cohort.evaluable, cohort.dlts))", "if rule.rolling else (self.evaluable[cohort.level], self.dlts[cohort.level]))", ENGINES),
    Bug("data cuts with the same hash are taken for one", "distinct.py", "if np.array_equal(found[position.ravel()], plain) else", "if True else", "test_distinct.py"),
    Bug("a rolling cohort gets its places again", "trial.py", "cohort.places = self.census.taken_places(cohort) + decision.patients", "cohort.places = cohort.places + decision.patients + 1", "test_reference_agrees.py"),
    Bug("suspended accrual goes on", "trial.py", "        cohort.held = True\n", "        cohort.held = False\n", f"{REFERENCE}::test_engine_agrees_with_the_reference_in_corners"),
    Bug("a stop recommends before the last outcomes", "trial.py", "return self.stop is None and self.census.is_anything_outstanding and", "return False and", "test_protocol.py test_reference_agrees.py"),
    Bug("only a rolling rule's own stop waits", "committee.py", "np.asarray(declares | self.leave_level(decided))", "np.asarray(declares)", "test_protocol.py"),
    Bug("a rolling rule's own stop does not wait", "committee.py", "np.asarray(declares | self.leave_level(decided))", "self.leave_level(decided)", "test_reference_agrees.py"),
    Bug("places that nobody took count as without a DLT", "committee.py", "known = (outstanding > 0) & self.leave_level(decided)", "known = outstanding > 99", "test_protocol.py"),
    Bug("toxicity after a stop is overlooked", "committee.py", "found.overruled(self.rule.is_too_toxic(cut),", "found.overruled(self.rule.is_too_toxic(cut) & False,", "test_protocol.py"),
    Bug("a full level goes before toxicity", "protocol.py", "self.is_too_toxic(cut) & ~no_dose", "self.is_too_toxic(cut) & ~no_dose & (decided.action != Action.STOP)", "test_protocol.py"),
    Bug("a trial ends before its last decision", TRIAL, " or self.final.reason == TIME_IS_UP", "", "test_protocol.py"),
    Bug("a trial is finished without its last decision", "records.py", "and self.stop_reason != TIME_IS_UP", "and True", "test_protocol.py"),
    Bug("rolling rules decide on the data cut", "trial.py", "        if cohort.rolling:\n            self.see_what_came(cohort)\n", "", "test_protocol.py"),
    Bug("who is on the way when the trial stops stays untreated", "trial.py", "self.committee.rule_alone(cohort.cut, outstanding) if provisional else decision.level", "decision.level", "test_reference_agrees.py"),
    Bug("coherence reads the last outcome alone", "census.py", "self.since_decision = (outcomes + 1, dlts + has_dlt)", "self.since_decision = (1, int(has_dlt))", "test_protocol.py"),
    Bug("coherence reads all outcomes", "trial.py", "self.census.since_decision = (0, 0)", "pass", "test_protocol.py"),
    Bug("coherence forgets at a decision to suspend", TRIAL, "if decision.action is not Action.SUSPEND:\n            self", "if True:\n            self", REFERENCE),
    Bug("who leaves after the window is lost", "census.py", "elif person.left_in_window and", 'elif person.state == "dropped out" and person.outcome == "non-evaluable" and', "test_protocol.py"),
    Bug("patients on their way are not pending", "census.py", "pending = tuple(c + self.on_the_way(level) for level, c in enumerate(self.pending))", "pending = tuple(self.pending)", "test_reference_agrees.py"),
    Bug("follow-up counts from lymphodepletion", "census.py", "seen.append((cohort.level, today - since))", "seen.append((cohort.level, today - since + 3))", "test_reference_agrees.py"),
    Bug("a rolling cohort replaces by itself", "census.py", "lost = cohort.non_evaluable if cohort.rolling or not self._replaces else 0", "lost = cohort.non_evaluable if not self._replaces else 0", "test_reference_agrees.py"),
    Bug("cut-offs are those of half the pending", "protocol_tables/pending.py", "low, high = np.zeros(len(c)), c.astype(float)", "low, high = np.zeros(len(c)), c / 2", "test_golden_rolling.py"),
    Bug("a wait after more follow-up has no cut-off", "protocol_tables/pending.py", "suspend_from=float(rises_at[k]) if rises and end == SUSPEND else None", "suspend_from=None", "test_golden_rolling.py"),
    Bug("dose paths that meet have rows of their own", "protocol_tables/next_dose.py", "return counts if self.committee.rule.reads_last else counts._replace(last=NOBODY)", "return counts", "test_decision_table.py"),
    Bug("dose paths meet although the last cohort matters", "protocol_tables/next_dose.py", "return counts if self.committee.rule.reads_last else counts._replace(last=NOBODY)", "return counts._replace(last=NOBODY)", "test_decision_table.py"),
    Bug("only the first way to a row is known", "protocol_tables/next_dose.py", "reached[cut] = reached.get(cut, Ways()).plus(more)", "reached.setdefault(cut, more)", "test_decision_table.py"),
    Bug("ways that are not listed are forgotten", "protocol_tables/next_dose.py", " + len(listed[MOST_PATHS:])", "", "test_decision_table.py"),
    Bug("one way less is counted", "protocol_tables/next_dose.py", "others = len(self.listed) + self.more - 1", "others = len(self.listed) + self.more - 2", "test_decision_table.py"),
    Bug("a stop has a next level", "protocol_tables/next_dose.py", '"next_level": "" if stops else level', '"next_level": level', "test_decision_table.py"),
    Bug("less than nothing", "protocol_tables/next_dose.py", "{value:z.3f}", "{value:.3f}", "test_decision_table.py"),
    Bug("less than nothing in the CSV", "protocol_tables/next_dose.py", "{value:z.6f}", "{value:.6f}", "test_decision_table.py"),
    Bug("less than nothing in the figure", "plots/next_dose.py", "{value:z.2f}", "{value:.2f}", "test_decision_table.py"),
    Bug("adaptive weights that are none are not told", "protocol_tables/next_dose.py", "+ ((LINEAR,) if _is_adaptive(scenario) else ())", "", "test_decision_table.py"),
    Bug("the skeleton of a table is that of the options", "rules/crm.py", "for k, p in enumerate(self.skeleton, 1))", "for k, p in enumerate((self.target,), 1))", "test_decision_table.py"),
    Bug("the prior of log beta is told as that of log alpha", "rules/blrm.py", "zip(self.mean, self.sd, strict=True))", "zip(self.mean[::-1], self.sd[::-1], strict=True))", "test_decision_table.py"),
    Bug("assumptions are lost in Markdown", "protocol_tables/layout.py", 'for note in notes)] if notes else []', 'for note in notes)] if False else []', "test_decision_table.py"),
    Bug("a decision that turns back is not seen", "protocol_tables/next_dose.py", "COARSE = 400", "COARSE = 10_000", "test_decision_table.py"),
    Bug("turns of a decision one step early", "protocol_tables/next_dose.py", "yield high / FINE, self.decide(counts, high)", "yield low / FINE, self.decide(counts, low)", "test_decision_table.py"),
    Bug("the kernel's committee meets on any day", "kernel/days.py", "w.meeting_day = day + p.meeting_wait[day % 7]", "w.meeting_day = day", ENGINES),
    Bug("the kernel's evening is known two days later", "kernel/days.py", "check = w.today if phase == MORNING else w.today + 1", "check = w.today if phase == MORNING else w.today + 2", ENGINES),
    Bug("the kernel forgets the lead before the stagger", "kernel/days.py", "earliest = stagger_until(p, w, t) - p.lead_days", "earliest = stagger_until(p, w, t)", ENGINES),
    Bug("the kernel lets the impatient be lost", "kernel/days.py", "if p.most_waiting and p.patience_days == 0:", "if p.most_waiting and p.patience_days < 0:", ENGINES),
    Bug("the kernel infuses at a closed level", "kernel/days.py", "if person.level > w.permitted or withheld or", "if withheld or", ENGINES),
    Bug("the kernel withholds for every DLT", "kernel/days.py", "w.dlt_known > PHASES * person.start_day + INFUSIONS_END", "w.dlt_known >= 0", ENGINES),
    Bug("the kernel's cap is one too large", "kernel/places.py", "return p.cap - used", "return p.cap - used + 1", ENGINES),
    Bug("the kernel replaces nobody", "kernel/days.py", "        if not w.rolling:\n            w.taken -= 1\n", "        if not w.rolling:\n", ENGINES),
    Bug("the kernel's rolling rule decides on the data cut's data", "kernel/days.py", "    if w.rolling:\n        if not is_on_trail(w, t, MOST_ASKS):\n            write_counts(p, w, t)\n", "    if w.rolling:\n", ENGINES),
    Bug("a data cut whose second question is new is not written down", "kernel/days.py", "day % 7]\n    if not is_on_trail(w, t, MOST_ASKS):", "day % 7]\n    if not is_on_trail(w, t, 1):", QUESTIONS),
    Bug("a level tried is like one untried", "rules/counts.py", "return n > 0, toxic[n, y], lowest[n, y]", "return (lowest[n, y],)", QUESTIONS),
    Bug("an eliminated level is like one tried", "rules/counts.py", "return n > 0, toxic[n, y], lowest[n, y]", "return (n > 0,)", QUESTIONS),
    Bug("three patients at another level are like six", "rules/three_plus_three.py", "return np.minimum(n, 6), y >= 2", "return np.minimum(n, 3), y >= 2", QUESTIONS),
    Bug("two DLTs at another level are like one", "rules/three_plus_three.py", "return np.minimum(n, 6), y >= 2", "return (np.minimum(n, 6),)", QUESTIONS),
    Bug("toxicity at the lowest level is not read", "protocol.py", "        if toxicity:\n            found[0] = themselves\n", "", QUESTIONS),
    Bug("a forced stop reads no other level", "protocol.py", "forced_stops = self.early_decision and", "forced_stops = False and", QUESTIONS),
    Bug("a full level reads no other level", "protocol.py", "(self.titration, self.limits.most_per_level,", "(self.titration,", QUESTIONS),
    Bug("those pending elsewhere are forgotten", "kernel/questions.py", "            q[n] += q[c]\n", "", ENGINES),
    Bug("the cohort's own counts are simplified", "kernel/questions.py", "        if level == q[3]:\n            continue\n", "", ENGINES),
    Bug("recommendations rest on counts that are alike", "kernel/questions.py", "if len(t.alike) and kind != RECOMMENDATION and kind != CONCLUSION:", "if len(t.alike):", ENGINES),
    Bug("the best completion has no more patients", "kernel/questions.py", "    q[HEAD + level] += q[1]\n", "", ENGINES),
    Bug("the best completion keeps who is pending there", "kernel/questions.py", "if code >= 0 and code % p.levels != level:", "if code >= 0:", ENGINES),
    Bug("a cap that leaves no cohort leaves one", "kernel/days.py", "places if places < p.cohort_size else p.cohort_size", "p.cohort_size", ENGINES),
    Bug("bad news is no reason to ask again", "kernel/days.py", "    if outcome != NO_DLT:\n        w.calm, w.bad_news = 0, 1\n", "    if outcome != NO_DLT:\n        w.bad_news = 1\n", ENGINES),
    Bug("a forced decision is no reason to ask again", "kernel/days.py", " and not w.cut_forced and not w.bad_news:", " and not w.bad_news:", ENGINES),
    Bug("bad news after the data cut is forgotten", "kernel/days.py", " and not w.cut_forced and not w.bad_news:", " and not w.cut_forced:", ENGINES),
    Bug("any rule is monotone", "protocol.py", "self.rule.monotone and not goes_where_the_rule_would_not", "True", ENGINES),
    Bug("a monotone rule stays so under limits", "protocol.py", "self.rule.monotone and not goes_where_the_rule_would_not", "self.rule.monotone", QUESTIONS),
    Bug("a stop at the cap is concluded with its toxicity", "kernel/days.py", "recommend(p, w, t, RECOMMENDATION, decided[WHY], late)", "recommend(p, w, t, CONCLUSION, decided[WHY], late)", ENGINES),
    Bug("an expansion does not wait for its level", "kernel/days.py", "    if p.expands:\n        found = answer(p, w, t, kind, 0, reason)", "    if False:\n        found = answer(p, w, t, kind, 0, reason)", ENGINES),
    Bug("CRM's prior ends where data can pull it out", "rules/crm.py", "REACH**2 + PULL * size", "REACH**2", "test_model_rules_reference.py::test_the_quadrature_suffices"),
    Bug("CRM's steps forget how much data there are", "rules/crm.py", "(self._information * size + self.prior_sd**-2)", "(self.prior_sd**-2)", "test_model_rules_reference.py::test_the_quadrature_suffices"),
    Bug("CRM's steps forget where the curve ends", "rules/crm.py", "min(narrowest, self._farthest_pole) / steps", "narrowest / steps", "test_model_rules_reference.py::test_the_quadrature_suffices"),
    Bug("a trail leads a step too far", "kernel/questions.py", "        w.asked += 1\n        return t.trail[w.asked]", "        w.asked += 1\n        return t.trail[w.asked - 1]", ENGINES),
    Bug("the kernel forgets who waits when it closes", "kernel/days.py", "w.turned_away += w.queue_end - w.queue_first", "w.turned_away += 0", ENGINES),
    Bug("the kernel counts follow-up after the time is up", "kernel/books.py", "    if left > p.max_days:\n        return CUT_OFF\n", "", ENGINES),
    Bug("the kernel goes on after a stop with outcomes to come", "kernel/days.py", "provisional = decided[RESTS_ON_DATA] and (w.on_the_way > 0 or w.windows > 0)", "provisional = False", ENGINES),
    Bug("the kernel's last infusion is the last first one", "kernel/books.py", "if after < stopped and day <= p.max_days and day > last_infusion:", "if False:", ENGINES),
    Bug("the kernel has no doubt what a rolling rule waited for", "kernel/books.py", "w.waits[position] += w.if_stops[position] if stops else w.if_goes_on[position]", "w.waits[position] += w.if_goes_on[position]", ENGINES),
    Bug("two questions are taken for one", "kernel/questions.py", "index.get(tuple(question), UNKNOWN)", "index.get(tuple(question[1:]), UNKNOWN)", ENGINES),
    Bug("the compiled kernel takes two questions for one", "kernel/questions.py", "if table.slots[slot][1 + word] != table.words[word]:", "if word > 0 and table.slots[slot][1 + word] != table.words[word]:", ENGINES),
    Bug("outstanding outcomes have as many bits as patients", "answers.py", "most = self._people + self._most_places", "most = self._people", f"{ENGINES}::test_questions_fit_into_their_bits"),
    Bug("moved questions lose their answers", "kernel/questions.py", "put(larger, slot[0])", "put(larger, slot[0] + 1)", ENGINES),
    Bug("answers never turn with follow-up", "answers.py", "differ = (at_low != at_high).any(axis=1)", "differ = (at_low != at_low).any(axis=1)", ENGINES),
    Bug("answers turn a day late", "answers.py", "turns.append((row[near], high[near], at_high[near]))", "turns.append((row[near], high[near] + 1, at_high[near]))", f"{ENGINES}::test_answers_turn_on_the_day_on_which_the_committee_does"),
    Bug("answers mix up who is pending", "answers.py", "pending = (codes >= 0) & (np.arange(codes.shape[1]) < size)", "pending = codes >= 0", f"{ENGINES}::test_single_patients_are_read_back_from_a_question"),
    Bug("tallies are added and one forgotten", "tally.py", "values={name: counts + other.values[name]", "values={name: counts", ESTIMATE),
    Bug("a layer imports upward", "timeline.py", "from .records import TIME_IS_UP, Trial\n", "from .records import TIME_IS_UP, Trial\nfrom .committee import Counts\n", "test_layers.py"),
    Bug("differences to the last rule", "comparison.py", "self.truth, self.first = truth, rules[0]", "self.truth, self.first = truth, rules[-1]", "test_comparison.py"),
    Bug("differences turned around", "comparison.py", "columns[rule][what] - columns[self.first][what]", "columns[self.first][what] - columns[rule][what]", "test_comparison.py"),
    Bug("differences of strangers", "simulation.py", "yield tuple(_run(engine, Nature(engine.scenario, seed, span.first, span.count)) for engine in engines)", "yield tuple(_run(engine, Nature(engine.scenario, seed + k, span.first, span.count)) for k, engine in enumerate(engines))", "test_comparison.py"),
    Bug("every rule under the first truth", "comparison.py", 'for key, value in truth.toxicity.items()}', 'for key, value in known[0].toxicity.items()}', "test_comparison.py"),
    Bug("the right choice is one level above the MTD", "comparison.py", "else int(truth.mtd) - 1", "else int(truth.mtd)", "test_comparison.py"),
    Bug("no dose is never the right choice", "comparison.py", "right = NO_LEVEL if truth.mtd == NO_DOSE", "right = 0 if truth.mtd == NO_DOSE", "test_comparison.py"),
    Bug("patients at the MTD are overdosed", "comparison.py", "infused[:, toxic].sum(axis=1)", "infused[:, [max(level - 1, 0) for level in toxic]].sum(axis=1)", "test_comparison.py"),
    Bug("who ends on the planned date is late in a comparison", "outcomes.py", "(ended <= (", "(ended < (", "test_comparison.py"),
    Bug("trials cut off are finished in a comparison", "comparison.py", '_where(trials.milestone_days["trial ended"] == NOT_REACHED)', '_where(trials.milestone_days["trial ended"] == NOT_REACHED - 1)', "test_comparison.py"),
    Bug("inconclusive is any reason", "comparison.py", "_where(trials.reason == cap)", "_where(trials.reason == 0)", "test_comparison.py"),
    Bug("exact values of an early trial look like its own", "comparison.py", "WHOLE_COHORTS if cell.safety.early_decision else THIS", "THIS", "test_comparison.py"),
    Bug("exact patients leave an expansion out", "comparison.py", 'if found.scenario.safety.when_rule_finished == "stop":', "if True:", "test_comparison.py"),
    Bug("exact DLTs at the lowest level alone", "comparison.py", 'Measure("dlts", "all", "patients"), sum(found.dlts)', 'Measure("dlts", "all", "patients"), found.dlts[0]', "test_comparison.py"),
    Bug("the last chunk alone is compared", "comparison.py", "counted.get(what, Counter()) + count_values(column)", "count_values(column)", "test_comparison.py::test_chunks_change_no_byte"),
    Bug("what overdoses begins at the limit", "scenario/compared.py", "enumerate(self.dlt_probability, 1) if p > limit]", "enumerate(self.dlt_probability, 1) if p >= limit]", "test_comparison.py"),
    Bug("every truth has the MTD of the first", "scenario/compared.py", "given.get(OF_TRUTH), given.get(MTD)", "given.get(OF_TRUTH), self.base.mtd_level", "test_comparison.py"),
    Bug("a target of one's own is overruled", "scenario/compared.py", 'if not needed or "target" in options:', "if not needed:", "test_comparison.py"),
    Bug("rules without a target pass", "scenario/compared.py", "            self.without_target.append(where)\n", "            pass\n", "test_comparison.py"),
    Bug("other doses are compared", "scenario/compared.py", "if labels != wanted:", "if False:", "test_comparison.py"),
    Bug("one label for two rules", "scenario/compared.py", "if labels.count(label) > 1)", "if labels.count(label) > 2)", "test_comparison.py"),
    Bug("errors of differences are those of the estimates", "report/compared.py", "{column.scale * row.difference:+.{column.digits}f}±{_se(row.difference_se, column)}", "{column.scale * row.difference:+.{column.digits}f}±{_se(row.mc_se, column)}", "test_comparison.py"),
    Bug("bars up to the end of the interval", "plots/comparison.py", "long = column.place(row.estimate)", "long = column.place(row.high or row.estimate)", "test_plots_comparison.py"),
    Bug("all of no dose is inconclusive", "plots/comparison.py", "if row.estimate > 0:\n        long, name = column.place(row.estimate)", "if row.estimate > 0:\n        long, name = column.place(1.0)", "test_plots_comparison.py"),
    Bug("truths from the bottom", "plots/comparison.py", "    for truth in comparison.truths:\n        _draw_block(", "    for truth in reversed(comparison.truths):\n        _draw_block(", "test_plots_comparison.py"),
    Bug("rules from the bottom", "plots/comparison.py", "middle = top + ROW * (number + 0.5)", "middle = top + tall - ROW * (number + 0.5)", "test_plots_comparison.py"),
    Bug("every number is alike", "plots/comparison.py", "or not low <= 0 <= high:", "or False:", "test_plots_comparison.py"),
    Bug("exact marks at the estimate", "plots/comparison.py", "board.line([column.place(row.exact)], [y]", "board.line([column.place(row.estimate)], [y]", "test_plots_comparison.py"),
    Bug("one exact mark for both trials", "plots/comparison.py", "PAPER if of == WHOLE_COHORTS else INK", "PAPER", "test_plots_comparison.py"),
    Bug("the line of the last rule", "plots/comparison.py", "rule=comparison.rules[0], truth=truth.label", "rule=comparison.rules[-1], truth=truth.label", "test_plots_comparison.py"),
    Bug("the MTD on light ground", "plots/comparison.py", "is_mtd = column.level == truth.mtd", "is_mtd = column.level == 1", "test_plots_comparison.py"),
    Bug("rows of a comparison too low", "plots/comparison.py", "ROW, BAR = 14.0, 9.5", "ROW, BAR = 8.0, 9.5", "test_plots_comparison.py"),
    Bug("a worker that dies is not replaced", "workers.py", "isinstance(error, BrokenProcessPool) and attempts and", "False and", "test_workers.py"),
    Bug("workers outlive a parent that is killed", "workers.py", "        os._exit(1)", "        pass", "test_workers.py"),
    Bug("another copy of the package works along", "workers.py", "    if code_fingerprint() != code:", "    if False:", "test_workers.py"),
    Bug("all parts are handed over at once", "workers.py", "islice(todo, most - len(begun))", "todo", "test_workers.py"),
    Bug('errors do not name the part', 'workers.py', 'raise type(error)(f"{name}: {error}") from error', 'raise', "test_workers.py test_sweep.py"),
    Bug("reasons of parts are mixed up", "outcomes.py", "np.array([reasons.index(why) for why in p.reasons])[p.reason]", "p.reason", "test_workers.py"),
    Bug("threads share an engine", "simulation.py", "class _Remembered(threading.local):", "class _Remembered:", "test_workers.py"),
    Bug("parts stand in the order in which they came", "simulation.py", "for start in sorted(found)", "for start in found", "test_workers.py"),
    Bug("a rule that was written anew is remembered", "simulation.py", "return engine  # its function may be another one tomorrow", "pass", "test_sweep.py"),
    Bug("a damaged chunk is taken", "sweeps.py", "if checksum == self._checksum(part, counted) else None", "", "test_sweep.py"),
    Bug('a chunk of another study is taken', 'sweeps.py', 'f"{self._study}\\n{workers.code_fingerprint()}\\n{part.name}\\n"', 'f"{part.name}\\n"', "test_sweep.py"),
    Bug('a chunk of another point is taken', 'sweeps.py', '{workers.code_fingerprint()}\\n{part.name}\\n"', '{workers.code_fingerprint()}\\n"', "test_sweep.py"),
    Bug("another study is mixed in", "sweeps.py", "    if other:\n", "    if False:\n", "test_sweep.py"),
    Bug('another version is mixed in', 'sweeps.py', '    "code_sha256": "code of escalate",\n', '', "test_sweep.py"),
    Bug('a file is written in its place', 'files.py', '    beside = path.with_name(f".{path.name}.new")', '    beside = path', "test_sweep.py"),
    Bug("what is done is done again", "sweeps.py", "if store.read(part) is None:", "if True:", "test_sweep.py"),
    Bug("the first axis changes fastest", "study.py", "for values in itertools.product(*(axis.values for axis in axes)):", "for values in (v[::-1] for v in itertools.product(*(axis.values for axis in axes[::-1]))):", "test_study.py"),
    Bug("a range stops short of its end", "study.py", "low + (high - low) * step / gaps", "low + (high - low) * step / (gaps + 1)", "test_study.py"),
    Bug("points that the scenario forbids are not listed", "study.py", "for _, faults in tried for fault in faults", "for _, faults in tried[:0] for fault in faults", "test_study.py"),
    Bug('points keep the ranges of the scenario', 'study.py', '{"ranges": {}, **values}', 'values', "test_study.py"),
    Bug('a seed makes no other study', 'study.py', '            "seed": self.seed,\n', '', "test_study.py test_sweep.py"),
    Bug("differences as if of other patients", "sensitivities.py", "- 2 * products[before, after]", "- 0 * products[before, after]", "test_sensitivity.py"),
    Bug("the smallest effect comes first", "sensitivities.py", "key=lambda swing: -swing.effect", "key=lambda swing: swing.effect", "test_sensitivity.py"),
    Bug("the low end is the high one", "sensitivities.py", "at_low=change(BASE, LOW)", "at_low=change(BASE, HIGH)", "test_sensitivity.py"),
    Bug("an effect is what lies between both ends alone", "sensitivities.py", "return max(ends) - min(ends)", "return abs(self.across.estimate)", "test_sensitivity.py"),
    Bug("the level that is recommended least", "sensitivities.py", "most = max(range(levels)", "most = min(range(levels)", "test_sensitivity.py"),
    Bug("finished on the day after is in time", "outcomes.py", "NOT_REACHED if planned is None else planned)", "NOT_REACHED if planned is None else planned + 1)", "test_sensitivity.py"),
    Bug('the high end of a range is not tried', 'scenario/load.py', '(("low", low), ("high", high))', '(("low", low),)', "test_sensitivity.py"),
    Bug("a value may lie outside its range", "scenario/ranges.py", "if any(not low <= value <= high for value, low, high in numbers):", "if any(low > high for value, low, high in numbers):", "test_sensitivity.py"),
    Bug("a value that was changed keeps its range", "scenario/load.py", "            del ranges[known]", "            pass", "test_sensitivity.py"),
    Bug("a tornado turns the other way", "plots/tornado.py", "x, y = scale * change.estimate,", "x, y = -scale * change.estimate,", "test_sensitivity.py"),
    Bug("axes that are not drawn are not held", "plots/sweep.py", "if _is_at(point.values, held)]", "]", "test_sweep.py"),
    Bug("those cut off are left out of the curve", "estimates.py", "None, count, counted.trials))\n        for day, count in", "None, count, sum(ended.values())))\n        for day, count in", "test_plots_simulated.py"),
    Bug("the curve rises a day late", "plots/durations.py", "days = [0, *(day for day, _ in curve), end]", "days = [0, *(day + 1 for day, _ in curve), end]", "test_plots_simulated.py"),
    Bug("the median of the trials that ended alone", "plots/durations.py", 'quantile = found.get(f"duration: {name} quantile")', 'quantile = found.get(f"trial ended: {name} quantile")', "test_plots_simulated.py"),
    Bug("a quantile that is not known is marked", "plots/durations.py", "        if not _is_known(found, share):", "        if False:", "test_plots_simulated.py"),
    Bug("the curve goes on after the trials were cut off", "plots/durations.py", "scenario.trial.max_days if _is_cut(found) else 100 * last", "100 * last", "test_plots_simulated.py"),
    Bug("the planned completion a day late", "plots/beside.py", "timedelta(days=scenario.planned_days))", "timedelta(days=scenario.planned_days + 1))", "test_plots_simulated.py"),
    Bug("no room is made for words", "plots/beside.py", "    if right < wide:", "    if False:", "test_plots_simulated.py"),
    Bug("the days below the dates count from 1", "plots/style.py", "days = [(_date(value) - self._start_date).days for", "days = [(_date(value) - self._start_date).days + 1 for", "test_plots_simulated.py"),
    Bug("every bar of the waits begins at 0", "plots/where_time_goes.py", "start += found.get(name).estimate", "start += 0", "test_plots_simulated.py"),
    Bug("intervals of the waits begin at 0", "plots/where_time_goes.py", "ends = [start + estimate.low, start + estimate.high]", "ends = [estimate.low, estimate.high]", "test_plots_simulated.py"),
    Bug("rows of the waits too low", "plots/where_time_goes.py", "ROW, NOTE = 19.0, 8.5", "ROW, NOTE = 9.0, 8.5", "test_plots_simulated.py"),
    Bug("enrolled patients are infused", "accruals.py", '"infused": "infusion_day"', '"infused": "treatment_start_day"', "test_accruals.py"),
    Bug("whoever has an outcome is evaluable", "accruals.py", 'if outcome in ("no DLT", "DLT"))', "if outcome)", "test_accruals.py"),
    Bug("a patient counts from the next day on", "accruals.py", 'side="right"', 'side="left"', "test_accruals.py"),
    Bug("quantiles between two numbers", "accruals.py", 'method="inverted_cdf"', 'method="linear"', "test_accruals.py"),
    Bug("bands of a fan mixed up", "plots/accrual_fan.py", "low, lower, middle, upper, high = (", "lower, low, middle, upper, high = (", "test_plots_simulated.py"),
    Bug("a fan rises a day early", "plots/accrual_fan.py", "x = [*(zero + day for day", "x = [*(zero + day - 1 for day", "test_plots_simulated.py"),
    Bug("exact values one row too high", "plots/selection.py", "(exact.no_dose, *exact.recommended)", "(*exact.recommended, exact.no_dose)", "test_plots_simulated.py"),
    Bug("the truth of the level below", "plots/selection.py", "dlt_probability[level - 1]:.4g", "dlt_probability[max(level - 2, 0)]:.4g", "test_plots_simulated.py"),
    Bug("exact values of any trial", "plots/selection.py", "    if differs:", "    if False:", "test_plots_simulated.py"),
    Bug("exact values are always of this trial", "plots/selection.py", "of = WHOLE_COHORTS if exact.scenario.safety.early_decision else THIS", "of = THIS", "test_plots_simulated.py"),
    Bug("bars of the selection up to the end of the interval", "plots/selection.py", "ax.barh(level, estimate.estimate,", "ax.barh(level, estimate.high or 0,", "test_plots_simulated.py"),
)  # fmt: skip


def plant(bug: Bug, package: Path) -> None:
    """Change the one line of a bug in a copy of the package."""
    file = package / bug.file
    text = file.read_text(encoding="utf-8")
    assert text.count(bug.right) == 1, f"{bug.what}: {bug.right!r} stands {text.count(bug.right)} times in {bug.file}"
    file.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")


def notices(bug: Bug, folder: Path) -> str:
    """Return the first test that fails with the bug planted; empty if none does."""
    package = folder / "escalate"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        plant(bug, package)
        tests = [str(TESTS / test) for test in bug.tests.split()]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
            cwd=TESTS.parent, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "does not end"
    finally:
        shutil.rmtree(package)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" ")[1].split("/")[-1] if failed else ""


def main() -> int:
    """Plant the bugs and say who noticed."""
    words = " ".join(sys.argv[1:])
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        for bug in (bug for bug in BUGS if words in bug.what):
            who = notices(bug, Path(folder))
            unnoticed += not who
            print(f"{bug.what:<60} {who or 'UNNOTICED'}", flush=True)
    print(f"{unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
