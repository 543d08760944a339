"""Records read by their ids: the present state, as the CRM holds it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.record_view import RecordView
from ..model.shapes import ObjectShape
from ..ports.crm import Crm
from ..state.opt_out_ledger import OptOutLedger
from .intake import record_holdings

Key = tuple[str, str]
"""(object name, record id)"""


class RecordReader:
    """Reads records of the mapped objects by their keys, and takes in what their opt-out flags say.

    Whoever reads a record anew may learn of an opt-out. So reading and taking it in stand in one place.
    """

    def __init__(self, crm: Crm, shapes: Mapping[str, ObjectShape], ledger: OptOutLedger) -> None:
        self._crm = crm
        self._shapes = shapes
        self._ledger = ledger

    def read(self, keys: Iterable[Key]) -> list[RecordView]:
        """Return the records that are there, each once, and record in the ledger what they hold and ask for.

        Records of objects outside the mapping are left out, as are deleted ones. A merged record comes back under the
        id of its survivor.
        """
        views = read_views(self._crm, self._shapes, keys)
        record_holdings(self._ledger, views, certain=True)
        return views

    def read_by_key(self, keys: Iterable[Key]) -> dict[Key, RecordView]:
        """Return what :meth:`read` does, by the key of each record."""
        return {view.key: view for view in self.read(keys)}


def read_views(crm: Crm, shapes: Mapping[str, ObjectShape], keys: Iterable[Key]) -> list[RecordView]:
    """Return the records of mapped objects that are there, each once; nothing is taken in."""
    ids_by_object: dict[str, dict[str, None]] = {}
    for name, record_id in keys:
        if name in shapes:
            ids_by_object.setdefault(name, {})[record_id] = None

    views: dict[Key, RecordView] = {}
    for name, ids in ids_by_object.items():
        for record in crm.fetch(name, list(ids)):
            views[name, record.id] = RecordView(record, shapes[name])
    return list(views.values())
