"""Values: plain ones that people give, and the same ones as a scenario holds them, which nobody can change.

A list becomes a tuple; a table, whose keys people choose, becomes a `FrozenTable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..errors import CallError

K = TypeVar("K")
V = TypeVar("V")


UNCHANGED = "a scenario does not change; make another one: scenario.replace({...})"
"""What is said to whoever wants to change one in place."""


class FrozenTable(dict[K, V]):
    """A dictionary that cannot be changed and can be hashed; it equals a dictionary with the same items.

    Parameters
    ----------
    items : mapping or pairs
        Keys and values; the values are frozen themselves.
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise CallError(UNCHANGED)

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenTable[K, V]:
        return self

    def __deepcopy__(self, _: Any) -> FrozenTable[K, V]:
        return self

    def __reduce__(self) -> tuple[type[FrozenTable[K, V]], tuple[dict[K, V]]]:
        return FrozenTable, (dict(self),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic check it as the dictionary that it is."""
        plain_table = handler.generate_schema(dict[get_args(source)])  # type: ignore[misc]
        return core_schema.no_info_after_validator_function(cls, plain_table)


def frozen(value: Any) -> Any:
    """Return a plain value so that nothing in it can be changed."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in value)
    return FrozenTable({key: frozen(item) for key, item in value.items()}) if isinstance(value, Mapping) else value


def plain(value: Any) -> Any:
    """Return a value of a scenario, or one given in Python, as a scenario file would give it.

    Sections and tables become dictionaries with text as keys, tuples and arrays become lists, and numpy's numbers
    plain ones. Whatever else there is stays, for the checks to refuse.
    """
    if isinstance(value, BaseModel):
        held = vars(value)
        return {name: plain(held[name]) for name in type(value).model_fields if name in held}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
"""A list that a scenario holds: `Annotated[tuple[int, ...], AS_TUPLE]`. The list of a file is made a tuple first."""

FROZEN = AfterValidator(frozen)
"""A value of any kind that a scenario holds."""
