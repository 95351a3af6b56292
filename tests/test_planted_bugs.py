"""Every planted bug can still be planted, so that the list keeps up with the code."""

from __future__ import annotations

import pytest

from planted_bugs import BUGS, SOURCE, TESTS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_can_be_planted(bug: Bug) -> None:
    text = (SOURCE / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.right) == 1
    assert bug.right != bug.wrong
    assert all((TESTS / test.split("::")[0]).exists() for test in bug.tests.split())


def test_each_has_a_name_of_its_own() -> None:
    assert len({bug.what for bug in BUGS}) == len(BUGS)
