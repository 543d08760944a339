"""Subrequests of Composite calls: what is quoted in their addresses."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from ringfence.connectors.salesforce.composite import query_subrequest
from ringfence.connectors.salesforce.connector import SalesforceCrm

Connect = Callable[..., SalesforceCrm]
QUERY = re.compile(r"[A-Za-z0-9._~!$'()*,;:@/?=%&-]*")
"""What RFC 3986 allows in a query; a plus sign would be read as a space."""


def test_whatever_a_query_holds_is_quoted_and_comes_out_again() -> None:
    soql = f"SELECT Id FROM Contact WHERE Name > '{string.printable} Zo\u00eb \U0001f4de'"

    path = query_subrequest(soql).path

    assert QUERY.fullmatch(path)
    assert parse_qs(urlsplit(path).query, keep_blank_values=True)["q"] == [soql]


def test_a_filter_with_signs_that_need_quoting_is_read_through_a_composite(connect: Connect) -> None:
    crm = connect(filter="\"LastName > 'A' AND LastName != '<{|}>'\"")

    assert sum(len(page.records) for page in crm.open_feed({}).changed()) > 0
