"""Types with a little behaviour: processing modules, images, scratch data, subjects, sparse matrices.

Each class adds to its schema type what the schema cannot say: rules between fields, and other words for them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import SchemaError
from nwbzarr.model.containers import Container, NWBContainer, NWBData, NWBDataInterface
from nwbzarr.model.elements import Element

if TYPE_CHECKING:
    from datetime import datetime


class ProcessingModule(NWBContainer):
    """A collection of processed data that belong together.

    Parameters
    ----------
    name : str
        Name of the module: ``"ecephys"``, ``"behavior"`` …
    description : str
        What was done.
    data_interfaces : list, optional
        Containers to begin with.
    """

    description: str

    def add(self, container: Any) -> Any:
        """Add a container under its name, and return it.

        Raises
        ------
        FieldTypeError
            When it is no container.
        DuplicateNameError
            When the name is taken.
        """
        if not isinstance(container, Element) or container.neurodata_type is None:
            message = f"ProcessingModule {self.name!r} holds containers, but {type(container).__name__} came"
            raise SchemaError(message)
        self.add_member(container)
        return container

    add_container = add
    add_data_interface = add

    def get(self, name: str, default: Any = None) -> Any:
        """Return a container by name, or `default`."""
        return super().get(name, default)

    get_container = get
    get_data_interface = get

    @property
    def containers(self) -> dict[str, Element]:
        """Containers by name."""
        return self.children

    data_interfaces = containers


class SimpleMultiContainer(Container):
    """Containers and datasets of any type by name.

    Parameters
    ----------
    name : str
        Name of the container.
    containers : list, optional
        Containers to begin with.
    """


class Images(NWBDataInterface):
    """Images that belong together, with an order where there is one.

    Parameters
    ----------
    name : str
        Name of the collection.
    images : list of Image, optional
        Images to begin with.
    description : str
        What they show.
    order_of_images : ImageReferences, optional
        The images in order.
    """

    images: Any

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the description has a default."""
        return {**values, "description": values.get("description") or "no description"}

    def __getitem__(self, name: str) -> Any:
        """Return an image by name, or another member."""
        return self.member(name)


class ImageSegmentation(NWBDataInterface):
    """Results of segmenting imaging planes into regions of interest: a `PlaneSegmentation` for each plane."""

    def add_segmentation(self, *args: Any, **fields: Any) -> Any:
        """Make a `PlaneSegmentation`, add it, and return it; described as its plane is, where nothing else is said."""
        plane = fields.get("imaging_plane")
        if not args and fields.get("description") is None and plane is not None:
            fields["description"] = plane.description
        return self.create_plane_segmentation(*args, **fields)  # type: ignore[attr-defined]


class ScratchData(NWBData):
    """One-off results of an analysis, of any form.

    Parameters
    ----------
    name : str
        Name of the data.
    data : array_like or scalar
        Numbers (complex ones too), texts or truth values.
    notes : str
        What it is. `description` is another word for it.
    """

    notes: str

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: one of two words for one field.

        Raises
        ------
        SchemaError
            When both came.
        """
        description = values.pop("description", None)
        if values.get("notes") is not None and description is not None:
            message = f"ScratchData {self.name!r} takes notes or description, two words for one field, but both came"
            raise SchemaError(message)
        return {"notes": values.get("notes") if description is None else description}

    @property
    def description(self) -> str:
        """The notes, under PyNWB's newer name."""
        return self.notes


class CSRMatrix(Container):
    """A matrix in compressed sparse row form.

    Parameters
    ----------
    data : scipy.sparse matrix or array_like
        The matrix, or the values that are not zero.
    indices, indptr : array_like of int, optional
        Column of each value, and where each row begins in the values; needed with plain values.
    shape : (int, int), optional
        Rows and columns; needed with plain values.
    name : str
        Name of the matrix.
    """

    data: Any
    indices: Any
    indptr: Any

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set, from a matrix or its parts.

        Raises
        ------
        SchemaError
            When a part is missing, or they do not fit each other.
        """
        matrix = values["data"]
        if isinstance(matrix, np.ndarray | list) and np.ndim(matrix) == 2:  # noqa: PLR2004 - a matrix has two dimensions
            from scipy.sparse import csr_matrix

            matrix = csr_matrix(np.asarray(matrix))
        if hasattr(matrix, "tocsr"):
            found = matrix.tocsr()
            values.update(data=found.data, indices=found.indices, indptr=found.indptr, shape=found.shape)
        missing = [word for word in ("indices", "indptr", "shape") if values.get(word) is None]
        if missing:
            message = (
                f"CSRMatrix {self.name!r} must have {', '.join(missing)} with plain values, or a scipy.sparse matrix"
            )
            raise SchemaError(message)
        rows = int(values["shape"][0])
        if len(values["indptr"]) != rows + 1 or len(values["indices"]) != len(values["data"]):
            message = (
                f"CSRMatrix {self.name!r} of {rows} rows must have {rows + 1} row starts and as many columns as values, "
                f"but {len(values['indptr'])}, {len(values['indices'])} and {len(values['data'])} came"
            )
            raise SchemaError(message)
        values["shape"] = np.asarray(values["shape"], dtype=np.uint64)
        return values

    def to_spmat(self) -> Any:
        """Return the matrix as a `scipy.sparse.csr_matrix`."""
        from scipy.sparse import csr_matrix

        shape = tuple(int(size) for size in self.attributes["shape"])
        parts = tuple(np.asarray(part) for part in (self.data, self.indices, self.indptr))
        return csr_matrix(parts, shape=shape)


class Subject(NWBContainer):
    """The animal or person that was recorded.

    Parameters
    ----------
    age : str or timedelta, optional
        ISO 8601 duration (``"P90D"``); a `datetime.timedelta` is written as one.
    age__reference : str
        ``"birth"`` or ``"gestational"``.
    weight : str or float, optional
        With its unit (``"0.3 kg"``); a number means kilograms.
    date_of_birth : datetime, optional
        With an offset from UTC; naive means local time.
    description, genotype, sex, species, strain, subject_id : str, optional
        Who it is.
    """

    age: str | None
    age__reference: str | None
    description: str | None
    genotype: str | None
    sex: str | None
    species: str | None
    strain: str | None
    subject_id: str | None
    weight: str | None
    date_of_birth: datetime | None

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: spans of time and weights as texts."""
        if isinstance(values.get("age"), timedelta):
            values["age"] = _duration(values["age"])
        weight = values.get("weight")
        if isinstance(weight, int | float) and not isinstance(weight, bool):
            values["weight"] = f"{weight} kg"
        return values


def _duration(span: timedelta) -> str:
    """Return a span of time as an ISO 8601 duration."""
    if span < timedelta():
        message = f"Subject.age must not be negative, but {span} came"
        raise SchemaError(message)
    seconds = f"{span.seconds}.{span.microseconds:06d}".rstrip("0").rstrip(".")
    return f"P{span.days}D" + (f"T{seconds}S" if seconds != "0" else "")
