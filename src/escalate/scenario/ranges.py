"""Ranges of assumptions: between which values a person thinks that they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def range_fault(value: Any, low: Any, high: Any) -> str:
    """Return what is wrong with the range of a value; empty if nothing is.

    Parameters
    ----------
    value, low, high : number, or list or table of numbers
        The value that is assumed, and both ends of its range, of the same shape.
    """
    try:
        numbers = list(_together(value, low, high))
    except (TypeError, LookupError):
        return "a range has two ends, low then high, each a number or as many numbers as the value has"
    if any(not low <= value <= high for value, low, high in numbers):
        return f"the value, {_text(value)[:60]}, must lie between both ends, the low one first"
    if all(low == high for _, low, high in numbers):
        return "both ends are the same; leave the range out, or make it wider"
    return ""


def value_text(value: Any) -> str:
    """Return a value as a person would write it; of a table, what its numbers add up to."""
    if isinstance(value, Mapping):
        return f"{sum(item for item in value.values() if isinstance(item, int | float)):.4g} in all"
    return _text(value)


def _together(value: Any, low: Any, high: Any) -> Iterator[tuple[float, float, float]]:
    """Yield the numbers of a value with those of both ends; raise if they are not of the same shape."""
    if isinstance(value, Mapping):
        if not (isinstance(low, Mapping) and isinstance(high, Mapping) and value.keys() == low.keys() == high.keys()):
            raise TypeError
        for name in value:
            yield from _together(value[name], low[name], high[name])
    elif isinstance(value, list | tuple):
        if not (
            isinstance(low, list | tuple) and isinstance(high, list | tuple) and len(value) == len(low) == len(high)
        ):
            raise TypeError
        for parts in zip(value, low, high, strict=True):
            yield from _together(*parts)
    elif all(isinstance(part, int | float) and not isinstance(part, bool) for part in (value, low, high)):
        yield value, low, high
    else:
        raise TypeError


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
