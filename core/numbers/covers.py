"""What an opt-out on a phone field covers: every valid number that the field may be read as, and the identical field.

An opt-out must reach whoever may be meant, so a number counts here that is only one of several readings. What cannot
exist carries nothing: a placeholder stands in the records of strangers.
"""

from collections.abc import Iterable

from .placeholders import carries
from .plans import numbering_plan as plan

CELL = "cell:"
"""What the key of a field begins with that nobody can read; every other key is a number in E.164."""

_PUNCTUATION = str.maketrans("", "", " ()[]-./\\,'_")
# In Argentina mobile and fixed lines share one range: with the 9 behind the calling code or without it, it is one line.
_WITH_NINE, _WITHOUT_NINE, _ARGENTINE_DIGITS = "+549", "+54", 10


def cell_key(cleaned: str) -> str:
    """Return the key by which two fields of the same content share an opt-out though neither can be read.

    Takes a cleaned text. Case and spaces make no difference, nor does the punctuation of a text without letters.
    """
    text = " ".join(cleaned.casefold().split())
    bare = text.translate(_PUNCTUATION)
    return CELL + (bare if bare.removeprefix("+").isdigit() else text)


def covers_of(forms: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of valid numbers in E.164, each once and in this order; those of placeholders are left out."""
    known = [form for form in forms if carries(form)]
    if len(known) == 1 and not known[0].startswith(_WITHOUT_NINE):  # of nearly all fields
        return (known[0],)
    return tuple(dict.fromkeys([*known, *(twin for form in known if (twin := _twin(form)))]))


def _twin(form: str) -> str | None:
    """Return the other way to write an Argentine number in E.164, or None."""
    if not form.startswith(_WITHOUT_NINE):
        return None
    head, other = (_WITH_NINE, _WITHOUT_NINE) if form.startswith(_WITH_NINE) else (_WITHOUT_NINE, _WITH_NINE)
    tail = form.removeprefix(head)
    if len(tail) != _ARGENTINE_DIGITS or not plan.evaluate(True, other[1:] + tail, None).valid:
        return None
    return other + tail
