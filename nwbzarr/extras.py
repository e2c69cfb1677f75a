"""Packages that come with an extra, imported when they are first needed.

What is missing is named here, and how it is installed. Nothing is replaced by something else that happens to be there.
"""

from __future__ import annotations

import importlib
from typing import Any

from nwbzarr.errors import MissingExtraError


def import_extra(name: str, need: str, extra: str) -> Any:
    """Return a module that an extra brings, or that imports what it brings.

    Parameters
    ----------
    name : str
        Of the module.
    need : str
        What needs which package: the beginning of the message.
    extra : str
        The extra of nwbzarr that installs it.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        message = f"{need}: install it (pip install 'nwbzarr[{extra}]')"
        raise MissingExtraError(message) from error
