"""NumPy's selections on stored arrays: what to read, and what to pick from it. Pure.

Every selection becomes a *box* (for each axis a slice with a positive step, or sorted distinct indices) that is read,
and an *inner* selection that NumPy applies to what was read. So the result is NumPy's by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read, and what to pick from it.

    Attributes
    ----------
    box : tuple
        One slice or array of sorted distinct indices for each axis.
    inner : tuple
        NumPy selection on the array that the box gives.
    """

    box: tuple[Any, ...]
    inner: tuple[Any, ...]

    @property
    def is_basic(self) -> bool:
        """Whether the box is made of slices only."""
        return all(isinstance(part, slice) for part in self.box)

    @property
    def takes_all(self) -> bool:
        """Whether what is read is what was asked for, as it is."""
        return all(isinstance(part, slice) and part == slice(None) for part in self.inner)


def plan_selection(selection: Any, shape: tuple[int, ...]) -> Selection:
    """Return what to read and what to pick, for a selection on an array of some shape.

    Parameters
    ----------
    selection : object
        What stands between the brackets.
    shape : tuple of int
        Shape of the array.

    Raises
    ------
    IndexError
        As NumPy raises it: an index out of bounds, too many indices, a mask of the wrong shape.
    """
    box: list[Any] = []
    inner: list[Any] = []
    for part in _expanded(selection, shape):
        if part is None or part is Ellipsis:
            inner.append(part)
            continue
        read, pick = _plan_axis(part, shape[len(box)], len(box))
        box.append(read)
        inner.append(pick)
    return Selection(tuple(box), tuple(inner))


def _expanded(selection: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return one part for each axis, with new axes between them."""
    parts: list[Any] = []
    for part in selection if isinstance(selection, tuple) else (selection,):
        array = np.asarray(part) if isinstance(part, list | np.ndarray) else None
        if array is not None and array.dtype == bool:
            parts += _mask_indices(array, shape, sum(found is not None and found is not Ellipsis for found in parts))
        else:
            parts.append(array.astype(np.intp) if array is not None and array.size == 0 else part)
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > len(shape):
        message = f"too many indices: the array has {len(shape)} dimensions, but {taken} were indexed"
        raise IndexError(message)
    if sum(part is Ellipsis for part in parts) > 1:
        message = "an index can have one ellipsis ('...') only"
        raise IndexError(message)
    at = next((index for index, part in enumerate(parts) if part is Ellipsis), len(parts))
    # An ellipsis that stands for no axis still makes an array of a single value.
    kept = [Ellipsis] if at < len(parts) and taken == len(shape) else []
    return [*parts[:at], *kept, *[slice(None)] * (len(shape) - taken), *parts[at + 1 :]]


def _mask_indices(mask: np.ndarray[Any, Any], shape: tuple[int, ...], axis: int) -> list[Any]:
    """Return a mask as one array of indices for each axis that it covers."""
    if mask.shape != shape[axis : axis + mask.ndim]:
        message = f"a mask must have the shape of the axes it covers, {shape[axis:]}, but {mask.shape} came"
        raise IndexError(message)
    return list(mask.nonzero())


def _plan_axis(part: Any, size: int, axis: int) -> tuple[Any, Any]:
    """Return what to read along one axis, and what to pick from it."""
    if isinstance(part, slice):
        taken = range(size)[part]
        if not len(taken):
            return slice(0, 0), slice(None)
        back = taken.step < 0
        ascending = taken[::-1] if back else taken
        return slice(ascending.start, ascending.stop, ascending.step), slice(None, None, -1) if back else slice(None)
    indices = np.asarray(part)
    if indices.dtype.kind not in "iu":
        message = f"only integers, slices, '...', None and integer or boolean arrays select, but {part!r} came"
        raise IndexError(message)
    if indices.size and (indices.min() < -size or indices.max() >= size):
        message = f"an index is out of bounds for axis {axis} with size {size}: {part!r}"
        raise IndexError(message)
    indices = np.where(indices < 0, indices + size, indices)
    if indices.ndim == 0:
        start = int(indices)
        return slice(start, start + 1), 0
    distinct, positions = np.unique(indices, return_inverse=True)
    return distinct, positions.reshape(indices.shape)
