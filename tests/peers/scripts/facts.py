"""Arrays as plain JSON and back, as `tests/peers/sessions.py` has them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np

Facts = dict[str, Any]

#: Groups of a session that hold time series, by the name of the field in PyNWB.
FOLDERS = {
    "acquisition": "acquisition",
    "analysis": "analysis",
    "stimulus/presentation": "stimulus",
    "stimulus/templates": "stimulus_template",
    "scratch": "scratch",
}


def plain(value: Any) -> Any:
    """Return a value of a field as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic) or (getattr(value, "shape", None) == () and not isinstance(value, str)):
        return _words(np.asarray(value).item())
    return array(value) if hasattr(value, "shape") else value


def texts(value: Any) -> Any:
    """Return texts or datetimes in an array or list as nested lists."""
    return plain(np.asarray(value).tolist()) if value is not None else None


def array(value: Any) -> Facts:
    """Return an array as facts; not-finite numbers are words."""
    found = np.asarray(value)
    if found.dtype.kind in "OUT":
        return {"dtype": "str", "shape": list(found.shape), "values": found.astype(object).tolist()}
    return {"dtype": found.dtype.name, "shape": list(found.shape), "values": _words(found.tolist())}


def numpy_of(facts: Facts) -> Any:
    """Return the array of some facts."""
    if facts["dtype"] == "str":
        return np.array(facts["values"])
    return np.array(_numbers(facts["values"]), facts["dtype"]).reshape(facts["shape"])


def _words(value: Any) -> Any:
    if isinstance(value, list):
        return [_words(item) for item in value]
    if isinstance(value, complex):
        return [_words(value.real), _words(value.imag)]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float(value) if isinstance(value, str) else value
