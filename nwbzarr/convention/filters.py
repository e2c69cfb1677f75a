"""Filters: what the values of a chunk go through before they are serialized, and after. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]


class Filter(Protocol):
    """Values of one chunk to other values."""

    def encode(self, array: Array) -> Array:
        """Return what is serialized."""

    def decode(self, array: Array) -> Array:
        """Return the values."""

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of what is serialized."""


@dataclass(frozen=True, slots=True)
class Transpose:
    """Axes in another order (Zarr's ``transpose``)."""

    order: tuple[int, ...]

    def encode(self, array: Array) -> Array:
        """Return what is serialized."""
        return array.transpose(self.order)

    def decode(self, array: Array) -> Array:
        """Return the values."""
        return array.transpose(np.argsort(self.order))

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of what is serialized."""
        return tuple(shape[axis] for axis in self.order)


@dataclass(frozen=True, slots=True)
class Delta:
    """Differences of neighbours in C order, wrapping round, so that nothing is lost."""

    dtype: np.dtype[Any]

    def encode(self, array: Array) -> Array:
        """Return what is serialized."""
        flat = np.ascontiguousarray(array).reshape(-1)
        made = np.empty_like(flat)
        made[:1] = flat[:1]
        np.subtract(flat[1:], flat[:-1], out=made[1:])
        return made.reshape(array.shape)

    def decode(self, array: Array) -> Array:
        """Return the values."""
        flat = np.ascontiguousarray(array).reshape(-1)
        return np.cumsum(flat, dtype=self.dtype).reshape(array.shape)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of what is serialized."""
        return shape


def parse_transpose(given: Mapping[str, Any], _: np.dtype[Any]) -> Filter:
    """Return the filter of a ``transpose`` codec; ValueError when its order names no axes."""
    order = tuple(given["order"])
    if sorted(order) != list(range(len(order))):
        message = f"order must name every axis once, but {order} was found"
        raise ValueError(message)
    return Transpose(order)


def parse_delta(given: Mapping[str, Any], dtype: np.dtype[Any]) -> Filter:
    """Return the filter of a ``numcodecs.delta`` codec; ValueError when it keeps another dtype."""
    stored = {np.dtype(given["dtype"]), np.dtype(given.get("astype", given["dtype"]))}
    if dtype.kind not in "iu" or stored != {dtype.newbyteorder("<")}:
        message = f"differences are kept here in the dtype of the values, {dtype}, but {stored} was found"
        raise ValueError(message)
    return Delta(dtype)
