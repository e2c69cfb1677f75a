"""HDF5's data types as the stored form's: which dtype, what must be translated, and what has no form.

HDF5 1.14, "Datatypes"; h5py's mapping of truth values (an enumeration of FALSE and TRUE) and of complex numbers (a
compound of ``r`` and ``i``). What the stored form would lose is kept as HDF5's own encoding of the type. This room
refuses to read data.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from h5py import h5t

from nwbzarr.convention.dtypes import PLAIN_TYPES, TEXT
from nwbzarr.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Collection

#: dtype whose every byte order and packing is HDF5's too.
_NUMBERS: Final = "biufc"

_CLASSES: Final = {
    getattr(h5t, name): name
    for name in (
        "INTEGER",
        "FLOAT",
        "TIME",
        "STRING",
        "BITFIELD",
        "OPAQUE",
        "COMPOUND",
        "REFERENCE",
        "ENUM",
        "VLEN",
        "ARRAY",
    )
}


@dataclass(frozen=True)
class StoredType:
    """How values of an HDF5 type are stored.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the stored values, little-endian; object for text and references. Text fields of a compound are objects too,
        until their width is known.
    as_is : bool
        Whether the bytes in the file are those of the stored values.
    big_endian : bool
        Whether those bytes are.
    references : bool
        Whether the values are object references.
    reference_fields : tuple of str
        Fields of a compound that are.
    inner : tuple of int
        Shape of one value: of HDF5's array types.
    """

    dtype: np.dtype[Any]
    as_is: bool = False
    big_endian: bool = False
    references: bool = False
    reference_fields: tuple[str, ...] = ()
    inner: tuple[int, ...] = ()


def parse_type(kind: h5t.TypeID, where: str) -> StoredType:
    """Return how values of an HDF5 type are stored.

    Parameters
    ----------
    kind : h5py.h5t.TypeID
        The type.
    where : str
        What has it, for messages.

    Raises
    ------
    ConversionError
        When the stored form has nothing for it.
    """
    if isinstance(kind, h5t.TypeStringID):
        return StoredType(TEXT)
    if isinstance(kind, h5t.TypeReferenceID):
        return _reference(kind, where)
    if isinstance(kind, h5t.TypeArrayID):
        return _array(kind, where)
    number = _number(kind)
    if number is not None:
        return number
    if isinstance(kind, h5t.TypeCompoundID):
        return _compound(kind, where)
    raise _formless(kind, where)


def default_type(
    dtype: np.dtype[Any], *, references: bool = False, reference_fields: Collection[str] = ()
) -> h5t.TypeID:
    """Return the HDF5 type that values of a stored dtype are given where no other was noted.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the stored values.
    references : bool
        Whether they are paths that stand for object references.
    reference_fields : collection of str
        Fields of a compound that are.
    """
    if references:
        return h5t.py_create(h5py.ref_dtype, logical=True)
    if dtype.names is not None:
        columns = [(name, default_type(dtype[name], references=name in reference_fields).dtype) for name in dtype.names]
        return h5t.py_create(np.dtype(columns), logical=True)
    if dtype.kind in "OTU":
        return h5t.py_create(h5py.string_dtype("utf-8"), logical=True)
    return h5t.py_create(dtype, logical=True)


def encode_type(kind: h5t.TypeID) -> str:
    """Return a type as text: HDF5's own encoding, in base 64."""
    return base64.b64encode(kind.encode()).decode()


def decode_type(text: str, where: str) -> h5t.TypeID:
    """Return the type that `encode_type` has given.

    Raises
    ------
    ConversionError
        When the text is no type.
    """
    try:
        return h5t.decode(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, RuntimeError) as error:
        message = f"the note of an HDF5 type must be HDF5's own encoding of it, but {text[:40]!r} is none: {error}"
        raise ConversionError(message, path=where) from error


def _number(kind: h5t.TypeID) -> StoredType | None:
    """Return how numbers and truth values are stored; None for another type."""
    if isinstance(kind, h5t.TypeEnumID) and not _is_bool(kind):
        kind = kind.get_super()
    try:
        dtype = kind.dtype
    except (TypeError, ValueError):
        return None
    if dtype.kind not in _NUMBERS or dtype.newbyteorder("=").name not in PLAIN_TYPES or not _fills(kind, dtype):
        return None
    return StoredType(dtype.newbyteorder("="), as_is=True, big_endian=dtype.byteorder == ">")


def _is_bool(kind: h5t.TypeEnumID) -> bool:
    return bool(kind.dtype == np.dtype(bool))


def _fills(kind: h5t.TypeID, dtype: np.dtype[Any]) -> bool:
    """Whether all bits of a value count, so that NumPy sees in the bytes what HDF5 does."""
    if isinstance(kind, h5t.TypeIntegerID):
        return bool(kind.get_precision() == 8 * kind.get_size() == 8 * dtype.itemsize)
    return bool(kind.get_size() == dtype.itemsize)


def _reference(kind: h5t.TypeID, where: str) -> StoredType:
    if not kind.equal(h5t.STD_REF_OBJ):
        raise _formless(kind, where)
    return StoredType(TEXT, references=True)


def _array(kind: h5t.TypeArrayID, where: str) -> StoredType:
    inner = parse_type(kind.get_super(), where)
    if not inner.as_is:
        raise _formless(kind, where)
    return StoredType(
        inner.dtype, as_is=True, big_endian=inner.big_endian, inner=(*kind.get_array_dims(), *inner.inner)
    )


def _compound(kind: h5t.TypeCompoundID, where: str) -> StoredType:
    names = [kind.get_member_name(index).decode() for index in range(kind.get_nmembers())]
    members = [kind.get_member_type(index) for index in range(kind.get_nmembers())]
    fields = [parse_type(member, f"{where}, field {name!r}") for name, member in zip(names, members, strict=True)]
    if not fields or any(field.inner or field.dtype.names for field in fields):
        raise _formless(kind, where)
    packed = sum(member.get_size() for member in members) == kind.get_size()
    return StoredType(
        np.dtype([(name, field.dtype) for name, field in zip(names, fields, strict=True)]),
        as_is=packed and all(field.as_is and not field.big_endian for field in fields),
        reference_fields=tuple(name for name, field in zip(names, fields, strict=True) if field.references),
    )


def _formless(kind: h5t.TypeID, where: str) -> ConversionError:
    described = _CLASSES.get(kind.get_class(), type(kind).__name__)
    message = (
        "values must be numbers, truth values, text, object references or compounds of these, but they have the HDF5 "
        f"type {described} of {kind.get_size()} bytes, for which Zarr has no form: leave the dataset out, or store it as "
        "numbers"
    )
    return ConversionError(message, path=where)
