"""Record types: which picklist values each one leaves out, and how the service tells (UI API guide, "Picklist Values").

A value that a record's type leaves out is refused where the picklist is restricted, and taken where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping

from .choices import RecordTypes
from .errors import ApiError, RowError, not_found
from .schema import FieldSpec
from .state import OrgState
from .table import Row, Value
from .wire import Answer, Call

MASTER = "012000000000000AAA"
PICKLISTS = ("picklist", "multipicklist")


def add_record_types(org: OrgState) -> None:
    """Add the record types of the org's traits, and to their objects the field that names them."""
    ids: dict[str, list[str]] = {}
    limits: dict[str, Mapping[str, tuple[str, ...]]] = {}

    for object_name, types in org.traits.record_types.items():
        org.tables[object_name].spec.add(_NAME)
        for name, values in types.items():
            row = Row(DeveloperName=name, Name=name.replace("_", " "), SobjectType=object_name, IsActive=True)
            row.update(CreatedDate=org.stamp(), LastModifiedDate=org.stamp(), SystemModstamp=org.stamp())
            record_type = org.table("RecordType").insert(row)
            ids.setdefault(object_name, []).append(record_type)
            limits[record_type] = values

    org.record_types = RecordTypes(ids, limits)
    org.forget_access()


_NAME = FieldSpec(
    name="RecordTypeId",
    type="reference",
    label="Record Type ID",
    length=18,
    permissionable=False,
    targets=("RecordType",),
    relationship="RecordType",
)


def check_choices(org: OrgState, object_name: str, row: Row, values: Mapping[str, Value]) -> None:
    """Raise RowError for a value of a restricted picklist that the record's type leaves out."""
    record_type = values.get("RecordTypeId") or row["RecordTypeId"]
    if record_type is None:
        return

    fields = org.table(object_name).spec.fields
    for name in org.record_types.limits.get(str(record_type), {}).keys() & values.keys():
        field, value = fields[name], values[name]
        if field.restricted and value is not None and value not in org.record_types.values(str(record_type), field):
            text = f"{field.label}: bad value for restricted picklist field: {value}"
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, (name,))


def record_type_infos(org: OrgState, call: Call, object_name: str) -> list[dict[str, object]]:
    """Return the record types of an object as its describe shows them, the master one last."""
    own = org.record_types.ids.get(object_name, [])
    rows = [(key, org.table("RecordType").rows[key]) for key in own]
    infos = [
        _info(call, object_name, key, str(row["Name"]), str(row["DeveloperName"]), default=number == 0)
        for number, (key, row) in enumerate(rows)
    ]
    return [*infos, _info(call, object_name, MASTER, "Master", "Master", default=not own)]


def _info(
    call: Call, object_name: str, record_type: str, name: str, developer_name: str, *, default: bool
) -> dict[str, object]:
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": default,
        "developerName": developer_name,
        "master": record_type == MASTER,
        "name": name,
        "recordTypeId": record_type,
        "urls": {"layout": call.url(f"/sobjects/{object_name}/describe/layouts/{record_type}")},
    }


def picklist_values(org: OrgState, call: Call, object_name: str, record_type: str, field_name: str) -> Answer:
    """Answer GET of the values that records of a type may hold in one field."""
    field = org.access(object_name).visible.get(field_name.lower())
    if field is None or field.type not in PICKLISTS:
        raise not_found()
    return Answer(200, _shown(org, call, object_name, _known(org, object_name, record_type), field))


def all_picklist_values(org: OrgState, call: Call, object_name: str, record_type: str) -> Answer:
    """Answer GET of the same for every picklist of the object."""
    known = _known(org, object_name, record_type)
    fields = [field for field in org.access(object_name).visible.values() if field.type in PICKLISTS]
    shown = {field.name: _shown(org, call, object_name, known, field) for field in fields}
    return Answer(200, {"eTag": "0" * 32, "picklistFieldValues": shown})


def _known(org: OrgState, object_name: str, record_type: str) -> str:
    own = org.record_types.ids.get(object_name, [])
    found = next((key for key in (*own, MASTER) if key[:15] == record_type[:15]), None)
    if found is None:
        raise ApiError(400, "INVALID_INPUT", f"Invalid record type id: {record_type}")
    return found


def _shown(org: OrgState, call: Call, object_name: str, record_type: str, field: FieldSpec) -> dict[str, object]:
    path = f"/ui-api/object-info/{object_name}/picklist-values/{record_type}/{field.name}"
    values = org.record_types.values(record_type, field)
    return {
        "controllerValues": {},
        "defaultValue": None,
        "eTag": "0" * 32,
        "url": call.url(path),
        "values": [{"attributes": None, "label": value, "validFor": [], "value": value} for value in values],
    }
