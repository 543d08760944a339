"""Files of answers from a platform without an API: which column holds what, and what its words mean."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ringfence.core.config.yaml_model import read_model
from ringfence.core.errors import FileError
from ringfence.core.model.axes import Evidence, LineState, Outcome
from ringfence.core.numbers import Validity, mask_numbers

from .declared.axis_maps import as_words, word_of
from .reading import Reading
from .words import LONGEST_RAW

LONGEST_LINE = 10_000
"""Signs in one row: what is longer is no list of numbers."""


def _as_words(values: object) -> object:
    """Return the mapping with its keys as words. Raises ValueError for one that YAML takes for no text."""
    if isinstance(values, dict) and any(key is None or isinstance(key, bool) for key in values):
        raise ValueError('YAML reads yes, no, on, off, true, false and null as no text: put them in quotes, as "no"')
    return as_words(values)


class FileMeaning(BaseModel):
    """What one word of the platform says of a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validity: Validity = Validity.UNKNOWN
    line_state: LineState = LineState.UNKNOWN


class FileProfile(BaseModel):
    """How a file of answers is read: the platform's provider, its columns, and what its words mean.

    Column names are compared in lower case and without space around them; each may have several names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = Field(min_length=1, description="the provider whose numbers are answered, such as itg")
    number: list[str] = Field(min_length=1, description="names of the column of numbers, the first that is there")
    status: list[str] = Field(min_length=1, description="names of the column of words")
    values: Annotated[dict[str, FileMeaning], BeforeValidator(_as_words)] = Field(
        min_length=1, description="the platform's words -> what they say of a number; {} for one that says nothing"
    )


def parse_profile(text: str, where: str) -> FileProfile:
    """Return the profile in YAML text; ``where`` names the file. Raises MappingError."""
    return read_model(text, FileProfile, f"The columns and words of {where}", _known_keys)


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile, for editors. ``mappings/profiles/profile.schema.json`` holds it."""
    return FileProfile.model_json_schema()


def _known_keys(place: Sequence[str]) -> Sequence[str]:
    return list(FileMeaning.model_fields if len(place) > 2 else FileProfile.model_fields)


class FileAnswer(NamedTuple):
    """One row: its line in the file, the number as it stands there, and the word about it."""

    line: int
    number: str
    word: str


def read_answers(path: Path, profile: FileProfile) -> Iterator[FileAnswer]:
    """Yield the rows of a file one by one: CSV with commas, semicolons or tabs, in UTF-8 with or without its mark.

    Raises FileError for a file that cannot be read, is no such text, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline(LONGEST_LINE + 1)
            if not head.strip():
                raise FileError(f"{path} is empty.", "Name the file of answers that the platform gave you.")
            delimiter = max(",;\t", key=head.count)
            names = [word_of(name) for name in next(csv.reader([head], delimiter=delimiter))]
            number, status = (_find(path, names, wanted) for wanted in (profile.number, profile.status))
            yield from _read_rows(csv.reader(_bounded(path, file), delimiter=delimiter), number, status)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.", "Check its path and its rights.") from error
    except UnicodeDecodeError:
        raise FileError(f"{path} is not text in UTF-8.", "Save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise FileError(f"{path} is no CSV: {error}.", "Save it as CSV in UTF-8.") from error


def read_word(word: str, profile: FileProfile) -> Reading:
    """Return what a word of the platform says; one that the profile does not have reads as unknown and is kept."""
    meaning = profile.values.get(word_of(word))
    known = meaning or FileMeaning()
    said = mask_numbers(word.strip())[:LONGEST_RAW]  # in a file with its columns swapped it is a number
    return Reading(
        Outcome.OK,
        said,
        known.validity,
        known.line_state,
        Evidence.VENDOR_ASSERTED,
        product="file",
        unrecognised=() if meaning else (("line_state", said),),
    )


def _find(path: Path, names: Sequence[str], wanted: Sequence[str]) -> int:
    for name in map(word_of, wanted):
        if name in names:
            return names.index(name)
    # A file without a line of names begins with a number.
    there = ", ".join(mask_numbers(name) for name in names if name) or "none"
    raise FileError(
        f"{path} has no column {' or '.join(map(repr, wanted))}; there are: {there[:200]}.",
        "Name another --profile, or the file that the platform gave you.",
    )


def _bounded(path: Path, file: Any) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise FileError(f"{path} has a row of more than {LONGEST_LINE:,} signs.", "It is no list of numbers.")
        yield line


def _read_rows(rows: Any, number: int, status: int) -> Iterator[FileAnswer]:
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        cells: Mapping[int, str] = dict(enumerate(row))
        yield FileAnswer(rows.line_num + 1, cells.get(number, ""), cells.get(status, ""))
