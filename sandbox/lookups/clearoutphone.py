"""ClearoutPhone (docs/vendors/lookups.md): one number at once, or a file of them whose answers are a file too.

The file of answers lies under an address that anybody may open who knows it, and that takes no credentials.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from io import StringIO
from typing import Any, ClassVar

from starlette.responses import JSONResponse, Response

from .truth import Truth
from .voice import Asked, Refused, Voice, plus, problem

ORDERS = "/phonenumber/bulk"
FILES = "/files/"
COLUMNS = ("Phone Number", "ClearoutPhone Validation Status", "ClearoutPhone Line Type", "ClearoutPhone Carrier")


class ClearoutPhone(Voice):
    """ClearoutPhone: a token behind a colon, refusals with an object `error`, orders done at the second look."""

    name = "clearoutphone"
    credentials = ("API_TOKEN",)
    most_in_a_file: ClassVar[int] = 10_000
    STATUSES: ClassVar[Mapping[Refused, int]] = {"auth": 401, "credit": 402, "rate": 429, "permission": 403}

    def __init__(self) -> None:
        self._orders: dict[str, tuple[Sequence[Truth], int]] = {}

    def is_authorised(self, asked: Asked) -> bool:
        given = asked.headers.get("authorization")
        return given is None if asked.path.startswith(FILES) else given == f"Bearer:{asked.keys['API_TOKEN']}"

    def limit(self, asked: Asked) -> int:
        return self.most_in_a_file if asked.path == ORDERS else self.batch

    def numbers(self, asked: Asked) -> Sequence[str] | None:
        if asked.method != "POST":
            return None
        if asked.path == "/phonenumber/validate":
            number = asked.fields.get("number")
            return [plus(number)] if number else []
        return [plus(number) for number in _read_file(asked)] if asked.path == ORDERS else None

    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        if asked.path != ORDERS:
            return _good(_told(truths[0]))
        count = len(self._orders) + 1
        list_id = hashlib.sha256(f"{count} {truths[0].e164}".encode()).hexdigest()[:24]
        self._orders[list_id] = (truths, 0)
        return _good({"list_id": list_id})

    def other(self, asked: Asked) -> Response | None:
        if asked.path == "/phonenumber/getcredits":
            return _good({"available_credits": 5000, "credits": {"available": 5000}})
        if asked.path == f"{ORDERS}/progress_status" and asked.method == "GET":
            return self._progress(asked.query.get("list_id", ""))
        if asked.path == "/download/result" and asked.method == "POST":
            return self._place(asked, str(asked.fields.get("list_id")))
        if asked.path.startswith(FILES):
            return self._file(asked.path.removeprefix(FILES).removesuffix(".csv"))
        return None

    def _progress(self, list_id: str) -> Response:
        if list_id not in self._orders:
            return _failed(404, "list_id", "No such list.")
        truths, looks = self._orders[list_id]
        self._orders[list_id] = (truths, looks + 1)
        state, percentile = ("completed", 100) if looks else ("in_progress", 40)
        return _good({"progress_status": state, "percentile": percentile})

    def _place(self, asked: Asked, list_id: str) -> Response:
        if self._orders.get(list_id, ((), 0))[1] < 2:
            return _failed(400, "list_id", "No such list, or it is not completed.")
        return _good({"url": f"http://{asked.headers['host']}/{self.name}{FILES}{list_id}.csv"})

    def _file(self, list_id: str) -> Response:
        if list_id not in self._orders:
            return Response("gone", 403, media_type="text/plain")
        file = StringIO(newline="")
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for truth in self._orders[list_id][0]:
            told = _told(truth)
            rows.writerow((truth.e164, told["status"], told["line_type"], told["carrier"]))
        return Response(file.getvalue(), media_type="text/csv")

    def refuse(self, why: Refused) -> Response:
        return _failed(self.STATUSES.get(why, 400), "number", "No.")


def _told(truth: Truth) -> dict[str, Any]:
    kinds = {"mobile": "mobile", "landline": "landline", "toll_free": "toll-free", "voip": "VoIP"}
    return {
        "status": truth.word or ("valid" if truth.valid else "invalid"),
        "line_type": kinds.get(truth.type, "") if truth.valid else "",
        "carrier": truth.carrier,
        "country_code": truth.region.lower(),
        "e164_format": truth.e164 if truth.valid else "",
        "billable_credits": 1,
        "time_taken": 120,
    }


def _read_file(asked: Asked) -> list[str]:
    """Return the column of numbers of the file in a multipart body; empty where there is none."""
    head = f"Content-Type: {asked.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    for part in BytesParser().parsebytes(head + asked.content).walk():
        content = part.get_payload(decode=True)
        if part.get_param("name", header="content-disposition") == "file" and isinstance(content, bytes):
            return [row[COLUMNS[0]] for row in csv.DictReader(StringIO(content.decode())) if row.get(COLUMNS[0])]
    return []


def _good(data: Any) -> Response:
    return JSONResponse({"status": "success", "data": data})


def _failed(status: int, place: str, message: str) -> Response:
    error = {"message": message, "reasons": [{"field": place, "messages": [message]}]}
    return problem(status, {"status": "failed", "error": error})
