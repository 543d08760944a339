"""Raw CRM text to a phone number, with the reason when it is none.

`read_number` is the one entry. A cell goes through small modules in this order:

    plain      the fast path of most cells: one number in plain punctuation
    text       cleans characters: invisible ones, Unicode digits, spaces and dashes
    traps      recognises texts that only look like numbers, or partly: masked ones, figures, dial codes, keypad letters
    spans      the first number of a text, its extension, and the further numbers
    cell       splits a cell into digit groups and the signs between them
    cutting    decides whether a run of digit groups is one number or several
    dialling   reads one number as typed, (0) included
    prefixes   the other ways to read its beginning: 00, 011, a calling code without +, an outside line
    readings   every number that a cell may be read as, where it is not exactly one
    covers     what an opt-out on the cell covers; `placeholders` are left out
    suggestions  the likely correction of a text that is no number
    plans/     turns (plus, digits, region) into validity, region and line type

`repairs` holds the phrases for what had to be repaired on the way, `values` the results. `regions` and `country_names`
read country fields.

In `plans`, `numbering_plan` is the entry. `reference` asks `phonenumbers` about digits; `table` gives the same answers
more than ten times as fast. `heads` finds the calling code from the first digits, of which `partial` ones may be known;
`codes` finds the range from the next digits, as an `automaton` over the `patterns` in the installed `metadata`.
`former` tells what became of numbers that a plan has changed.

All of it is pure, and no text makes it raise.
"""

from .masking import mask, mask_numbers, mask_text
from .plans.numbering_plan import metadata_version
from .reader import read_number
from .suggestions import suggest_number
from .values import LineType, Number, PlanMatch, ReasonCode, Validity

__all__ = [
    "LineType",
    "Number",
    "PlanMatch",
    "ReasonCode",
    "Validity",
    "mask",
    "mask_numbers",
    "mask_text",
    "metadata_version",
    "read_number",
    "suggest_number",
]
