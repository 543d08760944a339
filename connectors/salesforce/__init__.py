"""The Salesforce connector."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Crm, CrmPlugin
from ringfence.core.ports.service_address import ServiceAddress
from ringfence.core.ports.services import Services

from .links import record_link
from .record_ids import full_id
from .schema import companion_name
from .settings import SalesforceSettings, is_configured


def _connect(settings: SalesforceSettings, shapes: Mapping[str, ObjectShape], services: Services) -> Crm:
    # Imported here because the client library takes a while, and most commands need one CRM or none.
    from .connector import SalesforceCrm  # noqa: PLC0415

    return SalesforceCrm(settings, shapes, services)


def _project(
    settings: SalesforceSettings, shapes: Mapping[str, ObjectShape], service: ServiceAddress
) -> Mapping[str, str]:
    from .sfdx_project import project_files  # noqa: PLC0415  # what only one command needs

    return project_files(settings, shapes, service)


plugin = CrmPlugin(
    name="salesforce",
    settings=SalesforceSettings,
    configured=is_configured,
    companion_name=companion_name,
    connect=_connect,
    link=record_link,
    record_id=full_id,
    project=_project,
)

__all__ = ["plugin"]
