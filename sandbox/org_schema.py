"""The schema of an org file: its sections depend on the services that are installed."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, create_model

from .plugin import installed_services
from .traits import OrgFile


@cache
def org_model() -> type[OrgFile]:
    """Return the model of a whole file for the services that there are."""
    sections: dict[str, Any] = {
        name: (service.traits, service.traits()) for name, service in installed_services().items()
    }
    return create_model("OrgFileOfServices", __base__=OrgFile, **sections)


def known_traits(place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that an org file may have at a place, which is a path as pydantic reports it."""
    model: type[BaseModel] | None = org_model()
    for part in place:
        field = model.model_fields.get(str(part)) if model else None
        # The part below a table of many, such as the objects of a CRM, is a name and no key of the schema.
        model = _model_in(field.annotation) if field else model

    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation holds, also within a mapping, a tuple or an optional; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
