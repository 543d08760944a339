"""The shapes of a mapping as JSON values, for a process that has to read and write exactly as another one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .blocks import Channel
from .consent import ConsentFields
from .shapes import ObjectShape, OptOutFlag, Slot, Spread
from .values import Companion

_PLAIN = (
    "name",
    "region_field",
    "default_region",
    "channel_field",
    "tier_field",
    "email_field",
    "email_opt_out_field",
    "filter",
    "spread_limit",
    "spread",
    "ratchet",
)


def shapes_to_json(shapes: Mapping[str, ObjectShape]) -> dict[str, Any]:
    """Return object name -> shape as JSON values."""
    return {name: _shape_to_json(shape) for name, shape in shapes.items()}


def shapes_from_json(told: Mapping[str, Any]) -> dict[str, ObjectShape]:
    """Return the shapes that :func:`shapes_to_json` was given."""
    return {name: _shape_from_json(shape) for name, shape in told.items()}


def _shape_to_json(shape: ObjectShape) -> dict[str, Any]:
    return {
        **{name: getattr(shape, name) for name in _PLAIN},
        "slots": [
            [slot.field, {companion.value: name for companion, name in slot.companions.items()}, slot.normalize]
            for slot in shape.slots
        ],
        "consent": _consent_to_json(shape.consent),
        "opt_outs": [
            [flag.field, list(flag.true_values), flag.multiple, flag.channel.value, flag.ours]
            for flag in shape.opt_outs
        ],
    }


def _shape_from_json(told: Mapping[str, Any]) -> ObjectShape:
    slots = tuple(
        Slot(field, {Companion(each): name for each, name in companions.items()}, normalize)
        for field, companions, normalize in told["slots"]
    )
    flags = tuple(
        OptOutFlag(field, tuple(values), multiple, Channel(channel), ours)
        for field, values, multiple, channel, ours in told["opt_outs"]
    )
    shape = ObjectShape(told["name"], slots, flags)
    return replace(shape, **{name: told[name] for name in _PLAIN} | _read_other(told))


def _read_other(told: Mapping[str, Any]) -> dict[str, Any]:
    consent = told["consent"]
    return {
        "spread": Spread(told["spread"]),
        "consent": ConsentFields(consent[0], tuple(consent[1]), tuple(consent[2]), consent[3], tuple(consent[4]))
        if consent
        else None,
    }


def _consent_to_json(consent: ConsentFields | None) -> list[Any] | None:
    if consent is None:
        return None
    return [consent.field, list(consent.given), list(consent.withdrawn), consent.at, list(consent.purposes)]
