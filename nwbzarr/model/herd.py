"""`HERD`: what terms in a session mean in resources elsewhere, as six tables of rows that number each other."""

from __future__ import annotations

from typing import Any

from nwbzarr.errors import FieldTypeError
from nwbzarr.model.containers import Container, Data
from nwbzarr.model.elements import Element
from nwbzarr.model.groups import Group
from nwbzarr.schema.specs import GroupSpec


class HERD(Container):
    """What terms in a session mean in resources elsewhere: keys, entities, and where each is used.

    Parameters
    ----------
    keys, files, entities, objects, object_keys, entity_keys : list of tuple, optional
        Rows of the six tables, in the order of their fields in the schema; empty when not given.

    Notes
    -----
    hdmf-common schema, resources.yaml, HERD.
    """

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; a table that was not given has no rows."""
        spec = self.schema_registry.resolved(self.schema_type)
        made = {}
        for dataset in spec.datasets if isinstance(spec, GroupSpec) else ():
            rows = values.get(str(dataset.name))
            made[str(dataset.name)] = data = Data(dataset.name, [] if rows is None else [tuple(row) for row in rows])
            data.rules = dataset
        return made

    def add_ref(  # noqa: PLR0913 - PyNWB's signature
        self,
        container: Any = None,
        attribute: str | None = None,
        field: str = "",
        key: str | None = None,
        entity_id: str | None = None,
        entity_uri: str | None = None,
        file: Any = None,
    ) -> None:
        """Note what a term means.

        Parameters
        ----------
        container : container
            Where the term is used.
        attribute : str, optional
            Field of the container that holds it.
        field : str
            Field of a compound that holds it.
        key : str
            The term.
        entity_id : str
            What it means: an identifier in the resource.
        entity_uri : str, optional
            Where the resource has it.
        file : NWBFile, optional
            The session; that of the container by default.

        Raises
        ------
        FieldTypeError
            When container, key or entity_id is missing.
        """
        if not isinstance(container, Element) or key is None or entity_id is None:
            message = "a reference to a resource must have a container, a key and an entity_id, but one is missing"
            raise FieldTypeError(message)
        target, path = _target(container, attribute)
        session = file if file is not None else container.root
        files_idx = self._row("files", (session.object_id,))
        keys = (files_idx, target.object_id, target.neurodata_type, path, field)
        objects_idx = self._row("objects", keys)
        keys_idx = self._key(objects_idx, key)
        entities_idx = self._row("entities", (entity_id, entity_uri or ""))
        self._row("object_keys", (objects_idx, keys_idx))
        self._row("entity_keys", (entities_idx, keys_idx))

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        found: Any = self.member(table)
        return [tuple(row) for row in found.all_values().tolist()]

    def _row(self, table: str, row: tuple[Any, ...]) -> int:
        """Return the number of a row, added where it is not there."""
        rows = self._rows(table)
        if row in rows:
            return rows.index(row)
        member: Any = self.member(table)
        member.add_rows([row])
        return len(rows)

    def _key(self, objects_idx: int, key: str) -> int:
        """Return the number of a key of an object; every object has keys of its own."""
        keys = self._rows("keys")
        known = [number for index, number in self._rows("object_keys") if index == objects_idx]
        found = next((number for number in known if keys[number] == (key,)), None)
        if found is not None:
            return int(found)
        member: Any = self.member("keys")
        member.add_rows([(key,)])
        return len(keys)


def _target(container: Element, attribute: str | None) -> tuple[Element, str]:
    """Return the object that a field belongs to, and the path of the field in it: empty for an object of its own."""
    if attribute is None:
        return container, ""
    found = container.find(attribute) if isinstance(container, Group) else None
    return (found, "") if found is not None and found.neurodata_type is not None else (container, attribute)
