"""The org behind the token, also where its own record is refused or tells less than it might."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.preflight import check_object
from ringfence.connectors.salesforce.schema import Schema
from ringfence.core.errors import AuthenticationError

from ..conftest import Script
from .conftest import read_shapes

Connect = Callable[..., SalesforceCrm]
NO_OBJECT = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'Organization' is not supported."}]
NO_COLUMN = [{"errorCode": "INVALID_FIELD", "message": "No such column 'OrganizationType' on entity 'Organization'."}]
NOT_FOUND = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
IDENTITY = "https://login.salesforce.com/id/00D5g000000abcdEAA/0055g000000abcdEAA"


def page(**fields: Any) -> dict[str, Any]:
    return {"totalSize": 1, "done": True, "records": [{"Id": "00D5g000000abcdEAA", **fields}]}


def test_a_column_less_is_no_org_less(connect: Connect, script: Script) -> None:
    script.says(400, NO_COLUMN)
    script.says(200, page(Name="Acme", IsSandbox=True))

    org = connect(settings={"instance_url": script.url, "access_token": "t"}).identify()

    assert (org.id, org.name, org.production) == ("00D5g000000abcdEAA", "Acme", False)


def test_what_the_record_does_not_tell_counts_as_production(connect: Connect, script: Script) -> None:
    script.says(200, page())

    org = connect(settings={"instance_url": script.url, "access_token": "t"}).identify()

    assert (org.id, org.production) == ("00D5g000000abcdEAA", True)
    assert org.name in script.url


@pytest.mark.parametrize(
    ("status", "body", "org_id"), [(200, {"identity": IDENTITY}, "00D5g000000abcdEAA"), (404, NOT_FOUND, "127.0.0.1")]
)
def test_a_refused_record_leaves_the_address_of_the_user_or_the_host(
    connect: Connect, script: Script, status: int, body: Any, org_id: str
) -> None:
    script.says(400, NO_OBJECT)
    script.says(400, NO_OBJECT)
    script.says(status, body)

    org = connect(settings={"instance_url": script.url, "access_token": "t"}).identify()

    assert org.id.partition(":")[0] == org_id
    assert org.production


def test_the_log_in_names_the_org_without_a_further_call(connect: Connect, script: Script) -> None:
    script.says(200, {"access_token": "t", "instance_url": script.url, "id": IDENTITY})
    script.says(400, NO_OBJECT)
    settings = {"login_url": script.url, "client_id": "c", "client_secret": "s"}

    org = connect(settings=settings).identify()

    assert org.id == "00D5g000000abcdEAA"
    assert len(script.seen) == 3


def test_a_refused_token_is_no_missing_record(connect: Connect, script: Script) -> None:
    script.says(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])

    with pytest.raises(AuthenticationError, match="INVALID_SESSION_ID"):
        connect(settings={"instance_url": script.url, "access_token": "t"}).identify()


def test_an_object_that_is_not_there_is_named_also_without_a_list_of_objects(connect: Connect, script: Script) -> None:
    script.says(404, NOT_FOUND)
    client = connect(settings={"instance_url": script.url, "access_token": "t"})._client
    shape = next(iter(read_shapes().values()))

    (finding,) = check_object(client, Schema(client), shape)

    assert finding.message == "the org shows no object Contact."
