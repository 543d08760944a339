"""Which records give consent, to what and since when: what tells whether a number may be used for a purpose."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, select

from ..model.consent import Consent, ConsentState
from ..model.shapes import ObjectShape
from . import schema
from .keyring import Keyring
from .sql import delete_among, ids_by_object, in_batches, upsert

_Key = tuple[str, str]
_Told = tuple[str, datetime | None, str]


_SAID = [schema.consents.c[name] for name in ("object", "record_id", "purposes", "given_at", "field")]


class GivenBy(NamedTuple):
    """Consent that a record gives: its account's key, its object and its id."""

    account: str
    object: str
    id: str
    consent: Consent


class Consents:
    """The records of one org that give consent. Each method works in the caller's transaction.

    They are kept without numbers: which number a record holds is told by the holdings, and a record that holds none
    consents to nothing.
    """

    def __init__(self, org_id: int) -> None:
        self._org_id = org_id

    def replace(self, connection: Connection, told: Mapping[_Key, Consent]) -> None:
        """Record what these records say of consent now; any but one that gives it is kept as none."""
        known = self._read(connection, told)
        given = {key: _pack(each) for key, each in told.items() if each.state is ConsentState.GIVEN}
        self.forget(connection, (key for key in known if key not in given))

        rows = [
            {"org_id": self._org_id, "object": key[0], "record_id": key[1]}
            | {"purposes": said[0], "given_at": said[1], "field": said[2]}
            for key, said in given.items()
            if known.get(key) != said
        ]
        upsert(connection, schema.consents, rows)

    def forget(self, connection: Connection, records: Iterable[_Key]) -> None:
        """Record that these records, (object, record id) each, give no consent, or are gone."""
        for name, ids in ids_by_object(records).items():
            ours = {"org_id": self._org_id, "object": name}
            delete_among(connection, ours, schema.consents.c.record_id, ids)

    def forget_unread(self, connection: Connection, shapes: Mapping[str, ObjectShape]) -> None:
        """Forget the consent of records of objects whose mapping reads none any more."""
        table = schema.consents
        unread = [name for name, shape in shapes.items() if shape.consent is None]
        connection.execute(delete(table).where(table.c.org_id == self._org_id, table.c.object.in_(unread)))

    def forget_unheld(self, connection: Connection, object_name: str) -> None:
        """Forget the consent of records of an object that hold no number: most of them are gone."""
        table, holdings = schema.consents, schema.holdings
        held = select(holdings.c.record_id).where(*_of_one_record()).correlate(table)
        ours = (table.c.org_id == self._org_id, table.c.object == object_name)
        connection.execute(delete(table).where(*ours, ~held.exists()))

    def _read(self, connection: Connection, records: Iterable[_Key]) -> dict[_Key, _Told]:
        table = schema.consents
        found: dict[_Key, _Told] = {}
        for name, ids in ids_by_object(records).items():
            query = select(*_SAID).where(table.c.org_id == self._org_id, table.c.object == name)
            for some in in_batches(ids):
                rows = connection.execute(query.where(table.c.record_id.in_(some)))
                found.update(((name, row.record_id), (row.purposes, row.given_at, row.field)) for row in rows)
        return found


def find_consents(
    connection: Connection, keyring: Keyring, numbers: Collection[str], ledger: str, *, production: bool
) -> dict[str, list[Consent]]:
    """Return E.164 number -> the consent given on records that hold it, for those numbers on which any is.

    The records are those of the accounts on the ledger that are production accounts, or those that are sandboxes.
    """
    found: defaultdict[str, list[Consent]] = defaultdict(list)
    orgs, by_key = schema.orgs, {keyring.number_key(number): number for number in numbers}
    query = _given().where(orgs.c.ledger == ledger, orgs.c.production.is_(production))
    for keys in in_batches(list(by_key)):
        for row in connection.execute(query.where(schema.holdings.c.number_key.in_(keys))):
            found[by_key[bytes(row.number_key)]].append(_unpack(row))
    return dict(found)


def list_consents(connection: Connection, number_key: bytes) -> Iterator[GivenBy]:
    """Yield the consent given on the records of all accounts that hold the number."""
    table = schema.consents
    query = _given().where(schema.holdings.c.number_key == number_key)
    for row in connection.execute(query.order_by(table.c.org_id, table.c.object, table.c.record_id)):
        yield GivenBy(row.key, row.object, row.record_id, _unpack(row))


def _given() -> Select[Any]:
    holdings, orgs = schema.holdings, schema.orgs
    return (
        select(holdings.c.number_key, orgs.c.key, *_SAID)
        .join(schema.consents, and_(*_of_one_record()))
        .join(orgs, orgs.c.id == holdings.c.org_id)
    )


def _of_one_record() -> list[ColumnElement[bool]]:
    return [schema.consents.c[name] == schema.holdings.c[name] for name in ("org_id", "object", "record_id")]


def _pack(consent: Consent) -> _Told:
    at = consent.at.replace(microsecond=0) if consent.at else None
    return json.dumps(consent.purposes), at, consent.source


def _unpack(row: Row[Any]) -> Consent:
    return Consent(ConsentState.GIVEN, tuple(json.loads(row.purposes)), row.given_at, row.field)
