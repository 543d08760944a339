"""Changes as the journal and plan files keep them, encrypted: the field names once for all changes of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ..model.values import Change, FieldChange, Value

_NOTHING = 0
"""In place of old values that are all None, and of an empty guard."""


def pack_changes(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the changes in the form that :meth:`Keyring.seal` encrypts.

    What :meth:`Keyring.open` returns of it goes to :func:`unpack_changes`.
    """
    kinds: dict[tuple[str, ...], int] = {}
    rows = []

    for change in changes:
        name, id_, names, old, new, guard, modified = change
        kind = kinds.setdefault((name, *names), len(kinds))
        held = _NOTHING if old.count(None) == len(old) else old
        rows.append((kind, id_, new, held, guard or _NOTHING, modified and modified.isoformat()))

    return {"kinds": list(kinds), "rows": rows}


def unpack_changes(packed: Any) -> Iterator[Change]:
    """Yield the changes of a decrypted payload, also of one that an earlier version wrote."""
    if isinstance(packed, list):
        yield from map(_unpack_named, packed)
        return

    kinds = [(kind[0], tuple(kind[1:]), (None,) * len(kind[1:])) for kind in packed["kinds"]]
    for kind, id_, new, old, guard, modified in packed["rows"]:
        name, names, nothing = kinds[kind]
        held = _unpack_all(old) if old else nothing
        stamp = datetime.fromisoformat(modified) if modified else None
        yield Change(name, id_, names, held, _unpack_all(new), _unpack_guard(guard), stamp)


def _unpack_named(packed: list[Any]) -> Change:
    """Return a change of the form that names every field: [object, id, [[field, old, new], ...], guard, modified]."""
    name, id_, fields, guard, modified = packed
    triples = [FieldChange(field, _unpack(old), _unpack(new)) for field, old, new in fields]
    stamp = datetime.fromisoformat(modified[0]) if modified else None
    return Change.of(name, id_, triples, _unpack_guard(guard), stamp)


def _unpack_all(values: list[Any]) -> tuple[Value, ...]:
    return tuple([_unpack(value) if value.__class__ is list else value for value in values])


def _unpack_guard(guard: Any) -> dict[str, Value]:
    return {name: _unpack(value) for name, value in guard.items()} if guard else {}


def _unpack(value: Any) -> Value:
    if isinstance(value, list):
        return datetime.fromisoformat(value[0])
    return value if isinstance(value, (str, bool)) else None
