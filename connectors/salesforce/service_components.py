"""What an org needs to ask the service: credentials without a secret, the registered API, and flows to start from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import ServiceAddress

from .api_document import Operation, read_operations
from .metadata_xml import write_document
from .permission_sets import FLOWS
from .sample_flows import CHECK, define_flows

ROOT = "force-app/main/default"
REGISTRATION = "Ringfence"
"""The name of the external service, which the names of its actions and classes begin with."""

CREDENTIAL, PRINCIPAL, TOKEN = "RF_Ringfence", "Service", "Token"
"""The credentials, the principal in them, and its parameter that holds the token; a person enters it in Setup."""

Component = tuple[str, str, str, str]
"""Type and name of a component, its file below the project, and the file's text."""


def access_components(service: ServiceAddress) -> list[Component]:
    """Return what lets flows call the service: credentials, its registration, and the permission set to use them."""
    operations = read_operations(service.api, REGISTRATION)
    return [
        _component("ExternalCredential", CREDENTIAL, _external_credential()),
        _component("ExternalServiceRegistration", REGISTRATION, _registration(service, operations)),
        _component("NamedCredential", CREDENTIAL, _named_credential(service)),
        _component("PermissionSet", FLOWS.name, _permission_set(), "permissionsets", "permissionset"),
    ]


def flow_components(shapes: Mapping[str, ObjectShape], service: ServiceAddress, version: str) -> list[Component]:
    """Return the sample flows; none where the service has no operation that they could ask."""
    return list(_flows(shapes, read_operations(service.api, REGISTRATION), version))


def _flows(shapes: Mapping[str, ObjectShape], operations: list[Operation], version: str) -> Iterator[Component]:
    check = next((one for one in operations if one.path == CHECK), None)
    if check is not None:
        for name, body in define_flows(shapes, check, version):
            yield _component("Flow", name, body)


def _component(kind: str, name: str, body: Mapping[str, Any], folder: str = "", suffix: str = "") -> Component:
    suffix = suffix or kind[0].lower() + kind[1:]
    file = f"{ROOT}/{folder or f'{suffix}s'}/{name}.{suffix}-meta.xml"
    return kind, name, file, write_document(kind, body)


def _external_credential() -> dict[str, Any]:
    header = f"{{!'Bearer ' & $Credential.{CREDENTIAL}.{TOKEN}}}"
    return {
        "authenticationProtocol": "Custom",
        "description": f"How flows show ringfence who they are. The token is the parameter {TOKEN} of the principal.",
        "externalCredentialParameters": [
            {
                "parameterGroup": PRINCIPAL,
                "parameterName": PRINCIPAL,
                "parameterType": "NamedPrincipal",
                "sequenceNumber": 1,
            },
            {
                "parameterGroup": "DefaultGroup",
                "parameterName": "Authorization",
                "parameterType": "AuthHeader",
                "parameterValue": header,
                "sequenceNumber": 1,
            },
        ],
        "label": "ringfence",
    }


def _named_credential(service: ServiceAddress) -> dict[str, Any]:
    return {
        "allowMergeFieldsInBody": False,
        "allowMergeFieldsInHeader": True,  # the header with the token is such a formula
        "calloutStatus": "Enabled",
        "generateAuthorizationHeader": False,
        "label": "ringfence",
        "namedCredentialParameters": [
            {"parameterName": "Url", "parameterType": "Url", "parameterValue": service.at()},
            {
                "externalCredential": CREDENTIAL,
                "parameterName": "ExternalCredential",
                "parameterType": "Authentication",
            },
        ],
        "namedCredentialType": "SecuredEndpoint",
    }


def _registration(service: ServiceAddress, operations: list[Operation]) -> dict[str, Any]:
    return {
        "description": "Whether a phone number may be called, and who must not be contacted.",
        "label": "ringfence",
        "namedCredential": CREDENTIAL,
        "namedCredentialReference": CREDENTIAL,
        "operations": [{"active": True, "name": one.action.partition(".")[2]} for one in operations],
        "registrationProviderType": "Custom",
        "schema": service.api,
        "schemaType": "OpenApi3",
        "schemaUploadFileExtension": "json",
        "schemaUploadFileName": "ringfence",
        "status": "Complete",
        "systemVersion": 3,
    }


def _permission_set() -> dict[str, Any]:
    return {
        "description": FLOWS.description,
        "externalCredentialPrincipalAccesses": {
            "enabled": True,
            "externalCredentialPrincipal": f"{CREDENTIAL}-{PRINCIPAL}",
        },
        "hasActivationRequired": False,
        "label": FLOWS.label,
        "objectPermissions": read_object("UserExternalCredential"),
    }


def read_object(name: str) -> dict[str, Any]:
    """Return the right to read the records of an object, as a permission set grants it."""
    return {
        "allowCreate": False,
        "allowDelete": False,
        "allowEdit": False,
        "allowRead": True,
        "modifyAllRecords": False,
        "object": name,
        "viewAllRecords": False,
    }
