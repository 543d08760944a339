"""The queue of what waits for a person's decision. Numbers and evidence are encrypted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from ..model.blocks import Channel
from ..model.review_items import ITSELF, Resolution, ReviewItem, ReviewReason
from ..numbers import mask_numbers
from . import schema
from .erased import erased_since
from .flag_states import COVERING
from .keyring import Keyring
from .sql import in_batches

_Table = schema.review_items


class ReviewQueue:
    """What waits for a person, over all accounts of a suppression ledger.

    Each method works in the caller's transaction.
    """

    def __init__(self, keyring: Keyring, ledger: str) -> None:
        self._keyring = keyring
        self._ledger = ledger

    def ask_about_number(
        self,
        connection: Connection,
        number: str,
        reason: ReviewReason,
        channel: Channel,
        evidence: str,
        since: datetime,
    ) -> bool:
        """Ask about an E.164 number wherever it stands; return whether nobody was asked that already.

        ``since`` is the moment (aware, UTC) from which the legal clock runs.
        """
        key = self._keyring.number_key(number)
        waiting = (_Table.c.number_key == key, _Table.c.ledger == self._ledger, _Table.c.resolution.is_(None))
        same = select(_Table.c.id).where(*waiting, _Table.c.reason == reason.value).limit(1)
        if connection.scalar(same) is not None:
            return False
        row: dict[str, Any] = {
            "org_id": None,
            "ledger": self._ledger,
            "reason": reason.value,
            "object": "",
            "record_id": "",
            "channel": channel.value,
            "number_key": key,
            "since": since,
            "raised_again": True,  # no flag was cleared: once it is decided, nothing hangs on it
        }
        named = number if erased_since(connection, self._keyring, number) is None else ""
        row["payload"] = self._keyring.seal({"number": named, "evidence": evidence}, item_about(row))
        connection.execute(insert(_Table).values(**row))
        return True

    def last_decided(self, connection: Connection, number: str, reason: ReviewReason) -> datetime | None:
        """Return when somebody last decided about an E.164 number for that reason (UTC); None: nobody ever has."""
        key = self._keyring.number_key(number)
        decided = (_Table.c.number_key == key, _Table.c.ledger == self._ledger, _Table.c.reason == reason.value)
        latest: datetime | None = connection.scalar(select(func.max(_Table.c.resolved_at)).where(*decided))
        return latest

    def list_open(
        self,
        connection: Connection,
        reason: ReviewReason | None = None,
        *,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> list[ReviewItem]:
        """Return what waits, the oldest first; what has ended by itself meanwhile is left out.

        ``since`` leaves out what has waited since before that moment (aware UTC); ``limit`` is how many at most.
        """
        flags = schema.opt_out_flags
        still_asked = (
            select(flags.c.record_id)
            .where(
                flags.c.org_id == _Table.c.org_id,
                flags.c.object == _Table.c.object,
                flags.c.record_id == _Table.c.record_id,
                flags.c.channel == _Table.c.channel,
                flags.c.state.in_(COVERING),
            )
            .exists()
        )
        conditions = [_Table.c.resolution.is_(None), or_(_Table.c.org_id.is_(None), still_asked)]
        if reason is not None:
            conditions.append(_Table.c.reason == reason.value)
        if since is not None:
            conditions.append(_Table.c.since >= since)
        return self._select(connection, *conditions, limit=limit)

    def find_decided(self, connection: Connection, number_key: bytes) -> list[ReviewItem]:
        """Return the items about the number with that key that were resolved, in the order in which they came up."""
        return self._select(connection, _Table.c.number_key == number_key, _Table.c.resolution.is_not(None))

    def find(self, connection: Connection, ids: Collection[int]) -> list[ReviewItem]:
        """Return those of the items that are there, resolved ones included."""
        return self._select(connection, _Table.c.id.in_(list(ids)))

    def resolve(
        self,
        connection: Connection,
        ids: Collection[int],
        resolution: Resolution,
        author: str,
        now: datetime,
        note: str = "",
    ) -> None:
        """Record what somebody has decided about these items at the moment ``now`` (UTC), and why."""
        for some in in_batches(list(ids)):
            waiting = (_Table.c.id.in_(some), _Table.c.resolution.is_(None))
            values = {"resolution": resolution.value, "resolved_at": now, "author": author}
            for row in connection.execute(select(_Table).where(*waiting)).all() if note else ():
                self._put(connection, row, {"note": mask_numbers(note)})
            connection.execute(update(_Table).where(*waiting).values(**values))

    def find_open_about(
        self, connection: Connection, numbers: Collection[str], reasons: Collection[ReviewReason]
    ) -> list[ReviewItem]:
        """Return what waits about any of these E.164 numbers for one of the reasons."""
        wanted = (_Table.c.resolution.is_(None), _Table.c.reason.in_([reason.value for reason in reasons]))
        keys = sorted(map(self._keyring.number_key, numbers))
        found = (self._select(connection, _Table.c.number_key.in_(some), *wanted) for some in in_batches(keys))
        return [item for items in found for item in items]

    def close_answered(self, connection: Connection, item: ReviewItem, by_what: str, now: datetime) -> None:
        """Record that newer evidence has answered an item, and which, at the moment ``now`` (UTC)."""
        self.resolve(connection, [item.id], Resolution.ANSWERED, ITSELF, now, by_what)

    def agree(self, connection: Connection, ids: Collection[int], author: str) -> None:
        """Record who was the first to agree to the lift of these items, which go on waiting for a second person."""
        for some in in_batches(list(ids)):
            waiting = (_Table.c.id.in_(some), _Table.c.resolution.is_(None))
            for row in connection.execute(select(_Table).where(*waiting)).all():
                self._put(connection, row, {"agreed_by": author})

    def _put(self, connection: Connection, row: Row[Any], told: Mapping[str, str]) -> None:
        """Add what was told of an item to what is sealed of it."""
        about = item_about(row._mapping)
        content = {**self._keyring.open(bytes(row.payload), about), **told}
        sealed = self._keyring.seal(content, about)
        connection.execute(update(_Table).where(_Table.c.id == row.id).values(payload=sealed))

    def _select(self, connection: Connection, *conditions: Any, limit: int | None = None) -> list[ReviewItem]:
        orgs = schema.orgs
        query = (
            select(_Table, orgs.c.key.label("org"))
            .outerjoin(orgs, orgs.c.id == _Table.c.org_id)
            .where(func.coalesce(orgs.c.ledger, _Table.c.ledger) == self._ledger, *conditions)
            .order_by(_Table.c.id)
            .limit(limit)
        )
        return [self._read(row) for row in connection.execute(query)]

    def _read(self, row: Row[Any]) -> ReviewItem:
        payload = self._keyring.open(bytes(row.payload), item_about(row._mapping))
        resolution = None if row.resolution is None else Resolution(row.resolution)
        return ReviewItem(
            row.id,
            row.org or "",
            ReviewReason(row.reason),
            row.object,
            row.record_id,
            Channel(row.channel),
            payload["number"],
            row.since,
            payload["evidence"],
            resolution,
            bytes(row.number_key),
            row.resolved_at,
            row.author or "",
            payload.get("note", ""),
            payload.get("agreed_by", ""),
        )


def find_about(connection: Connection, keyring: Keyring, e164: str) -> list[Row[Any]]:
    """Return the rows of the items about an E.164 number, of all accounts, resolved ones included."""
    return _find_under(connection, keyring.number_key(e164))


def _find_under(connection: Connection, key: bytes) -> list[Row[Any]]:
    return list(connection.execute(select(_Table).where(_Table.c.number_key == key).order_by(_Table.c.id)))


def forget_number(connection: Connection, keyring: Keyring, e164: str) -> int:
    """Let the items about an E.164 number name it no more; return how many did. Which flag they ask about stays."""
    return forget_number_under(connection, keyring, keyring.number_key(e164))


def forget_number_under(connection: Connection, keyring: Keyring, key: bytes) -> int:
    """Do as :func:`forget_number` for the number with that key."""
    changed = 0
    for row in _find_under(connection, key):
        about = item_about(row._mapping)
        payload = keyring.open(bytes(row.payload), about)
        if payload["number"]:
            sealed = keyring.seal({**payload, "number": "", "note": ""}, about)
            connection.execute(update(_Table).where(_Table.c.id == row.id).values(payload=sealed))
            changed += 1
    return changed


def item_about(row: Any) -> bytes:
    """Return what the payload of a row is bound to; ``row`` gives its values by name."""
    # Of one that is about no record the ledger stands in the account's place.
    whose = row["org_id"] if row["org_id"] is not None else repr(row["ledger"])
    parts = (whose, row["object"], row["record_id"], row["channel"], bytes(row["number_key"]).hex())
    return ":".join(["review_items", *map(str, parts)]).encode()
