"""The page that an emitted project explains itself by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import PLACE_HOLDER, ServiceAddress

from .list_views import LIST_VIEW
from .permission_sets import EDIT, FLOWS, INDIVIDUALS, READ
from .schema import CUSTOM
from .service_components import CREDENTIAL, PRINCIPAL, TOKEN


def write_read_me(
    shapes: Mapping[str, ObjectShape], borrowed: Sequence[str], service: ServiceAddress, flows: Sequence[str]
) -> str:
    """Return the page; ``borrowed`` are companions that the mapping names itself, ``flows`` the samples by name."""
    flags = [f"`{name}.{field}`" for name, shape in shapes.items() for field in shape.flag_fields()]
    return _page("sfdx_readme.md").substitute(
        fields=sum(field.endswith(CUSTOM) for shape in shapes.values() for field in shape.companion_fields()),
        objects=", ".join(shapes),
        slots="; ".join(f"{name}: {', '.join(slot.field for slot in shape.slots)}" for name, shape in shapes.items()),
        flags=", ".join(flags) or "none",
        edit=EDIT.name,
        read=READ.name,
        list_view=LIST_VIEW,
        individuals=INDIVIDUALS.name,
        borrowed=_warn_of(borrowed) if borrowed else "",
        service=_tell_of_service(service, flows) if service.api else "",
    )


def _warn_of(borrowed: Sequence[str]) -> str:
    names = ", ".join(f"`{name}`" for name in borrowed)
    return (
        f"\nThe mapping names these fields itself: {names}. Where the org has one of them already, take its file out "
        "before\nyou deploy: it would be changed to what the file says. The way back leaves them alone.\n"
    )


def _tell_of_service(service: ServiceAddress, flows: Sequence[str]) -> str:
    return _page("service_readme.md").substitute(
        address=service.at(),
        address_missing="" if service.is_public else _ADDRESS_MISSING,
        credential=CREDENTIAL,
        principal=PRINCIPAL,
        token=TOKEN,
        permission_set=FLOWS.name,
        flows=" and ".join(f"flow `{name}`" for name in flows),
    )


def _page(name: str) -> Template:
    return Template(resources.files(__package__).joinpath(name).read_text("utf-8"))


_ADDRESS_MISSING = f"""
**The address of the service is not set.** The named credential says `{PLACE_HOLDER}` in its place.
Set `RINGFENCE_SERVE__PUBLIC_URL` to the https address under which Salesforce reaches `ringfence serve`, and emit the
project anew before you deploy this part.
"""
