"""A plan, checked by the schema before anything is written: the containers that are new in it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.links import is_reference, parse_links
from nwbzarr.convention.names import NAMESPACE, NEURODATA_TYPE, REFERENCE, join_path
from nwbzarr.errors import NWBZarrError, SchemaError
from nwbzarr.model.containers import Typed
from nwbzarr.schema.core import CORE
from nwbzarr.schema.validation import Child, check_node
from nwbzarr.writing.sources import BlockSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.elements import Element
    from nwbzarr.schema.registry import Registry
    from nwbzarr.writing.plans import WritePlan

#: Problems that one message lists.
_LISTED = 12


def check_plan(plan: WritePlan, stored: list[tuple[Element, str]]) -> None:
    """Raise for containers that are new in a plan and lack, or hold, what the schema does not allow.

    Parameters
    ----------
    plan : WritePlan
        What will be written.
    stored : list of (Element, str)
        Elements that the plan stores, with their paths.

    Raises
    ------
    SchemaError
        Names every problem.
    """
    nodes = PlannedNodes(plan)
    registries: dict[str | None, Registry] = dict.fromkeys(CORE.namespaces, CORE)
    new: list[tuple[Any, str]] = [(element, path) for element, path in stored if _is_new(element)]
    for element, _ in new:
        registry = type(element).schema_registry
        if registry is not CORE:
            registries[element.namespace] = registry
    for element, path in stored:
        if isinstance(element, Typed):
            _check_whole(element, path, plan)
    problems = [problem for _, path in new for problem in check_node(nodes, path, registries.get)]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems[:_LISTED])
        more = f"\n  … and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        message = f"the session is not what the schema allows; nothing was written:\n{listed}{more}"
        raise SchemaError(message, plan.url.text, problems[0].path)


def check_lengths(plan: WritePlan, stored: list[tuple[Element, str]]) -> None:
    """Raise when what came in blocks does not fit what belongs to it, now that the blocks have ended.

    Raises
    ------
    SchemaError
        When lengths differ.
    """
    if any(isinstance(array.source, BlockSource) for array in plan.arrays):
        for element, path in stored:
            if isinstance(element, Typed):
                _check_whole(element, path, plan)


def _check_whole(element: Any, path: str, plan: WritePlan) -> None:
    try:
        element.check_whole()
    except NWBZarrError as error:
        raise error.located(plan.url.text, path) from error


def _is_new(element: Element) -> bool:
    """Whether an element was made here, of a type that is known; copies of older sessions keep what they had."""
    return (
        isinstance(element, Typed)
        and element.new_attributes.get(NEURODATA_TYPE) == element.schema_type
        and getattr(element, "specifications", None) is None
    )


class PlannedNodes:
    """The nodes of a plan, and those that are stored already."""

    def __init__(self, plan: WritePlan) -> None:
        self._plan = plan
        self._base: Mapping[str, Any] = plan.base.documents if plan.base is not None else {}
        self._names: dict[str, list[str]] = defaultdict(list)
        for path in {**self._base, **plan.documents}:
            parent, _, name = path.rpartition("/")
            if name:
                self._names[parent or "/"].append(name)

    def document(self, path: str) -> Mapping[str, Any]:
        """Return the metadata document of a node."""
        return self._plan.documents.get(path) or self._base[path]

    def _find(self, path: str) -> Mapping[str, Any] | None:
        return self._plan.documents.get(path) or self._base.get(path)

    def children(self, path: str) -> list[Child]:
        """Return the children of a group, links among them; the targets of links were checked when they were set."""
        nodes = [self._child(name, join_path(path, name)) for name in self._names.get(path, ())]
        links = parse_links(self.document(path).get("attributes", {}), path)
        return [*nodes, *(Child(link.name, None, None, None, known=False) for link in links)]

    def _child(self, name: str, path: str) -> Child:
        attributes = self.document(path).get("attributes", {})
        return Child(name, path, attributes.get(NEURODATA_TYPE), attributes.get(NAMESPACE))

    def reference_type(self, value: Any) -> tuple[str | None, str | None] | None:
        """Return namespace and type of what a reference names; None for what is reached through a link."""
        found = self._find(value[REFERENCE]["path"]) if is_reference(value) else None
        if found is None:
            return None
        attributes = found.get("attributes", {})
        return attributes.get(NAMESPACE), attributes.get(NEURODATA_TYPE)


__all__ = ["PlannedNodes", "check_lengths", "check_plan"]
