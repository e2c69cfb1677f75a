"""The types that are known together: lineage, and what a type says when all its bases are read with it.

A registry is one namespace with what it includes. A type of an extension may have the name of a core type; in its
registry it stands for its own. This room refuses to know where namespaces come from.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from nwbzarr.errors import NamespaceError
from nwbzarr.schema.specs import AttributeSpec, DatasetSpec, GroupSpec, LinkSpec, Namespace, Quantity, ReferenceTo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nwbzarr.schema.fields import FieldSpec

Node = TypeVar("Node", GroupSpec, DatasetSpec)
Named = TypeVar("Named", AttributeSpec, DatasetSpec, GroupSpec, LinkSpec)


@dataclass(frozen=True, slots=True)
class TypeSpec:
    """One neurodata type.

    Attributes
    ----------
    name : str
        Neurodata type.
    base : str or None
        The type it extends.
    namespace : str
        ``core``, ``hdmf-common`` …
    spec : GroupSpec or DatasetSpec
        What it says itself; what its bases say comes with `Registry.resolved`.
    """

    name: str
    base: str | None
    namespace: str
    spec: GroupSpec | DatasetSpec

    @property
    def is_dataset(self) -> bool:
        """Whether it is stored as an array instead of a group."""
        return isinstance(self.spec, DatasetSpec)


class Registry:
    """The types of some namespaces.

    Parameters
    ----------
    namespaces : iterable of Namespace
        Those included before those that include them; a later type of the same name hides an earlier one.
    bases : iterable of Registry
        Registries whose types are known too.

    Raises
    ------
    NamespaceError
        When a type extends one that is not known, or itself.
    """

    def __init__(self, namespaces: Iterable[Namespace], bases: Iterable[Registry] = ()) -> None:
        self.types: dict[str, TypeSpec] = {}
        self.namespaces: dict[str, Namespace] = {}
        self._homes: dict[str, Registry] = {}
        for base in bases:
            self.types.update(base.types)
            self.namespaces.update(base.namespaces)
            self._homes.update({name: base.home(name) for name in base.types})
        for namespace in namespaces:
            self._add(namespace)
        self._resolved: dict[str, GroupSpec | DatasetSpec] = {}
        self._fields: dict[str, dict[str, FieldSpec]] = {}

    def _add(self, namespace: Namespace) -> None:
        own: dict[str, TypeSpec] = {}
        for source in namespace.sources:
            for spec in source.types:
                for found in flattened(spec):
                    own[str(found.type_def)] = TypeSpec(str(found.type_def), found.type_inc, namespace.name, found)
        for known in own.values():
            _check_base(known, own, self.types)
            _check_parts(known, {**self.types, **own})
        for name in own:
            self._homes.pop(name, None)
        self.types.update(own)
        self.namespaces[namespace.name] = namespace

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All types."""
        return tuple(self.types)

    def home(self, name: str) -> Registry:
        """Return the registry that a type comes from: its bases are those of that registry."""
        return self._homes.get(name, self)

    def lineage(self, name: str) -> tuple[TypeSpec, ...]:
        """Return a type and its bases, the type first; nothing for an unknown one."""
        home = self.home(name)
        if home is not self:
            return home.lineage(name)
        spec = self.types.get(name)
        if spec is None:
            return ()
        return (spec, *(self._base_registry(spec).lineage(spec.base) if spec.base else ()))

    def is_a(self, name: str, wanted: Iterable[str]) -> bool:
        """Whether a type is one of `wanted` or extends one of them."""
        return not {spec.name for spec in self.lineage(name)}.isdisjoint(wanted)

    def resolved(self, name: str) -> GroupSpec | DatasetSpec:
        """Return what a type and all its bases say together.

        Raises
        ------
        NamespaceError
            For an unknown type, and for one that is a group while its base is a dataset, or the other way round.
        """
        home = self.home(name)
        if home is not self:
            return home.resolved(name)
        found = self._resolved.get(name)
        if found is None:
            spec = self.types.get(name)
            if spec is None:
                message = f"there is no neurodata type {name!r} among {', '.join(sorted(self.namespaces))}"
                raise NamespaceError(message)
            own: Any = spec.spec
            found = own
            if spec.base:
                base: Any = self._base_registry(spec).resolved(spec.base)
                if type(base) is not type(own):
                    message = f"{name} and its base {spec.base} must both be groups or both be datasets, but are not"
                    raise NamespaceError(message)
                found = merge(base, own)
            self._resolved[name] = found
        return found

    def whole(self, spec: Node) -> Node:
        """Return an included spec with what its type says, where the type is known."""
        if spec.type_inc is None or spec.type_inc not in self.types:
            return spec
        base: Any = self.resolved(spec.type_inc)
        return merge(base, spec) if type(base) is type(spec) else spec

    def fields_of(self, name: str) -> dict[str, FieldSpec]:
        """Return the fields of a type and its bases by Python name; nothing for an unknown type."""
        from nwbzarr.schema.fields import plan_fields

        if name not in self._fields:
            self._fields[name] = plan_fields(self, name) if name in self.types else {}
        return self._fields[name]

    def _base_registry(self, spec: TypeSpec) -> Registry:
        """Return where the base of an own type is looked up; a type that hides its namesake may extend it."""
        if spec.base == spec.name:
            message = f"the type {spec.name!r} must not extend itself: name another base"
            raise NamespaceError(message)
        return self.home(str(spec.base))


def _check_base(spec: TypeSpec, own: Mapping[str, TypeSpec], known: Mapping[str, TypeSpec]) -> None:
    """Raise for a type that extends an unknown one, or itself over others."""
    seen = {spec.name}
    name, base = spec.name, spec.base
    while base is not None:
        if base in seen:
            message = (
                f"namespace {spec.namespace!r}: the type {spec.name!r} must not extend itself, but does by {base!r}"
            )
            raise NamespaceError(message)
        seen.add(base)
        if base not in own:
            if base not in known:
                message = (
                    f"namespace {spec.namespace!r}: the type {name!r} extends {base!r}, which must be defined or "
                    "included, but is not: include the namespace that defines it"
                )
                raise NamespaceError(message)
            return
        name, base = base, own[base].base


def flattened(spec: GroupSpec | DatasetSpec) -> Iterator[GroupSpec | DatasetSpec]:
    """Yield a type, and before it the types that are defined inside it, which it then includes."""
    if not isinstance(spec, GroupSpec):
        yield spec
        return
    inner: list[GroupSpec | DatasetSpec] = []
    groups = tuple(_including(child, inner) for child in spec.groups)
    datasets = tuple(_including(child, inner) for child in spec.datasets)
    yield from inner
    yield replace(spec, groups=groups, datasets=datasets)


def _including(child: Node, inner: list[GroupSpec | DatasetSpec]) -> Node:
    """Return a child that includes the type it defines; the type goes to `inner`."""
    if child.type_def is None:
        found = list(flattened(child))
        inner += found[:-1]
        return found[-1]  # type: ignore[return-value]
    inner += flattened(replace(child, name=None, quantity=Quantity()))
    return type(child)(name=child.name, type_inc=child.type_def, quantity=child.quantity)


def _check_parts(spec: TypeSpec, known: Mapping[str, TypeSpec]) -> None:
    """Raise for a type of another kind than its base, and for parts whose types are not known or of another kind."""
    where = f"namespace {spec.namespace!r}, type {spec.name!r}"
    if spec.base and known[spec.base].is_dataset != spec.is_dataset:
        message = f"{where}: it and its base {spec.base!r} must both be groups or both be datasets, but are not"
        raise NamespaceError(message)
    for wanted, is_dataset in _wanted_types(spec.spec):
        found = known.get(wanted)
        if found is None:
            message = (
                f"{where}: {wanted!r} must be defined or included, but is not: include the namespace that defines it"
            )
            raise NamespaceError(message)
        if is_dataset is not None and found.is_dataset != is_dataset:
            word = "dataset" if found.is_dataset else "group"
            message = f"{where}: {wanted!r} is a {word} type, but stands for the other kind: move it"
            raise NamespaceError(message)


def _wanted_types(spec: GroupSpec | DatasetSpec) -> Iterator[tuple[str, bool | None]]:
    """Yield the types that a spec's parts are of, with whether each must be a dataset; None where either will do."""
    for part in (spec, *spec.attributes):
        dtype = part.dtype if isinstance(part, DatasetSpec | AttributeSpec) else None
        for kind in [field.dtype for field in dtype] if isinstance(dtype, tuple) else [dtype]:
            if isinstance(kind, ReferenceTo):
                yield kind.target, None
    for child in spec.children if isinstance(spec, GroupSpec) else ():
        if isinstance(child, LinkSpec):
            yield child.target, None
            continue
        if child.type_inc is not None:
            yield child.type_inc, isinstance(child, DatasetSpec)
        yield from _wanted_types(child)


def merge(base: Node, own: Node) -> Node:
    """Return what `own` says, and what `base` says where it says nothing.

    An attribute said anew replaces its namesake; a named child is merged with its namesake.
    """
    if isinstance(base, DatasetSpec) and isinstance(own, DatasetSpec):
        return replace(
            own,
            name=own.name or base.name,
            default_name=own.default_name or base.default_name,
            type_inc=own.type_inc or base.type_inc,
            attributes=_joined(base.attributes, own.attributes),
            dtype=base.dtype if own.dtype is None else own.dtype,
            dims=own.dims or base.dims,
            shapes=own.shapes or base.shapes,
            default=base.default if own.default is None else own.default,
            value=base.value if own.value is None else own.value,
        )
    if isinstance(base, GroupSpec) and isinstance(own, GroupSpec):
        return replace(
            own,
            name=own.name or base.name,
            default_name=own.default_name or base.default_name,
            type_inc=own.type_inc or base.type_inc,
            attributes=_joined(base.attributes, own.attributes),
            datasets=_merged(base.datasets, own.datasets, own.names),
            groups=_merged(base.groups, own.groups, own.names),
            links=_joined([link for link in base.links if link.name not in own.names], own.links),
        )
    raise TypeError(type(own).__name__)  # pragma: no cover - callers pass a pair


def _joined(base: Iterable[Named], own: Iterable[Named]) -> tuple[Named, ...]:
    """Return both, with `own` in the place of its namesakes."""
    found: dict[Any, Named] = {_key(spec): spec for spec in itertools.chain(base, own)}
    return tuple(found.values())


def _merged(base: Iterable[Node], own: Iterable[Node], said: frozenset[str]) -> tuple[Node, ...]:
    """Return the children of both, namesakes merged; a name that `own` gives to another kind is gone."""
    by_key = {_key(spec): spec for spec in own}
    kept = {
        _key(spec): merge(spec, by_key[_key(spec)]) if _key(spec) in by_key else spec
        for spec in base
        if _key(spec) in by_key or spec.name not in said or spec.name is None
    }
    found: dict[Any, Node] = {**kept, **{key: spec for key, spec in by_key.items() if key not in kept}}
    return tuple(found.values())


def _key(spec: Any) -> str | tuple[str | None, ...]:
    """Return what tells a spec from its neighbours: its name, else its type."""
    if spec.name is not None:
        return str(spec.name)
    if isinstance(spec, LinkSpec):
        return ("link", spec.target)
    return ("type", getattr(spec, "type_def", None) or getattr(spec, "type_inc", None))
