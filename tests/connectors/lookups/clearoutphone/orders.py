"""ClearoutPhone's orders on loopback, as it keeps them: files that were handed in, how far each is, and the answers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ringfence.core.errors import RingfenceError
from ringfence.core.model.answers import Answer, Order
from ringfence.core.ports.lookup import OrderingLookup
from testkit.provider_server import Sent

Connect = Callable[..., OrderingLookup]

HEAD = "Phone Number,ClearoutPhone Validation Status,ClearoutPhone Line Type,ClearoutPhone Carrier\r\n"


class Orders:
    """Answers every request of an order. ``state`` is how far all of them are, ``place`` where their answers lie.

    ``file`` replaces the file of answers, and ``words`` the word about single numbers.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, list[str]] = {}
        self.state = "in_progress"
        self.place: str | None = None
        self.file: str | None = None
        self.words: Mapping[str, str] = {}

    def __call__(self, sent: Sent) -> tuple[Any, ...]:
        parts = urlsplit(sent.path)
        if parts.path == "/phonenumber/bulk":
            list_id = f"list{len(self.numbers) + 1}"
            self.numbers[list_id] = numbers_in(sent)
            return 200, {"status": "success", "data": {"list_id": list_id}}
        if parts.path == "/phonenumber/bulk/progress_status":
            if parse_qs(parts.query)["list_id"][0] not in self.numbers:
                return 404, {"status": "failed", "error": {"message": "no such list"}}
            return 200, {"status": "success", "data": {"progress_status": self.state, "percentile": 1}}
        if parts.path == "/download/result":
            return 200, {"status": "success", "data": {"url": f"{self.place}/{sent.json['list_id']}.csv?key=opens-it"}}
        return 200, self.answers(parts.path.strip("/").removesuffix(".csv"))

    def answers(self, list_id: str) -> str:
        """Return the file of answers to a list."""
        rows = [f"{number},{self.words.get(number, 'valid')},mobile,\r\n" for number in self.numbers[list_id]]
        return HEAD + "".join(rows) if self.file is None else self.file


def numbers_in(sent: Sent) -> list[str]:
    """Return the numbers that a request asks about."""
    if not sent.headers["Content-Type"].startswith("multipart/form-data"):
        return [sent.json["number"]] if "number" in sent.json else []
    head = f"Content-Type: {sent.headers['Content-Type']}\r\n\r\n".encode()
    (part,) = [each for each in BytesParser().parsebytes(head + sent.body).walk() if not each.is_multipart()]
    assert part.get_param("name", header="content-disposition") == "file"
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return [row["Phone Number"] for row in csv.DictReader(StringIO(content.decode()))]


def good(sent: Sent) -> tuple[int, Any]:
    """Return the answer about one number."""
    return 200, {"status": "success", "data": {"status": "valid", "e164_format": sent.json["number"]}}


def drain(lookup: OrderingLookup, numbers: list[str]) -> tuple[list[Answer | Order], RingfenceError | None]:
    """Return what came, and the error that ended it."""
    came: list[Answer | Order] = []
    try:
        for each in lookup.look_up(numbers):
            came.append(each)
    except RingfenceError as error:
        return came, error
    return came, None


def order(lookup: OrderingLookup, numbers: list[str]) -> Order:
    """Return the one order that the numbers become."""
    (only,) = lookup.look_up(numbers)
    assert isinstance(only, Order)
    return only
