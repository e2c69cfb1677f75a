"""Tables as `pandas.DataFrame`, and back; pandas is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Mapping


def import_pandas() -> Any:
    """Return pandas.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    return import_extra("pandas", "tables as frames need pandas", "pandas")


def as_frame(columns: Mapping[str, Any], identifiers: Any, name: str) -> Any:
    """Return columns as a frame: one dtype for plain ones, one object for each row of others."""
    pd = import_pandas()
    index = pd.Index(identifiers, name="id")
    # pandas would align series by index; as objects every cell stays what it is.
    made = {word: _cells(values, len(index)) for word, values in columns.items()}
    frame = pd.DataFrame(made, index=index, columns=list(columns))
    frame.attrs["name"] = name
    return frame


def _cells(values: Any, count: int) -> Any:
    """Return one cell for each row: an array of one dimension."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.names is None:
        return values
    cells = np.empty(count, dtype=object)
    for index, value in enumerate(values):
        cells[index] = value
    return cells


def columns_of_frame(frame: Any, described: Mapping[str, str], index_column: str | None) -> tuple[list[Any], Any]:
    """Return the columns of a frame, and the identifiers of its rows."""
    from nwbzarr.model.columns import VectorData
    from nwbzarr.model.ragged import VectorIndex

    identifiers = frame[index_column].to_numpy() if index_column else frame.index.to_numpy()
    if identifiers.dtype.kind not in "iu":
        identifiers = np.arange(len(frame))
    made: list[Any] = []
    for word in frame.columns:
        if word == index_column:
            continue
        name, cells = str(word), frame[word].to_numpy()
        description = described.get(name) or "no description"
        if cells.dtype == object and len(cells) and all(isinstance(cell, list | tuple | np.ndarray) for cell in cells):
            if len({np.shape(cell) for cell in cells}) == 1 and np.size(cells[0]):
                made.append(VectorData(name, description, np.array([list(cell) for cell in cells])))
                continue
            flat = [item for cell in cells for item in cell]
            values = VectorData(name, description, flat)
            ends = VectorIndex(f"{name}_index", np.cumsum([len(cell) for cell in cells]).tolist(), values)
            made += [values, ends]
        else:
            made.append(VectorData(name, description, list(cells) if cells.dtype == object else _plain(cells)))
    return made, identifiers


def _plain(cells: Any) -> Any:
    """Return a frame's text arrays as objects, which is how text is kept."""
    return cells if isinstance(cells, np.ndarray) and cells.dtype.kind in "iufcb" else list(cells)
