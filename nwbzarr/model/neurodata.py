"""The classes of all types of NWB core and hdmf-common, by name.

They are made when they are first asked for; what editors and type checkers see stands in the stub beside this module,
which `nwbzarr.model.stubs` writes.
"""

from __future__ import annotations

from typing import Any

from nwbzarr.errors import NamespaceError
from nwbzarr.model.types import class_named
from nwbzarr.schema.core import CORE

__all__ = list(CORE.names)


def __getattr__(name: str) -> Any:
    """Return the class of a type."""
    try:
        value = class_named(name)
    except NamespaceError as error:
        message = f"module 'nwbzarr' has no attribute {name!r}: {error.message}"
        raise AttributeError(message) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names of all types."""
    return __all__
