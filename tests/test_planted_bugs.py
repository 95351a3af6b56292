"""Every planted bug can still be planted, so that the list keeps up with the code."""

from __future__ import annotations

import pytest

from planted_bugs import BUGS, SOURCE, TESTS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_can_be_planted(bug: Bug) -> None:
    text = (SOURCE / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.right) == 1
    assert bug.right != bug.wrong
    for test in bug.tests.split():
        file, *name = test.split("::")
        assert f"def {name[0]}(" in (TESTS / file).read_text(encoding="utf-8") if name else (TESTS / file).exists()


def test_each_has_a_name_of_its_own() -> None:
    assert len({bug.what for bug in BUGS}) == len(BUGS)
