"""Answers on record, with who gave them and which run brought them, and what stands for those that are on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ..model.answers import Answer, AnswerKind
from .answer_codec import decode_answer
from .keyring import Keyring
from .lookup_rows import open_answer
from .lookup_statements import ONE_ANSWER, SOME_ANSWERS

ELSEWHERE = "asked elsewhere"
"""Code of the failure that stands for an answer which is on its way to another run."""

BESIDE = "asked beside"
"""The same where it is on its way to another part of this run, which asks again for what its parts have left."""


ORDERED = "ordered"
"""Code of what stands for an answer that a provider has promised for later."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer on record: the realm that gave it, and the run that brought it.

    Its kind is FAILED where it stands for a failure, LOST where it stands for a question without an answer, and PENDING
    where the provider has taken the question and answers later.
    """

    realm: str
    run_id: str
    answer: Answer


def find_answer(connection: Connection, keyring: Keyring, realm: str, number: str) -> KeptAnswer | None:
    """Return the answer of a realm about an E.164 number that is on record, however old; None where there is none."""
    row = connection.execute(ONE_ANSWER, {"key": keyring.number_key(number), "in_realm": realm}).one_or_none()
    if row is None:
        return None
    kind = AnswerKind(row.kind)
    answer = decode_answer(number, kind, row.observed_at, open_answer(keyring, kind, row))
    return KeptAnswer(realm, row.run_id, answer)


def find_answers(connection: Connection, keyring: Keyring, realm: str, numbers: Sequence[str]) -> dict[str, Answer]:
    """Return the answers of a realm about E.164 numbers that are on record, however old; at most a batch of them."""
    by_key = {keyring.number_key(number): number for number in numbers}
    found: dict[str, Answer] = {}
    for row in connection.execute(SOME_ANSWERS, {"number_keys": list(by_key), "realms": [realm]}):
        number, kind = by_key[bytes(row.number_key)], AnswerKind(row.kind)
        found[number] = decode_answer(number, kind, row.observed_at, open_answer(keyring, kind, row))
    return found
