"""`/sobjects/{object}/describe/layouts`: the page layout of an object, the same one for all of its record types."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import not_found
from .record_types import PICKLISTS, record_type_infos
from .schema import FieldSpec
from .state import OrgState
from .wire import Answer, Call

LAYOUT = "00h5i0000000001AAA"


def layouts(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer GET of the layouts; an object with several record types has them under each type alone."""
    infos = record_type_infos(org, call, object_name)
    several = len(infos) > 2
    return Answer(
        200,
        {
            "layouts": None if several else [_layout(org, object_name)],
            "recordTypeMappings": [_mapping(org, object_name, info) for info in infos],
            "recordTypeSelectorRequired": [several],
        },
    )


def layout(org: OrgState, call: Call, object_name: str, record_type: str) -> Answer:
    """Answer GET of the layout of one record type."""
    if record_type[:15] not in [str(info["recordTypeId"])[:15] for info in record_type_infos(org, call, object_name)]:
        raise not_found()
    return Answer(200, _layout(org, object_name))


def _layout(org: OrgState, object_name: str) -> dict[str, object]:
    rows = [_row(field) for field in org.access(object_name).visible.values() if field.type != "id"]
    section = {"columns": 1, "heading": "Information", "layoutRows": rows, "rows": len(rows), "useHeading": False}
    return {
        "buttonLayoutSection": None,
        "detailLayoutSections": [section],
        "editLayoutSections": [section],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": LAYOUT,
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": None,
        "relatedContent": None,
        "relatedLists": [],
        "saveOptions": [],
    }


def _row(field: FieldSpec) -> dict[str, object]:
    component = {"displayLines": 1, "tabOrder": 0, "type": "Field", "value": field.name}
    item = {
        "editableForNew": field.createable,
        "editableForUpdate": field.updateable,
        "label": field.label,
        "layoutComponents": [component],
        "placeholder": False,
        "required": field.required,
    }
    return {"layoutItems": [item], "numItems": 1}


def _mapping(org: OrgState, object_name: str, info: Mapping[str, object]) -> dict[str, object]:
    fields = [field for field in org.access(object_name).visible.values() if field.type in PICKLISTS]
    record_type = str(info["recordTypeId"])
    picklists = [
        {
            "picklistName": field.name,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
                for value in org.record_types.values(record_type, field)
            ],
        }
        for field in fields
    ]
    return {**info, "layoutId": LAYOUT, "picklistsForRecordType": picklists}
