"""Functions over the blocks of a series: a new series, computed when it is read or written.

Blocks are what one stored object of the result holds, so that each task reads its samples (and those around them that
it needs), computes, and stores one object: tasks need nothing of each other. This room refuses to compute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import dask.array
import numpy as np
from dask.array.overlap import overlap

from nwbzarr.analysis.kernels import ApplyToBlock
from nwbzarr.analysis.provenance import name_of, note_provenance
from nwbzarr.arrays.graphs import meta_of, read_blocks
from nwbzarr.arrays.spans import Spans
from nwbzarr.errors import AnalysisError
from nwbzarr.layout.planning import plan_layout
from nwbzarr.model.neurodata import ElectricalSeries, SpatialSeries, TimeSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Decoded bytes that one task reads at most, but for what it needs of its neighbours.
_TASK_BYTES: Final = 128 * 2**20

#: Fields that a series of a kind has beside its samples, and that a result with the same channels keeps.
_KEPT: Final = ((ElectricalSeries, ("electrodes", "channel_conversion")), (SpatialSeries, ("reference_frame",)))


@dataclass(frozen=True)
class Recipe:
    """What is done to the samples of a series.

    Attributes
    ----------
    function : callable
        Takes a block of samples, time first, and the parameters by name; gives as many samples as it took (times
        ``up / down``).
    parameters : mapping
        Parameters by name.
    before, after : int
        Samples that a block needs of its neighbours.
    up, down : int
        Samples that come out for samples that go in.
    dtype : dtype-like, optional
        Dtype of the result: float32 unless samples are float64 or complex.
    rest : tuple of int, optional
        Shape of one sample of the result; that of the series by default.
    by_line, finite : bool
        See `ApplyToBlock`.
    """

    function: Callable[..., Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    before: int = 0
    after: int = 0
    up: int = 1
    down: int = 1
    dtype: Any = None
    rest: tuple[int, ...] | None = None
    by_line: bool = False
    finite: bool = False


@dataclass(frozen=True)
class Told:
    """What a result says of itself.

    Attributes
    ----------
    function : str
        Name of what made it, with its module.
    parameters : mapping
        What that was given.
    name : str or None
        Name of the result; that of the source with the function's by default.
    text : str
        What was done, for people.
    unit : str or None
        Unit of the result; None for the source's, with its conversion.
    offset : float or None
        Offset of the result; None for the source's.
    is_scaled : bool
        Whether samples of the result are in the unit already.
    """

    function: str
    parameters: Mapping[str, Any]
    name: str | None
    text: str
    unit: str | None = None
    offset: float | None = None
    is_scaled: bool = False


def map_blocks(  # noqa: PLR0913 - what, and how the result is described
    series: TimeSeries,
    function: Callable[..., Any],
    *,
    name: str | None = None,
    unit: str | None = None,
    dtype: Any = None,
    rest: Sequence[int] | None = None,
    **parameters: Any,
) -> Any:
    """Return a series whose samples a function makes of those of another, block by block.

    Parameters
    ----------
    series : TimeSeries
        The source; it is linked, and so are its timestamps.
    function : callable
        Takes a block of samples as they are stored, shape ``(num_times, …)``, and the parameters by name; gives as many.
    name : str, optional
        Name of the result.
    unit : str, optional
        Unit of the result, which then has conversion 1 and offset 0; the source's three by default.
    dtype : dtype-like, optional
        Dtype of the result: float32 unless samples are float64 or complex. For integers values are rounded, and end at
        the limits of the dtype.
    rest : sequence of int, optional
        Shape of one sample of the result; the source's by default.
    **parameters
        What the function takes, noted with the result.

    Returns
    -------
    TimeSeries
        Of the source's type where unit and channels are the same, else a plain one. Its data is a Dask array: computed
        when it is read or written.

    Raises
    ------
    AnalysisError
        When the series has no samples in time.
    """
    return map_overlap(series, function, 0, 0, name=name, unit=unit, dtype=dtype, rest=rest, **parameters)


def map_overlap(  # noqa: PLR0913
    series: TimeSeries,
    function: Callable[..., Any],
    before: float,
    after: float,
    *,
    name: str | None = None,
    unit: str | None = None,
    dtype: Any = None,
    rest: Sequence[int] | None = None,
    **parameters: Any,
) -> Any:
    """Return a series whose samples a function makes of blocks and of what lies around them.

    The function is given some samples of the neighbouring blocks, too, and gives as many as it was given; those of the
    neighbours are dropped. At the ends of the series there are none.

    Parameters
    ----------
    series, function, name, unit, dtype, rest, **parameters
        As `map_blocks` takes them.
    before, after : float
        How much a block needs of its neighbours, in seconds; samples where the series has timestamps.

    Raises
    ------
    AnalysisError
        When the series has no samples in time, or `before` or `after` is negative.
    """
    scale = series.rate or 1.0
    for reach in (before, after):
        check_number(reach, "before and after", least=0.0)
    first, last = (math.ceil(reach * scale - 1e-9) for reach in (before, after))
    shape = None if rest is None else tuple(rest)
    recipe = Recipe(function, parameters, first, last, dtype=dtype, rest=shape)
    told = Told(
        name_of(function), parameters, name, name_of(function), unit, None if unit is None else 0.0, unit is not None
    )
    return mapped(series, recipe, told)


def mapped(series: TimeSeries, recipe: Recipe, told: Told) -> Any:
    """Return the series that a recipe makes of another.

    Parameters
    ----------
    series : TimeSeries
        The source.
    recipe : Recipe
        What is done.
    told : Told
        What is said of it.
    """
    return derived(series, mapped_data(series, recipe), told, ratio=(recipe.up, recipe.down))


def mapped_data(series: TimeSeries, recipe: Recipe) -> Any:
    """Return the samples that a recipe makes of a series, as a Dask array."""
    shape = samples_of(series)
    dtype = result_dtype(series, recipe.dtype)
    rest = shape[1:] if recipe.rest is None else recipe.rest
    step = block_rows(series, (-(-shape[0] * recipe.up // recipe.down), *rest), dtype, recipe.up, recipe.down)
    spans = spans_of(series, step, recipe.before, recipe.after, recipe.up, recipe.down)
    blocks = blocks_of(series, spans)
    apply = ApplyToBlock(
        recipe.function, recipe.parameters, spans, dtype, recipe.by_line, recipe.finite, name=series.name
    )
    # Samples of another shape come whole; else blocks keep the channels that they have.
    across = blocks.chunks[1:] if recipe.rest is None else tuple((size,) for size in rest)
    return blocks.map_blocks(
        apply,
        dtype=dtype,
        chunks=(spans.sizes_given, *across),
        meta=meta_of(1 + len(rest), dtype),
        **_changed_axes(len(shape), 1 + len(rest)),
        name=f"{name_of(recipe.function)}-{dask.base.tokenize(blocks.name, recipe.function, recipe.parameters, spans, dtype)}",
    )


def samples_of(series: TimeSeries) -> tuple[int, ...]:
    """Return the shape of a series' samples.

    Raises
    ------
    AnalysisError
        When there are none, or the shape is not known.
    """
    shape = getattr(series.data, "shape", None) or np.shape(series.data)
    if not shape or hasattr(series.data, "__next__"):
        message = f"{series.name!r} must have samples to compute with, but its data are {type(series.data).__name__}"
        raise AnalysisError(message)
    if not all(shape):
        message = f"{series.name!r} must have samples to compute with, but its shape is {shape}"
        raise AnalysisError(message)
    if _kind(series) not in "biufc":
        message = f"{series.name!r} must have numbers to compute with, but its data are {series.data.dtype}"
        raise AnalysisError(message)
    return tuple(shape)


def real_samples(series: TimeSeries, purpose: str) -> tuple[int, ...]:
    """Return the shape of a series' samples; raises for complex ones, and as `samples_of` does."""
    shape = samples_of(series)
    if _kind(series) == "c":
        message = f"{purpose} needs real samples, but those of {series.name!r} are complex: take their parts one by one"
        raise AnalysisError(message)
    return shape


def check_number(value: Any, what: str, *, least: float, above: bool = False) -> None:
    """Raise `AnalysisError` unless a value is a finite number that is not below some other (or is above it)."""
    fits = isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)
    if not fits or value < least or (above and value == least):
        message = f"{what} must be {'a number above' if above else 'a number from'} {least:g}, but {value!r} came"
        raise AnalysisError(message)


def check_whole(value: Any, what: str, *, least: int) -> None:
    """Raise `AnalysisError` unless a value is a whole number that is not below some other."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        message = f"{what} must be a whole number from {least}, but {value!r} came"
        raise AnalysisError(message)


def _kind(series: TimeSeries) -> str:
    """Return the kind of a series' samples, in NumPy's letters."""
    data = series.data
    return str((data.dtype if hasattr(data, "dtype") else np.asarray(data).dtype).kind)


def result_dtype(series: TimeSeries, asked: Any) -> np.dtype[Any]:
    """Return the dtype of a result: the one that is asked for, else float32, or what holds the source's precision."""
    wanted: np.dtype[Any] = np.dtype(asked)
    if asked is not None:
        return wanted
    source: np.dtype[Any] = np.dtype(getattr(series.data, "dtype", np.float64))
    single = np.dtype(np.float32)
    precise = source.kind in "fc" and source.itemsize >= single.itemsize
    return source if precise else single


def block_rows(series: TimeSeries, shape: tuple[int, ...], dtype: np.dtype[Any], up: int = 1, down: int = 1) -> int:
    """Return how many samples of a series one task takes, so that it gives what one stored object holds.

    Parameters
    ----------
    series : TimeSeries
        The source.
    shape : tuple of int
        Shape of the result.
    dtype : numpy.dtype
        Its dtype.
    up, down : int
        Samples that come out for samples that go in.
    """
    rows: int = plan_layout(shape, dtype, role="processed").objects[0]
    source = samples_of(series)
    largest: int = max(_TASK_BYTES // (math.prod(source[1:]) * series.to_dask().dtype.itemsize), 1)
    # Where few samples come out of many, several tasks make one object.
    wanted = -(-rows * down // up)
    return -(-wanted // max(-(-wanted // largest), 1))


def spans_of(series: TimeSeries, step: int, before: int = 0, after: int = 0, up: int = 1, down: int = 1) -> Spans:  # noqa: PLR0913
    """Return blocks of about `step` samples of a series, that take some of their neighbours.

    What is stored is read at any place; blocks that Dask computes share their edges with the next only.
    """
    plan = Spans.around if hasattr(series.data, "portable") else Spans.beside
    return plan(samples_of(series)[0], step, before, after, up, down)


def blocks_of(series: TimeSeries, spans: Spans) -> Any:
    """Return the samples of a series as a Dask array of blocks that take some samples of their neighbours.

    What is stored is read so; a Dask array gets other chunks, and shares the edges of its blocks.
    """
    data = series.data
    stored = getattr(data, "portable", None)
    if stored is not None:
        return read_blocks(stored, data.dtype, spans, stored.shape[1:])
    blocks = series.to_dask()
    blocks = blocks.rechunk((spans.sizes_alone, *blocks.shape[1:]))
    if spans.count == 1 or not (spans.before or spans.after):
        return blocks
    return overlap(blocks, depth={0: (spans.before, spans.after)}, boundary={0: "none"}, allow_rechunk=False)


def derived(series: TimeSeries, data: Any, told: Told, ratio: tuple[int, int] = (1, 1)) -> Any:
    """Return a series of computed samples, with what it keeps of its source.

    Parameters
    ----------
    series : TimeSeries
        The source.
    data : dask.array.Array
        The samples.
    told : Told
        What is said of them.
    ratio : tuple of int
        Samples of the result for samples of the source.
    """
    same = told.unit in (None, series.unit) and tuple(data.shape[1:]) == samples_of(series)[1:]
    kind, fields = next(
        ((kind, fields) for kind, fields in _KEPT if same and isinstance(series, kind)), (TimeSeries, ())
    )
    kept = {word: value for word in fields if (value := getattr(series, word, None)) is not None}
    if told.is_scaled:
        kept.pop("channel_conversion", None)
    if kind is ElectricalSeries:
        kept["filtering"] = told.text
    else:
        kept["unit"] = told.unit or series.unit
    made: Any = kind(
        name=told.name or f"{series.name}_{told.function.rpartition('.')[2]}",
        data=data,
        conversion=1.0 if told.is_scaled else series.conversion,
        offset=series.offset if told.offset is None else told.offset,
        description=series.description or "no description",
        comments=f"{told.text}, of {series.name}",
        **_times(series, ratio),
        **kept,
    )
    note_provenance(made, series, told.function, told.parameters)
    return made


def _times(series: TimeSeries, ratio: tuple[int, int]) -> dict[str, Any]:
    """Return what says when samples of a result were taken: the source's timestamps by link, or its rate."""
    if series.rate is None:
        return {"timestamps": series}
    return {"rate": series.rate * ratio[0] / ratio[1], "starting_time": series.starting_time}


def _changed_axes(taken: int, given: int) -> dict[str, Any]:
    """Return what tells Dask that samples have more axes, or fewer."""
    if given > taken:
        return {"new_axis": list(range(taken, given))}
    return {"drop_axis": list(range(given, taken))} if given < taken else {}
