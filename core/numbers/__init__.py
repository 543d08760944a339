"""Raw CRM text to a phone number, with the reason when it is none.

`read_number` is the one entry. It goes through small modules in the order of the data's way:

    plain      the short way of most cells: one number in plain punctuation
    text       characters: invisible ones, Unicode digits, spaces and dashes
    traps      texts that look like numbers and are none, or not all of them: masked, floats, URIs, keypad letters
    cell       the digit groups of a cell and what stands between them
    dialling   the prefixes of one number: 00, 011, (0), a calling code without +
    plan       (plus, digits, region) to validity, region and line type

`reference` asks `phonenumbers` about digits; `table` gives the same answers more than ten times as fast: `heads` finds
the calling code from the first digits (`partial` ones), `codes` the range from the next, as automata of the `patterns`
in the installed metadata.

All of it is pure and raises on no text.
"""

from .masking import mask_text
from .plans.numbering_plan import metadata_version
from .reader import read_number
from .values import LineType, Number, PlanMatch, ReasonCode, Validity, mask

__all__ = [
    "LineType",
    "Number",
    "PlanMatch",
    "ReasonCode",
    "Validity",
    "mask",
    "mask_text",
    "metadata_version",
    "read_number",
]
