"""Rows of what was said about numbers: each payload is sealed, and bound to the row that it stands in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..model.answers import Answer, AnswerKind
from .answer_codec import decode_answer, encode_answer
from .keyring import Keyring


class LookupRows:
    """Makes the rows of one run, or of one ``part`` of it: ``run_id`` is its id there."""

    def __init__(self, keyring: Keyring, run_id: str) -> None:
        self.run_id = run_id
        self._keyring = keyring

    def of_answer(self, realm: str, answer: Answer) -> dict[str, object]:
        """Return the row of an answer."""
        row = self._row(realm, answer, answer_about(answer.kind, self._key(answer), realm))
        return {**row, "kind": answer.kind.value, "observed_at": answer.observed_at}

    def of_failure(self, realm: str, failure: Answer) -> dict[str, object]:
        """Return the row of a failure."""
        row = self._row(realm, failure, answer_about(AnswerKind.FAILED, self._key(failure), realm))
        return {**row, "failed_at": failure.observed_at}

    def of_question(self, realm: str, question: Answer) -> dict[str, object]:
        """Return the row of a question."""
        row = self._row(realm, question, answer_about(AnswerKind.LOST, self._key(question), realm))
        return {**row, "asked_at": question.observed_at}

    def of_history(self, realm: str, answer: Answer) -> dict[str, object]:
        """Return the row of the history that keeps an answer."""
        row = self._row(realm, answer, history_about(self._key(answer), realm, answer.observed_at))
        return {**row, "observed_at": answer.observed_at}

    def _key(self, answer: Answer) -> bytes:
        return self._keyring.number_key(answer.e164)

    def _row(self, realm: str, answer: Answer, about: bytes) -> dict[str, object]:
        payload = self._keyring.seal(encode_answer(answer), about)
        return {"number_key": self._key(answer), "realm": realm, "run_id": self.run_id, "payload": payload}


def open_answer(keyring: Keyring, kind: AnswerKind, row: Any) -> Any:
    """Return what a row holds about its number: number, validity, line, line type, code and the other axes.

    ``kind`` is that of an answer, FAILED of a failure, LOST of a question.
    """
    about = answer_about(kind, row.number_key, row.realm)
    return keyring.open(row.payload, about, answer_about(None, row.number_key, row.realm))


def open_history(keyring: Keyring, number: str, row: Any) -> Answer:
    """Return the answer about an E.164 number that a row of the history keeps."""
    content = keyring.open(row.payload, history_about(bytes(row.number_key), row.realm, row.observed_at))
    return decode_answer(number, AnswerKind.KNOWN, row.observed_at, content)


def answer_about(kind: AnswerKind | None, number_key: bytes, realm: str) -> bytes:
    """Return what a payload is bound to, so that no other answer, failure or question can take its place.

    A failure is FAILED, a question LOST; None: as it was bound before the kind was a part of it.
    """
    return b"answer about " + number_key + realm.encode() + (b"" if kind is None else b" " + kind.value.encode())


def history_about(number_key: bytes, realm: str, observed_at: datetime) -> bytes:
    """Return what a payload of the history is bound to: nobody can give an answer another moment."""
    return b"history of " + number_key + realm.encode() + b" " + observed_at.astimezone(UTC).isoformat().encode()
