"""A record seen as phone slots: what each slot contains, its numbers, and what its companions hold."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from ..numbers import Number, read_number
from ..numbers.regions import read_region
from .blocks import SMS_ALONE
from .consent import Consent, ConsentState
from .shapes import ObjectShape, Slot
from .values import Companion, Record, Value
from .verdicts import Status

_DO_NOT_CONTACT = Status.DO_NOT_CONTACT.value

SCREENED_VALUE_LENGTH = 80


class RecordView:
    """One record under the shape of its object. What takes time is worked out on first use and then kept.

    ``key`` is (object, record id). ``up`` holds the channels of its opt-out flags that are up, ``flagged`` tells if
    any is, and ``mutes`` whether one is that asks for more than no messages; of a flag that ringfence raised on account
    of messages alone only the ledger knows (:meth:`mute_messages_alone`). ``statuses`` are those that its slots hold,
    and ``silenced`` tells whether any says that nobody may contact it; ``withdrawn`` whether consent to it was
    withdrawn, there or beside it.
    """

    __slots__ = (
        "_all",
        "_contents",
        "_numbers",
        "_region",
        "flagged",
        "key",
        "mutes",
        "record",
        "shape",
        "silenced",
        "statuses",
        "up",
        "withdrawn",
    )

    def __init__(self, record: Record, shape: ObjectShape) -> None:
        self.record = record
        self.shape = shape
        self.key = record[:2]
        # Every record is asked for these several times, and an attribute takes a third of a property.
        self.up = up = shape.channels_up(record)
        self.flagged = bool(up)
        self.mutes = not up <= SMS_ALONE if shape.has_sms else self.flagged
        self.statuses = tuple(map(record.values.get, shape.status_fields))
        self.silenced = _DO_NOT_CONTACT in self.statuses
        self.withdrawn = record.withdrawn is True or (shape.consent is not None and shape.has_withdrawn(record))
        self._numbers: dict[str, Number] = {}
        self._contents: dict[str, str] | None = None
        self._all: tuple[str, ...] | None = None
        self._region: str | None = None

    def mute_messages_alone(self) -> None:
        """Take in that the record's flags were all raised on account of messages, whatever they are about."""
        if self.shape.has_sms:
            self.mutes = False

    def content(self, slot: Slot) -> str:
        """Return the slot's raw content without surrounding white space, which CRMs trim; empty when there is none."""
        contents = self._contents
        return (self.contents() if contents is None else contents)[slot.field]

    def contents(self) -> dict[str, str]:
        """Return the content of every slot, by field name."""
        if self._contents is None:
            values = self.record.values
            self._contents = contents = {}
            for slot in self.shape.slots:
                field = slot.field
                held = values.get(field)
                contents[field] = held.strip() if held.__class__ is str else text(held)
        return self._contents

    def held(self, slot: Slot, companion: Companion) -> Value:
        """Return what a companion holds in the CRM; None when it is empty."""
        value = self.record.values.get(slot.companions[companion])
        return value if value or value is False else None

    def is_current(self, slot: Slot) -> bool:
        """Return whether the slot's verdict is about its present content (docs/contract.md, section 2)."""
        held, content = self.held(slot, Companion.SCREENED_VALUE), self.content(slot)
        if held == content:  # of nearly all slots
            return 0 < len(content) <= SCREENED_VALUE_LENGTH
        return held is not None and text(held) == screened_value(content)

    def region(self) -> str | None:
        """Return the ISO 3166 region that reads national numbers: the mapped country field's, else the default.

        The default is for records that name no country. A country that cannot be read is no region: read by the default
        one, the number would be somebody else's (contract.md, section 1).
        """
        if self._region is None:
            field = self.shape.region_field
            country = text(self.record.values.get(field)) if field else ""
            self._region = (read_region(country) if country else self.shape.default_region) or ""
        return self._region or None

    def consent(self) -> Consent | None:
        """Return what the record's mapped field says of consent; None where the mapping names none."""
        fields = self.shape.consent
        if fields is None:
            return None
        return fields.read(self.record.values)

    def consents(self) -> bool:
        """Return whether the record, and that of its person beside it, say that consent is not withdrawn any more.

        Without a field of consent in the mapping that is for the other record to say.
        """
        if self.withdrawn:
            return False
        consent = self.consent()
        return self.record.withdrawn is False if consent is None else consent.state is ConsentState.GIVEN

    def number(self, slot: Slot) -> Number:
        """Return the slot's content as a number."""
        number = self._numbers.get(slot.field)
        return self._read(slot.field, self.content(slot)) if number is None else number

    def e164s(self, slot: Slot) -> tuple[str, ...]:
        """Return the keys by which an opt-out on the slot is found, the screened number first (contract.md, section 2).

        They are every valid number in E.164 that the content may be read as, and where nobody can tell what it is, the
        key of the identical content; a content that cannot exist, such as a placeholder, has none. They are worked out
        anew from content and country on every read: what a companion holds may rest on a country that was corrected.
        """
        number = self._numbers.get(slot.field)
        if number is None:
            return self.number(slot).covers if self.content(slot) else ()
        return number.covers

    def all_e164s(self) -> tuple[str, ...]:
        """Return the keys of all slots, as of :meth:`e164s`, each once."""
        if self._all is None:
            found: tuple[str, ...] = ()
            for field, content in self.contents().items():
                if content:
                    found += (self._numbers.get(field) or self._read(field, content)).covers
            self._all = tuple(dict.fromkeys(found)) if len(found) > 1 else found
        return self._all

    def known_numbers(self) -> Collection[Number]:
        """Return the numbers of the slots that were worked out so far."""
        return self._numbers.values()

    def _read(self, field: str, content: str) -> Number:
        number = self._numbers[field] = read_number(content, self.region())
        return number


def text(value: Value) -> str:
    """Return a field's value as trimmed text."""
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def screened_value(content: str) -> str:
    """Return what the screened-value companion holds for the content: itself, or its digest when over 80 characters."""
    content = content.strip()
    if len(content) <= SCREENED_VALUE_LENGTH:
        return content
    return "sha256:" + hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
