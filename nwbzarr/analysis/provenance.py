"""Where a computed series comes from: the series it was made of, and what was done to it.

Stored with the series, as JSON in the attribute `PROVENANCE` and, where the source is part of a session, as a link
named `SOURCE`, the word that NWB has for it in decompositions. Readers that know neither lose nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nwbzarr.model.neurodata import NWBFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.series import TimeSeries

PROVENANCE: Final = "provenance"
SOURCE: Final = "source_timeseries"

#: Longest array that is written out among parameters.
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done.

    Attributes
    ----------
    function : str
        Name of the function, with its module.
    parameters : mapping
        What it was given, as JSON can hold it.
    """

    function: str
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.function.rpartition('.')[2]}({given})"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a series comes from.

    Attributes
    ----------
    source : TimeSeries or None
        The stored series that the first step took; None when it was in no session.
    steps : tuple of Step
        What was done, in order.
    """

    source: Any
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        origin = "?" if self.source is None else self.source.path
        return " -> ".join([origin, *map(str, self.steps)])


def provenance_of(series: TimeSeries) -> Provenance | None:
    """Return where a series comes from, or None when nothing is noted."""
    text = series.attributes.get(PROVENANCE)
    try:
        listed = json.loads(text)
        steps = tuple(Step(str(step["function"]), dict(step["parameters"])) for step in listed)
    except (TypeError, ValueError, KeyError):
        return None
    return Provenance(series.find(SOURCE) if SOURCE in series else None, steps)


def note_provenance(made: TimeSeries, source: TimeSeries, function: str, parameters: Mapping[str, Any]) -> None:
    """Note that a series was made of another.

    Steps since the last series that is part of a session are all noted: those between need not be stored.
    """
    before = provenance_of(source)
    placed = source.stored_at is not None or isinstance(source.root, NWBFile)
    step = Step(function, {name: plain(value) for name, value in parameters.items()})
    steps = (step,) if before is None or placed else (*before.steps, step)
    origin = source if placed or before is None else before.source
    made.set_attribute(PROVENANCE, json.dumps([asdict(part) for part in steps]))
    if origin is not None and (origin.stored_at is not None or isinstance(origin.root, NWBFile)) and SOURCE not in made:
        made.link_member(origin, SOURCE)


def plain(value: Any) -> Any:
    """Return a parameter as JSON can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist() if np.size(value) <= _SHOWN else f"array of shape {np.shape(value)}"
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return getattr(value, "__name__", None) or repr(value)[:_SHOWN]


def name_of(function: Any) -> str:
    """Return the name of a function, with its module."""
    inner = getattr(function, "func", function)
    return f"{getattr(inner, '__module__', '?')}.{getattr(inner, '__qualname__', type(inner).__name__)}"
