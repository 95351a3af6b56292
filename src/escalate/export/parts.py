"""What folders of results have in common: the scenario, a rule's Python file, cautions, how to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from ..cautions import caution_lines, cautions
from ..errors import OutputError
from ..files import MARK, write_text
from ..protocol_tables.sheet import Sheet
from ..report import summary
from ..report.documents import sheet_of
from ..scenario.model import Scenario
from ..scenario.own_rules import CODE
from ..scenario.rules import PythonRule
from ..studies.compared import Comparison
from ..studies.sensitivities import Sensitivity
from ..studies.simulation import provenance
from ..studies.variants import Variants
from ..words.csv_text import csv_bytes
from ..words.records import ScenarioLike

Tell = Callable[[], object]
"""Says what was found: asked when numbers are written, and figures are not drawn yet."""


def write_studied(folder: Path, found: Comparison | Sensitivity | Variants, **made: object) -> None:
    """Write what a study found: summary, estimates as CSV, comparisons as documents, and what makes it again."""
    (folder / "summary.txt").write_text(summary(found) + "\n", encoding="utf-8")
    (folder / f"{found.table.name}.csv").write_bytes(csv_bytes(found.table.to_csv()))
    if not isinstance(found, Sensitivity):
        for ending, text in SHEET_TEXTS.items():
            (folder / f"{found.table.name}{ending}").write_text(text(sheet_of(found)), encoding="utf-8")
    write_resolved(folder, found.scenario)
    again = provenance(found.scenario, seed=found.seed, first=0, trials=found.trials)
    write_json(folder / "provenance.json", {**again, **made})


SHEET_TEXTS: dict[str, Callable[[Sheet], str]] = {".html": Sheet.to_html, ".md": Sheet.to_markdown}
"""How a sheet for documents is written, by the ending of the file: both open in Word, too."""


def save_sheet(found: Comparison | Variants, out: Path, overwrite: bool) -> bool:
    """Write a comparison as one document, if the file's name ends as one; return whether it does."""
    text = SHEET_TEXTS.get(out.suffix.lower())
    if text is not None:
        write_text(out, text(sheet_of(found)), overwrite)
    return text is not None


def keep_rule(scenario: Scenario, folder: Path) -> bool:
    """Write the Python file of a rule beside the resolved scenario, which names it, as it was when its code ran.

    Returns whether none of its name with other contents is there.
    """
    rule = scenario.rule
    code = CODE.get(rule.sha256 or "") if isinstance(rule, PythonRule) else None
    if code is None:
        return True
    assert isinstance(rule, PythonRule)
    name = Path(rule.python.rpartition(":")[0])
    if not name.is_absolute() and ".." not in name.parts:
        if (folder / name).exists():
            return (folder / name).read_bytes() == code
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(code)
    return True


def write_cautions(folder: Path, scenario: Scenario) -> None:
    """Write what to beware of beside texts that do not say it themselves; no file where there is nothing."""
    lines = caution_lines(cautions(scenario))
    if lines:
        (folder / "cautions.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def write_resolved(folder: Path, scenario: ScenarioLike) -> None:
    """Write the scenario with everything that its file left out, as `escalate run` reads it."""
    write_json(folder / MARK, scenario.resolved())


def write_json(path: Path, data: object) -> None:
    """Write JSON, a value on each line, letters as they are."""
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def check_ending(out: Path, endings: Sequence[str]) -> None:
    """Raise `OutputError` where a file's name has none of the endings that say what is written."""
    if out.suffix.lower() not in endings:
        raise OutputError(f"{out}: must end in {' or '.join(endings)}, which says what is written")
