"""`/sobjects` and `/sobjects/{object}/describe`, as the API user sees them (shapes as recorded with v42.0)."""

from __future__ import annotations

from collections.abc import Iterator

from .access import Access
from .record_types import record_type_infos
from .schema import TEXT_TYPES, FieldSpec, ObjectSpec
from .state import OrgState
from .wire import Answer, Call

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "datetime": "xsd:dateTime",
    "date": "xsd:date",
    "int": "xsd:int",
}
# Facts that are the same for every field of the sandbox.
_ALWAYS: dict[str, object] = {
    "autoNumber": False,
    "calculated": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "digits": 0,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "mask": None,
    "maskType": None,
    "namePointing": False,
    "polymorphicForeignKey": False,
    "precision": 0,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "scale": 0,
    "searchPrefilterable": False,
    "unique": False,
    "writeRequiresMasterRead": False,
}
_URLS = {
    "compactLayouts": "/describe/compactLayouts",
    "rowTemplate": "/{ID}",
    "approvalLayouts": "/describe/approvalLayouts",
    "listviews": "/listviews",
    "describe": "/describe",
    "quickActions": "/quickActions",
    "layouts": "/describe/layouts",
    "sobject": "",
}


def describe_global(org: OrgState, call: Call) -> Answer:
    """Answer `/sobjects`: every object without its fields."""
    objects = [_object(call, table.spec) for table in org.tables.values()]
    return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


def basic_info(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer GET `/sobjects/{object}`: the object's facts and the rows that were looked at last (none)."""
    return Answer(200, {"objectDescribe": _object(call, org.table(object_name).spec), "recentItems": []})


def describe(org: OrgState, call: Call, object_name: str) -> Answer:
    """Answer `/sobjects/{object}/describe`; fields that the user cannot see are absent."""
    access = org.access(object_name)
    body = {
        "actionOverrides": [],
        "childRelationships": list(_children(org, object_name)),
        "compactLayoutable": True,
        **_object(call, access.spec),
        "fields": [_field(access, spec) for spec in access.visible.values()],
        "hasSubtypes": False,
        "isSubtype": False,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": record_type_infos(org, call, object_name),
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {access.spec.plural.lower()}", "name": "everything"}],
    }
    return Answer(200, body)


def _children(org: OrgState, object_name: str) -> Iterator[dict[str, object]]:
    """Yield the references of other objects to this one that a query can follow back."""
    for table in org.tables.values():
        for field in table.spec.fields.values():
            if field.children and object_name in field.targets:
                yield {
                    "cascadeDelete": False,
                    "childSObject": table.spec.name,
                    "deprecatedAndHidden": False,
                    "field": field.name,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": field.children,
                    "restrictedDelete": False,
                }


def _object(call: Call, spec: ObjectSpec) -> dict[str, object]:
    writable = not spec.fixed
    root = call.url(f"/sobjects/{spec.name}")

    return {
        "activateable": False,
        "createable": writable,
        "custom": False,
        "customSetting": False,
        "deletable": writable,
        "deprecatedAndHidden": False,
        "feedEnabled": not spec.plain,
        "keyPrefix": spec.prefix,
        "label": spec.label,
        "labelPlural": spec.plural,
        "layoutable": not spec.plain,
        "mergeable": not spec.plain,
        "mruEnabled": not spec.plain,
        "name": spec.name,
        "queryable": True,
        "replicateable": not spec.plain,
        "retrieveable": True,
        "searchable": not spec.plain,
        "triggerable": not spec.plain,
        "undeletable": not spec.plain,
        "updateable": writable,
        "urls": {name: root + rest for name, rest in _URLS.items()},
    }


def _field(access: Access, spec: FieldSpec) -> dict[str, object]:
    editable = spec.name in access.editable and not access.spec.fixed
    text = spec.type in TEXT_TYPES

    return {
        **_ALWAYS,
        "aggregatable": spec.filterable and spec.type != "boolean",
        "byteLength": spec.length * 3 if text else spec.length,
        "compoundFieldName": spec.compound,
        "createable": spec.createable and editable,
        "custom": spec.custom,
        "defaultValue": False if spec.type == "boolean" else None,
        "defaultedOnCreate": spec.defaulted or spec.type == "boolean",
        "externalId": spec.external,
        "extraTypeInfo": _extra_type(access.spec, spec),
        "filterable": spec.filterable,
        "groupable": spec.filterable and spec.type != "datetime",
        "idLookup": spec.external or spec.type in ("id", "email"),
        "inlineHelpText": spec.help,
        "label": spec.label,
        "length": spec.length,
        "name": spec.name,
        "nameField": spec.name_field,
        "nillable": spec.nillable,
        "permissionable": spec.permissionable,
        "picklistValues": _choices(spec),
        "referenceTo": list(spec.targets),
        "relationshipName": spec.relationship,
        "restrictedPicklist": spec.restricted,
        "soapType": _SOAP.get(spec.type, "xsd:string"),
        "sortable": spec.filterable,
        "type": spec.type,
        "updateable": spec.updateable and editable,
    }


def _extra_type(owner: ObjectSpec, spec: FieldSpec) -> str | None:
    if "Name" in (spec.compound, spec.name) and "LastName" in owner.fields:
        return "personname"
    if spec.type == "textarea":
        return "plaintextarea"
    return "imageurl" if spec.name == "PhotoUrl" else None


def _choices(spec: FieldSpec) -> list[dict[str, object]]:
    labels = spec.picklist_labels if len(spec.picklist_labels) == len(spec.picklist) else spec.picklist
    return [
        {"active": True, "defaultValue": False, "label": label, "validFor": None, "value": value}
        for value, label in zip(spec.picklist, labels, strict=True)
    ]
