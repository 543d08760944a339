"""Which custom fields an org has, hidden ones included: the describe shows only what the user may see."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import AnswerError
from .schema import CUSTOM
from .setup_calls import SetupCalls
from .soql import literal

_ID_LENGTH = 15
"""Characters of an id that tell it from others; three more, which repeat them without regard to case, may follow."""


def find_custom_fields(calls: SetupCalls, objects: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return (object, field name) -> id of the custom fields of these objects.

    The Tooling API names a standard object, and gives the id of a custom one.
    """
    wanted = list(objects)
    keys = {name: name for name in wanted} | _custom_objects(calls, wanted)

    listed = ", ".join(literal(key) for key in keys)
    soql = f"SELECT Id, DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId IN ({listed})"  # noqa: S608  # literals are escaped
    owners = {_shortened(key): name for key, name in keys.items()}
    return {
        (owners[key], f"{row['DeveloperName']}{CUSTOM}"): str(row["Id"])
        for row in calls.query_tooling(soql)
        if (key := _shortened(str(row["TableEnumOrId"]))) in owners
    }


def _custom_objects(calls: SetupCalls, objects: Iterable[str]) -> dict[str, str]:
    """Return id -> name of the custom ones among the objects; those that the org does not tell are left out."""
    names = {name.removesuffix(CUSTOM).rpartition("__")[2]: name for name in objects if name.endswith(CUSTOM)}
    if not names:
        return {}

    listed = ", ".join(literal(name) for name in names)
    soql = f"SELECT Id, DeveloperName, NamespacePrefix FROM CustomObject WHERE DeveloperName IN ({listed})"  # noqa: S608  # literals are escaped
    try:
        rows = calls.query_tooling(soql)
    except AnswerError:
        return {}

    found = {}
    for row in rows:
        prefix = f"{row['NamespacePrefix']}__" if row.get("NamespacePrefix") else ""
        name = names.get(str(row["DeveloperName"]))
        if name == f"{prefix}{row['DeveloperName']}{CUSTOM}":
            found[str(row["Id"])] = name
    return found


def _shortened(key: str) -> str:
    return key[:_ID_LENGTH] if key.startswith("01I") else key
