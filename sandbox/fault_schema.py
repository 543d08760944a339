"""The schema of a faults file: what its parts look like depends on the services that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args

from pydantic import Field, create_model, model_validator

from ringfence.core.config.spelling import did_you_mean

from .fault_kinds import Fault, FaultModel
from .faults import Faults, Rule, When
from .plugin import installed_services


@cache
def fault_kinds() -> Mapping[str, type[Fault]]:
    """Return the model of each kind of fault that some service can have, by its name in a file.

    Raises TypeError where two services mean different things by one name.
    """
    found: dict[str, type[Fault]] = {}
    for service, definition in installed_services().items():
        for model in definition.fault_kinds:
            name = _kind_name(model)
            if found.setdefault(name, model) is not model:
                raise TypeError(f"{service}: {name} is another service's kind of fault; share it in fault_kinds.py")

    return found


def _kind_name(model: type[Fault]) -> str:
    name: str = get_args(model.model_fields["kind"].annotation)[0]
    return name


@cache
def faults_model() -> type[Faults]:
    """Return the model of a whole file: a section for each service, and rules about the services that there are."""
    sections: dict[str, Any] = {
        name: (service.fault_settings, service.fault_settings()) for name, service in installed_services().items()
    }
    rule = _rule_model()
    rules: Any = (tuple[rule, ...], ())  # type: ignore[valid-type]  # the model is built at run time

    return create_model("FaultsFile", __base__=Faults, **sections, rules=rules)


def _rule_model() -> type[Rule]:
    services: Any = tuple(installed_services())
    kinds: Any = tuple(fault_kinds().values())
    fields: dict[str, Any] = {
        "service": (Literal[services], ...),
        "fault": (Annotated[Union[kinds], Field(discriminator="kind")], ...),  # noqa: UP007  # a tuple has no `|`
    }
    validators: dict[str, Any] = {"_fitting": model_validator(mode="after")(_refuse_foreign_kind)}

    return create_model("FaultsFileRule", __base__=Rule, __validators__=validators, **fields)


def _refuse_foreign_kind(rule: Rule) -> Rule:
    """Raise ValueError for a kind of fault that the service of the rule does not have."""
    able = [name for name, service in installed_services().items() if type(rule.fault) in service.fault_kinds]

    if rule.service not in able:
        raise ValueError(f"{rule.fault.kind} is a fault of {' and '.join(able)}, not of {rule.service}")
    return rule


def known_keys(place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that a faults file may have at a place, which is a path as pydantic reports it."""
    if not place:
        return list(faults_model().model_fields)

    parts: dict[str, type[FaultModel]] = {
        **{name: service.fault_settings for name, service in installed_services().items()},
        "when": When,
        **fault_kinds(),
    }
    model = Rule if place[0] == "rules" and len(place) == 2 else parts.get(str(place[-1]))

    return list(model.model_fields) if model else []


def meant(word: object, place: tuple[str | int, ...]) -> str:
    """Return `` (did you mean 'x'?)`` for an unknown key at a place, or an empty text."""
    return did_you_mean(str(word), known_keys(place))
