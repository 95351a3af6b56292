"""What every section of a scenario is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[int, Field(ge=0, le=1_000_000)]


class Section(BaseModel):
    """A part of a scenario: unknown keys refused, types strict, values frozen, numbers finite."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
