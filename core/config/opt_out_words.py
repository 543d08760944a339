"""What people write to be left alone, as a file by language that a compliance officer can read.

``mappings/words/opt_out_words.yaml`` comes with ringfence; one of the same name in the user's folder takes its place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .yaml_model import read_model


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Language(_Model):
    """The words of one language."""

    stop: list[str] = Field(min_length=1, description="Whole messages that ask for silence.")
    start: list[str] = Field(default_factory=list, description="Whole messages that take a STOP back.")
    near_stop: list[str] = Field(default_factory=list, description="Words in a message that may ask for silence.")
    near_wrong_number: list[str] = Field(
        default_factory=list, description="Words in a message of somebody whom nobody meant."
    )


class OptOutWordFile(_Model):
    """The words of all languages, as of a day."""

    as_of: date = Field(description="The day on which somebody has looked over the words.")
    languages: dict[str, Language] = Field(min_length=1, description="By the language's code, such as en.")

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        for code, language in self.languages.items():
            for name, words in language:
                for word in words:
                    if not plain(word):
                        raise ValueError(f"{code}.{name} holds {word!r}, which is no word")
        both = self.list_all("stop") & self.list_all("start")
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is a word of stop and one of start")
        return self

    def list_all(self, name: str) -> frozenset[str]:
        """Return the words of one kind, such as ``stop``, of all languages, as :func:`plain` writes them."""
        return frozenset(plain(word) for language in self.languages.values() for word in getattr(language, name))


def plain(text: str) -> str:
    """Return a text by its letters and digits alone: no case, no accents, one space where anything else stood.

    Marks that are no accents, such as the vowels of Hindi, belong to their letters. What shows nothing, such as a soft
    hyphen, separates nothing. Turkish writes its I without a dot: it is the same letter in other people's capitals.
    """
    bare = (each for each in unicodedata.normalize("NFKD", text.casefold()) if not _shows_nothing(each))
    folded = unicodedata.normalize("NFKC", "".join(bare)).casefold().replace("\u0131", "i")
    return " ".join("".join(each if _is_letter(each) else " " for each in folded).split())


def _shows_nothing(character: str) -> bool:
    """Return whether a character is an accent, or stands for no sign of its own."""
    return unicodedata.combining(character) > 0 or unicodedata.category(character) == "Cf" or character in _NO_SIGNS


def _is_letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


_NO_SIGNS = frozenset(["\u034f", "\u0640", *map(chr, range(0xFE00, 0xFE10))])
"""A joiner, the line that stretches Arabic words, and what chooses between the looks of a sign, mostly an emoji."""


def parse_opt_out_words(text: str, where: str) -> OptOutWordFile:
    """Return the words in YAML text; ``where`` names its source in errors. Raises MappingError."""
    return read_model(text, OptOutWordFile, f"The words {where}", _known_keys)


def opt_out_words_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, for editors. ``mappings/words/opt_out_words.schema.json`` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **OptOutWordFile.model_json_schema()}


def _known_keys(place: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Language if len(place) > 1 else OptOutWordFile
    return list(model.model_fields)
