"""What the set-up of a CRM says, in the same words for each."""

from __future__ import annotations

from collections.abc import Sequence


def remark_on_labels(found: Sequence[tuple[str, str, str]], way: str) -> str:
    """Return a sentence about fields (name, present label, the one that set-up gives) that bear other labels.

    ``way`` tells how to have set-up's labels all the same.
    """
    name, held, given = found[0]
    which = f"{name} is labelled {held!r}, where set-up says {given!r}"
    more = f"; so are {len(found) - 1} more" if len(found) > 1 else ""
    return f"{which}{more}. Labels that are there are left as they are; {way}"
