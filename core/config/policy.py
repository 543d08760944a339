"""Policy files: how long a verdict stays fresh, read from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..errors import FileError, MappingError
from ..model.policy import Policy
from .spelling import name_unknown_key


def read_policy(path: Path) -> Policy:
    """Return the policy in a YAML file; an empty one is the default policy.

    Raises FileError when the file cannot be read, MappingError when its content is wrong.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Policy.model_validate({} if content is None else content)
    except OSError as error:
        raise FileError(f"The policy {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"The policy {path} is not YAML text.", "Check its encoding and indentation.") from error
    except ValidationError as error:
        problems = "; ".join(_explain(item) for item in error.errors())
        raise MappingError(f"The policy {path} is wrong: {problems}.", "It may say `max_age_days: 30`.") from error


def _explain(item: Any) -> str:
    place = [str(part) for part in item["loc"]]
    if item["type"] == "extra_forbidden":
        return name_unknown_key(place, Policy.model_fields)
    return f"{'.'.join(place) or 'the file'}: {item['msg']}"
