"""Changes as the journal and plan files keep them under a seal: names once for all changes of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from ..values import Change, Value, make_fields

_NOTHING = 0
"""In place of old values that are all None, and of an empty guard."""


def pack_changes(changes: Sequence[Change]) -> dict[str, Any]:
    """Return the changes for :meth:`Keyring.seal`; what comes out of the seal :func:`unpack_changes` takes back."""
    kinds: dict[tuple[str, ...], int] = {}
    rows = []
    for change in changes:
        names, olds, news = zip(*change.fields, strict=True) if change.fields else ((), (), ())
        kind = kinds.setdefault((change.object, *names), len(kinds))
        held = _NOTHING if olds.count(None) == len(olds) else olds
        modified = change.modified and change.modified.isoformat()
        rows.append((kind, change.id, news, held, change.guard or _NOTHING, modified))
    return {"kinds": list(kinds), "rows": rows}


def unpack_changes(packed: Any) -> Iterator[Change]:
    """Yield the changes of an opened seal, also of one that an earlier version closed."""
    if isinstance(packed, list):
        yield from map(_unpack_named, packed)
        return
    kinds = [(kind[0], kind[1:]) for kind in packed["kinds"]]
    for kind, id_, news, olds, guard, modified in packed["rows"]:
        name, fields = kinds[kind]
        triples = zip(fields, _unpack_all(olds) if olds else repeat(None), _unpack_all(news), strict=False)
        stamp = datetime.fromisoformat(modified) if modified else None
        yield Change(name, id_, make_fields(triples), _unpack_guard(guard), stamp)


def _unpack_named(packed: list[Any]) -> Change:
    """Return a change of the form that names every field: [object, id, [[field, old, new], ...], guard, modified]."""
    name, id_, fields, guard, modified = packed
    triples = ((field, _unpack(old), _unpack(new)) for field, old, new in fields)
    stamp = datetime.fromisoformat(modified[0]) if modified else None
    return Change(name, id_, make_fields(triples), _unpack_guard(guard), stamp)


def _unpack_all(values: list[Any]) -> list[Value]:
    return [_unpack(value) if value.__class__ is list else value for value in values]


def _unpack_guard(guard: Any) -> dict[str, Value]:
    return {name: _unpack(value) for name, value in guard.items()} if guard else {}


def _unpack(value: Any) -> Value:
    if isinstance(value, list):
        return datetime.fromisoformat(value[0])
    return value if isinstance(value, (str, bool)) else None
