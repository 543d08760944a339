"""What somebody would write instead: read all, ask phonenumbers, write the verdict back. No journal, no second thought.

Reads the CRM that the RINGFENCE_* variables point at, writes all of its contacts or the first ``--sample`` of those
with a number, ``--batch`` rows a call, and prints seconds and counts as JSON. It writes the fields that ringfence owns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import phonenumbers
import pycountry
import requests
from hubspot import HubSpot
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInput,
    SimplePublicObjectBatchInput,
    SimplePublicObjectInput,
)
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

REGIONS = {country.name: country.alpha_2 for country in pycountry.countries}
REGIONS |= {country.alpha_2: country.alpha_2 for country in pycountry.countries}
LINE_TYPES = {
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.FIXED_LINE: "landline",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    phonenumbers.PhoneNumberType.VOIP: "voip",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
}
NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def screen(raw: str, country: str | None) -> tuple[str, str, str | None, str, str, str]:
    """Return status, reason, E.164, line type, screened value and time of a cell."""
    try:
        number = phonenumbers.parse(raw, REGIONS.get(country or ""))
    except phonenumbers.NumberParseException as error:
        return "invalid", str(error), None, "unknown", raw, NOW

    if not phonenumbers.is_valid_number(number):
        return "invalid", "not a valid number", None, "unknown", raw, NOW
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    line_type = LINE_TYPES.get(phonenumbers.number_type(number), "unknown")
    return "valid", "checked with phonenumbers", e164, line_type, raw, NOW


class SalesforceScript:
    """Contacts by ``query_all``; updates one by one, or by sObject Collections."""

    parts = ("Status", "Reason", "E164", "Line_Type", "Screened_Value", "Last_Screened")

    def __init__(self) -> None:
        url = os.environ["RINGFENCE_SALESFORCE__INSTANCE_URL"]
        session = requests.Session()
        session.mount("https://", _ClearText())  # the library knows https only, and the sandbox does not
        token = os.environ["RINGFENCE_SALESFORCE__ACCESS_TOKEN"]
        self.sf = Salesforce(instance_url=url, session_id=token, version="65.0", session=session)

    def read(self) -> list[Any]:
        """Return all contacts with a number."""
        rows: list[Any] = self.sf.query_all(
            "SELECT Id, Phone, MobilePhone, MailingCountry, DoNotCall FROM Contact WHERE Phone != null OR "
            "MobilePhone != null"
        )["records"]
        return rows

    def verdict(self, row: Any) -> dict[str, Any]:
        """Return the fields to write."""
        values: dict[str, Any] = {}
        for slot in ("Phone", "MobilePhone"):
            if row[slot]:
                names = (f"RF_{slot}_{part}__c" for part in self.parts)
                values |= zip(names, screen(row[slot], row["MailingCountry"]), strict=True)
                if row["DoNotCall"]:
                    values[f"RF_{slot}_Status__c"] = "do_not_contact"

        return values

    def write(self, rows: Sequence[Any]) -> int:
        """Return how many of the rows were written."""
        if len(rows) == 1:
            try:
                self.sf.Contact.update(rows[0]["Id"], self.verdict(rows[0]))
            except SalesforceMalformedRequest:  # such as a cell of two numbers, whose E.164 is too long for the field
                return 0
            return 1

        records = [{"attributes": {"type": "Contact"}, "id": row["Id"], **self.verdict(row)} for row in rows]
        body = {"allOrNone": False, "records": records}
        answers = self.sf.restful("composite/sobjects", method="PATCH", json=body)
        return sum(answer["success"] for answer in answers)


class _ClearText(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **options)


class HubSpotScript:
    """Contacts by ``get_all``; updates one by one, or by batch update."""

    parts = ("status", "reason", "e164", "line_type", "screened_value", "last_screened")

    def __init__(self) -> None:
        url, token = os.environ["RINGFENCE_HUBSPOT__BASE_URL"], os.environ["RINGFENCE_HUBSPOT__ACCESS_TOKEN"]
        client = HubSpot(access_token=token, host=url)
        self.contacts = client.crm.contacts
        # Kept, because the library builds a new connection pool at each access.
        self.basic, self.batch = client.crm.contacts.basic_api, client.crm.contacts.batch_api

    def read(self) -> list[Any]:
        """Return all contacts with a number."""
        wanted = ["phone", "mobilephone", "country", "rf_do_not_call"]
        rows = (row.to_dict() for row in self.contacts.get_all(properties=wanted))
        return [row for row in rows if row["properties"].get("phone") or row["properties"].get("mobilephone")]

    def verdict(self, row: Any) -> dict[str, Any]:
        """Return the fields to write."""
        held, values = row["properties"], {}
        for slot in ("phone", "mobilephone"):
            if raw := held.get(slot):
                names = (f"rf_{slot}_{part}" for part in self.parts)
                values |= zip(names, (value or "" for value in screen(raw, held.get("country"))), strict=True)
                if held.get("rf_do_not_call") == "true":
                    values[f"rf_{slot}_status"] = "do_not_contact"

        return values

    def write(self, rows: Sequence[Any]) -> int:
        """Return how many of the rows were written."""
        if len(rows) == 1:
            self.basic.update(rows[0]["id"], SimplePublicObjectInput(properties=self.verdict(rows[0])))
            return 1
        inputs = [SimplePublicObjectBatchInput(id=row["id"], properties=self.verdict(row)) for row in rows]
        return len(self.batch.update(BatchInputSimplePublicObjectBatchInput(inputs=inputs)).results)


def main() -> None:
    """Run the script for one CRM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crm", choices=("salesforce", "hubspot"))
    parser.add_argument("--batch", type=int, default=1, help="rows a call")
    parser.add_argument("--sample", type=int, help="write so many rows only")
    given = parser.parse_args()
    script = SalesforceScript() if given.crm == "salesforce" else HubSpotScript()
    started = time.perf_counter()
    rows = script.read()
    read = time.perf_counter()
    sent = written = 0
    for some in _batches(islice(rows, given.sample), given.batch):
        written += script.write(some)
        sent += len(some)

    done = time.perf_counter()
    document = {"read": len(rows), "sent": sent, "written": written, "read_s": read - started, "write_s": done - read}
    sys.stdout.write(json.dumps(document) + "\n")


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    there = iter(rows)
    while some := list(islice(there, size)):
        yield some


if __name__ == "__main__":
    main()
