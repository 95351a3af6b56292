"""What every section of a scenario is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..errors import CallError, ScenarioError
from .fault_words import findings, problem
from .values import UNCHANGED, plain

SMALLEST = 1e-9
"""Smallest probability that is not 0: not one patient in all trials of all times would show it."""


def _none_or_seen(probability: float) -> float:
    if 0 < probability < SMALLEST:
        raise ValueError(f"a probability is 0 or at least {SMALLEST:g}: nobody could see a smaller one")
    return probability


Probability = Annotated[float, Field(ge=0, le=1), AfterValidator(_none_or_seen)]
MOST_DAYS = 100_000
"""Most days that a trial can last: 274 years, more than any calendar needs [days]."""

Days = Annotated[int, Field(ge=0, le=MOST_DAYS)]
TenYears = Annotated[int, Field(ge=0, le=3650)]
"""Days between two things that happen to a patient or a cohort: at most the ten years of the longest trials."""

Name = Annotated[str, Field(min_length=1, max_length=500)]


_OF_PYDANTIC = frozenset(dir(BaseModel))


class Section(BaseModel):
    """A part of a scenario: unknown keys refused, types strict, values frozen to the last, numbers finite.

    Parameters
    ----------
    **values
        The keys of the section. Lists, tuples and arrays are the same, and so are a section and a dictionary.

    Raises
    ------
    ScenarioError
        If a value is not allowed; all problems at once.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        revalidate_instances="always",
    )

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**plain(values))
        except ValidationError as error:
            raise ScenarioError([problem(fault) for fault in findings(error, type(self))]) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # a section inside another is checked with it

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        """Refuse to change it, and say how another one is made."""
        raise CallError(f"{name}: {UNCHANGED} with its key, which `escalate keys {name}` tells")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse to change it, and say how another one is made."""
        raise CallError(f"{name}: {UNCHANGED}")

    def __dir__(self) -> list[str]:
        """Name what a scenario is asked, and nothing of what checks it."""
        return [name for name in super().__dir__() if name.startswith("__") or name not in _OF_PYDANTIC]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return the section with some keys changed, checked as a new one; itself where nothing is changed."""
        return type(self)(**{**plain(self), **update}) if update else self

    def copy(self, *, update: Mapping[str, Any] | None = None, **_: Any) -> Self:
        """Return what `model_copy` returns: pydantic's old name for it."""
        return self.model_copy(update=update)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self
