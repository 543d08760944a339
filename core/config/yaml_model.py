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

    Raises MappingError for text that is no YAML, or holds no keys, and for each thing that the model does not take.
    """
    try:
        read = yaml.safe_load(text)
        if not isinstance(read, dict):
            held = "nothing" if read is None else f"{_KINDS.get(type(read), 'a value')} in place of keys"
            keys = ", ".join(field.alias or name for name, field in model.model_fields.items() if field.is_required())
            raise MappingError(f"{what} hold {held}.", f"Begin with its keys{f': {keys}' if keys else ''}.")
        return model.model_validate(read)
    except yaml.YAMLError as error:
        raise MappingError(
            f"{what} are not YAML: {_where(error)}.", "Check the indentation and the brackets."
        ) from error
    except RecursionError:
        raise MappingError(f"{what} are nested too deeply to be read.", "Take some of the brackets out.") from None
    except ValidationError as error:
        problems = "; ".join(_explain(item, known_keys) for item in error.errors())
        raise MappingError(f"{what} are wrong: {problems}.", "Correct the file and run again.") from error


_KINDS = {list: "a list", str: "text", bool: "a truth value", int: "a number", float: "a number"}


def _where(error: yaml.YAMLError) -> str:
    """Return what a reader of YAML stumbled over, with its line and column."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"


def _explain(item: Any, known_keys: KnownKeys) -> str:
    place = [str(part) for part in item["loc"]]
    if item["type"] == "extra_forbidden":
        return name_unknown_key(place, known_keys(place))
    return f"{'.'.join(place) or 'the file'}: {item['msg'].removeprefix('Value error, ')}"
