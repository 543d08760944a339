"""What the accounts behind the stand-ins are like: the contents of an org file, one section for each service.

Traits hold for as long as the sandbox runs, and belong to an account as it is set up; what goes wrong now and then is a
fault (faults.py). Every trait has a default, which is what most accounts are like.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, create_model

from ringfence.core.errors import FixError

from .plugin import installed_services


class OrgError(FixError):
    """The org file is wrong by itself: an unknown key, or a value that the account cannot have."""


class Traits(BaseModel):
    """What one account is like; each service adds its own in a subclass, `traits.py` beside its code.

    Unknown keys are errors, values never change: a test that wants another account sets other traits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrgFile(Traits):
    """All of an org file: a section for each service that is installed, added by `org_model`."""

    def section(self, service: str) -> Traits:
        """Return the traits of a service."""
        section: Traits = getattr(self, service)
        return section


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
