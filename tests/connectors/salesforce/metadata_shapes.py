"""The shapes of the Metadata API's types as far as emitted projects use them (API 65.0): names, order, what is needed.

An element stands as often as it may, beside its likes, in the order of its type: what a type inherits comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.etree import ElementTree as ET

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"

_NODE = "processMetadataValues:FlowMetadataValue* description name! label locationX! locationY! "
_VALUE = "apexValue booleanValue dateTimeValue dateValue elementReference numberValue stringValue"

_SHAPES = {
    "NamedCredential": "allowMergeFieldsInBody allowMergeFieldsInHeader calloutStatus description"
    " generateAuthorizationHeader label! namedCredentialParameters:NamedCredentialParameter* namedCredentialType",
    "NamedCredentialParameter": "certificate description externalCredential globalNamedPrincipalCredential"
    " parameterName! parameterType! parameterValue sequenceNumber",
    "ExternalCredential": "authenticationProtocol! description"
    " externalCredentialParameters:ExternalCredentialParameter* label!",
    "ExternalCredentialParameter": "authProvider certificate description parameterGroup parameterName! parameterType!"
    " parameterValue sequenceNumber",
    "ExternalServiceRegistration": "catalogedApiVersion description label! namedCredential namedCredentialReference"
    " operations:ExternalServiceOperation* registrationProvider registrationProviderType schema schemaAbsoluteUrl"
    " schemaType schemaUploadFileExtension schemaUploadFileName schemaUrl serviceBinding status! systemVersion",
    "ExternalServiceOperation": "active! name!",
    "PermissionSet": "description externalCredentialPrincipalAccesses:PrincipalAccess*"
    " fieldPermissions:FieldPermissions* flowAccesses hasActivationRequired label! license"
    " objectPermissions:ObjectPermissions*",
    "PrincipalAccess": "enabled! externalCredentialPrincipal!",
    "FieldPermissions": "editable! field! readable",
    "ObjectPermissions": "allowCreate! allowDelete! allowEdit! allowRead! modifyAllRecords! object! viewAllFields"
    " viewAllRecords!",
    "Flow": "actionCalls:FlowActionCall* apiVersion assignments:FlowAssignment* decisions:FlowDecision* description"
    " environments* formulas interviewLabel label! processMetadataValues:FlowMetadataValue* processType"
    " recordCreates:FlowRecordCreate* recordLookups recordUpdates runInMode screens:FlowScreen* start:FlowStart"
    " status variables:FlowVariable*",
    "FlowMetadataValue": "name! value:Value",
    "FlowActionCall": _NODE
    + "actionName actionType connector:FlowConnector dataTypeMappings faultConnector:FlowConnector"
    " flowTransactionModel inputParameters:InputParameter* nameSegment offset outputParameters:OutputParameter*"
    " storeOutputAutomatically",
    "InputParameter": "name! value:Value",
    "OutputParameter": "assignToReference! name!",
    "FlowConnector": "isGoTo targetReference!",
    "Value": _VALUE,
    "FlowAssignment": _NODE + "assignmentItems:AssignmentItem* connector:FlowConnector",
    "AssignmentItem": "assignToReference operator value:Value",
    "FlowDecision": _NODE + "defaultConnector:FlowConnector defaultConnectorLabel rules:FlowRule*",
    "FlowRule": "description name! conditionLogic! conditions:FlowCondition* connector:FlowConnector label!",
    "FlowCondition": "leftValueReference operator! rightValue:Value",
    "FlowRecordCreate": _NODE + "assignRecordIdToReference connector:FlowConnector faultConnector:FlowConnector"
    " inputAssignments:InputAssignment* inputReference object storeOutputAutomatically",
    "InputAssignment": "field value:Value",
    "FlowScreen": _NODE + "allowBack allowFinish allowPause connector:FlowConnector fields:FlowScreenField* helpText"
    " showFooter showHeader",
    "FlowScreenField": "description name! dataType defaultValue:Value fieldText fieldType! helpText"
    " inputsOnNextNavToAssocScrn isRequired visibilityRule:FlowVisibilityRule",
    "FlowVisibilityRule": "conditionLogic conditions:FlowCondition*",
    "FlowStart": "locationX! locationY! connector:FlowConnector doesRequireRecordChangedToMeetCriteria filterFormula"
    " filterLogic object recordTriggerType schedule scheduledPaths:FlowScheduledPath* triggerType",
    "FlowScheduledPath": "name connector:FlowConnector label pathType",
    "FlowVariable": "description name! apexClass dataType! isCollection isInput isOutput objectType scale value:Value",
    "Package": "types:PackageTypes* version!",
    "PackageTypes": "members* name!",
}


def faults(root: ET.Element) -> list[str]:
    """Return what is wrong with a document by the shape of its type; empty where it is as the Metadata API has it."""
    kind = root.tag.removeprefix(NAMESPACE)
    return list(_faults(root, kind, kind)) if kind in _SHAPES else [f"{kind} has no shape here"]


def _faults(element: ET.Element, kind: str, path: str) -> Iterator[str]:
    order = _SHAPES[kind].split()
    names = [each.rstrip("!*").partition(":")[0] for each in order]
    found = [child.tag.removeprefix(NAMESPACE) for child in element]
    runs = [name for name, _ in groupby(found)]

    yield from (
        f"{path} needs {names[n]}" for n, each in enumerate(order) if each.endswith("!") and names[n] not in found
    )
    yield from (f"{path} has no {name}" for name in found if name not in names)
    if len(runs) != len(set(runs)):
        yield f"{path} has elements of one name apart from each other: {runs}"
    places = [names.index(name) for name in runs if name in names]
    if places != sorted(places):
        yield f"{path} is in another order: {runs}"

    for child in element:
        name = child.tag.removeprefix(NAMESPACE)
        if name not in names:
            continue
        spec = order[names.index(name)]
        if not spec.endswith("*") and found.count(name) > 1:
            yield f"{path} has {name} more than once"
        inner = spec.rstrip("!*").partition(":")[2]
        if inner:
            yield from _faults(child, inner, f"{path}/{name}")
        elif len(child):
            yield f"{path}/{name} is a text and has elements"
        elif not (child.text or "").strip():
            yield f"{path}/{name} is empty"
