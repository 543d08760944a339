"""Requests and readings by a provider's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from ringfence.core.model.axes import Outcome

from ..exchange import Reply, Request
from ..joining import Numbers, is_another
from ..reading import Reading
from ..refusals import Refusal, refusal_by_status
from .answer_reading import find_error, has_an_axis, is_partial, read_answer, tells_anything
from .file import ProviderFile
from .paths import find, has_path, is_nothing
from .request_template import fill, fill_body, number_places
from .standing import Standing

_BILLED_PERHAPS = frozenset({Outcome.PROVIDER_ERROR, Outcome.TIMEOUT, Outcome.PENDING})

NOTHING_CAME = "nothing of the answer came"
"""Code of an answer that says itself that a part did not come, where no part did."""


class DeclaredDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`.

    ``secrets`` are the credentials by name. ``at_home`` tells that the address is the one of the file.
    """

    def __init__(self, declared: ProviderFile, secrets: Mapping[str, str], *, at_home: bool = False) -> None:
        self._file = declared
        self._secrets = secrets
        self._path = urlsplit(declared.request.url).path
        self._title = declared.title or declared.name
        self._standing = Standing(known=at_home)

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number, or about those of a batch."""
        request, each = self._file.request, [number_places(number) for number in numbers]
        places = {**each[0], **self._secrets}
        quoted = {name: quote(value, safe="") for name, value in places.items()}
        return Request(
            request.method,
            fill(self._path, quoted),
            params={name: fill(text, places) for name, text in request.query.items()},
            json=fill_body(request.json_body, each, self._secrets),
            headers={name: fill(text, places) for name, text in request.headers.items()},
        )

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says; the body is looked at before the status."""
        good = self._read_good(numbers, reply.body) if reply.status == 200 else None
        if good is None:
            return self._read_refusal(numbers, reply)
        if any(reading.outcome in (Outcome.OK, Outcome.PARTIAL) for reading in good.values()):
            self._standing.note_answer()
        return good

    def _read_good(self, numbers: Sequence[str], body: Any) -> Mapping[str, Reading] | None:
        """Return what the body of a 200 says by number; None where it is no answer."""
        is_cut_short, tells = is_partial(self._file, body), tells_anything(self._file, body)
        # What came of an answer is paid for, so that it counts whatever else its body says.
        if not (is_cut_short and tells) and find_error(self._file.body_errors, body) is not None:
            return None

        if self._file.batch > 1:
            return self._read_items(numbers, body)
        if not self._is_recognised(body) or (is_cut_short and not tells):
            return None
        if self._file.answer.number and is_another(numbers[0], find(body, self._file.answer.number)):
            Numbers(self._title, numbers).tell_strangers(1)
            return {}
        return {numbers[0]: read_answer(self._file, body)}

    def _read_items(self, numbers: Sequence[str], body: Any) -> Mapping[str, Reading] | None:
        """Return what the items of a batch say, joined to the numbers by the number that each names."""
        answer = self._file.answer
        items = find(body, answer.items or "")
        if not isinstance(items, list):
            return None

        named = [{"number": find(item, answer.number or ""), "item": item} for item in items]
        joined = Numbers(self._title, numbers).join(named, "number")
        readings = {number: self._read_item(each["item"]) for number, each in joined.items()}
        return {number: reading for number, reading in readings.items() if reading is not None}

    def _read_item(self, item: Any) -> Reading | None:
        """Return what one item says; None where it says nothing at all."""
        if (error := find_error(self._file.item_errors, item)) is not None:
            outcome, said = error
            return Reading(outcome, said, paid=outcome in _BILLED_PERHAPS)
        if is_partial(self._file, item) and not tells_anything(self._file, item):
            return Reading(Outcome.PROVIDER_ERROR, NOTHING_CAME)
        return read_answer(self._file, item) if has_an_axis(self._file, item) else None

    def _read_refusal(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return why there is no answer, or what a status other than 200 says about the number."""
        refusal = self._find_body_error(reply)
        # A body that says no more than that something failed is worth less than what the status means.
        if refusal is not None and (refusal.outcome is not Outcome.PROVIDER_ERROR or reply.status == 200):
            return refusal
        if (said := self._read_status_answer(numbers[0], reply)) is not None:
            return said
        if reply.is_html and reply.status != 429:
            return None

        code = f"HTTP {reply.status}"
        outcome = self._outcome_of(numbers, reply.status)
        if outcome is not None:
            return Refusal(outcome, code, paid=outcome in _BILLED_PERHAPS)
        if reply.status != 200:
            return refusal_by_status(reply) or refusal
        return None

    def _find_body_error(self, reply: Reply) -> Refusal | None:
        if not reply.mapping:
            return None
        if (error := find_error(self._file.body_errors, reply.mapping)) is not None:
            return Refusal(*error, paid=error[0] in _BILLED_PERHAPS)
        if reply.status == 200 and is_partial(self._file, reply.mapping):
            return Refusal(Outcome.PROVIDER_ERROR, NOTHING_CAME, paid=True)
        return None

    def _read_status_answer(self, number: str, reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what a status by itself says about the number; None where it is no answer about it."""
        answer, code = self._file.status_answers.get(reply.status), f"HTTP {reply.status}"
        if answer is None or not isinstance(reply.body, dict):
            return None
        if is_nothing(find(reply.body, answer.has)):
            if not (answer.unsigned and self._standing.known):
                return None
            if not self._standing.believes():
                return Refusal(Outcome.PROVIDER_ERROR, f"{code} to one number after the other")
        return {number: Reading(Outcome.OK, code, validity=answer.validity, evidence=answer.evidence, paid=False)}

    def _outcome_of(self, numbers: Sequence[str], status: int) -> Outcome | None:
        """Return what a status means by the file: for the region of all these numbers, else for any."""
        regions = {number_places(number)["region"] for number in numbers} if self._file.region_errors else ()
        of_region = self._file.region_errors.get(next(iter(regions)), {}) if len(regions) == 1 else {}
        return of_region.get(status, self._file.errors.get(status))

    def _is_recognised(self, body: Any) -> bool:
        """Return whether a body of a 200 is the provider's: it has the path that is promised, and one that is read."""
        promised = self._file.recognised_by
        return has_an_axis(self._file, body) and (promised is None or has_path(body, promised))
