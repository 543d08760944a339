"""Files of one model, read from YAML text, with words about what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import MappingError
from .spelling import name_unknown_key

Model = TypeVar("Model", bound=BaseModel)

KnownKeys = Callable[[Sequence[str]], Iterable[str]]
"""Returns the keys that the file knows beside one that it does not, which is given by its place from the top."""


def read_model(text: str, model: type[Model], what: str, known_keys: KnownKeys) -> Model:
    """Return what YAML text says; ``what`` names the file in errors, such as "The clocks us.yaml".

    Raises MappingError for text that is no YAML, and for each thing in it that the model does not take.
    """
    try:
        return model.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise MappingError(f"{what} are not YAML: {' '.join(str(error).split())}.", "Check the indentation.") from error
    except ValidationError as error:
        problems = "; ".join(_explain(item, known_keys) for item in error.errors())
        raise MappingError(f"{what} are wrong: {problems}.", "Correct the file and run again.") from error


def _explain(item: Any, known_keys: KnownKeys) -> str:
    place = [str(part) for part in item["loc"]]
    if item["type"] == "extra_forbidden":
        return name_unknown_key(place, known_keys(place))
    return f"{'.'.join(place) or 'the file'}: {item['msg'].removeprefix('Value error, ')}"
