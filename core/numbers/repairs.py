"""The repairs that it may take to read a number, as short phrases for the reason text.

A phrase never holds a digit of the number, and no semicolon: the reason text parts them by semicolons.
"""

CAPPED = "examined the beginning only"
DIGITS = "read digits of another script"
INVISIBLE = "ignored invisible characters"
SPACES = "read unusual spaces as spaces"
DASHES = "read unusual dashes as dashes"

TAIL = "ignored text after the number"
CARRIER_PLACEHOLDER = "dropped a carrier placeholder"
THOUSANDS = "dropped thousands separators"
SPREADSHEET_FLOAT = "dropped a spreadsheet .0"
TYPED_LETTERS = "read O and l as 0 and 1"
KEYPAD = "read letters as keypad digits"

SCIENTIFIC = "read a spreadsheet's scientific notation"
LINES = "joined two lines"
DIAL_CODE = "dropped a dial code before the number"

CALLING_CODE = "read the first digits as the calling code"
NATIONAL_ZERO = "read +0 as a national number"
DOUBLE_PLUS = "read ++ as +"
BRACKETED_ZERO = "dropped (0)"
DOUBLED_CODE = "read the calling code once"
ZERO_BEFORE_CODE = "dropped a zero before the calling code"
OUTSIDE_LINE = "dropped the digit for an outside line"
FORMER_FORM = "read a former form of the number"

FIXED = (
    *(CAPPED, DIGITS, INVISIBLE, SPACES, DASHES, TAIL, CARRIER_PLACEHOLDER, THOUSANDS, SPREADSHEET_FLOAT),
    *(TYPED_LETTERS, KEYPAD, CALLING_CODE, NATIONAL_ZERO, DOUBLE_PLUS, BRACKETED_ZERO),
    *(SCIENTIFIC, LINES, DIAL_CODE, DOUBLED_CODE, ZERO_BEFORE_CODE, OUTSIDE_LINE, FORMER_FORM),
)
"""All repairs but the two that name an exit prefix."""


def exit_prefix(prefix: str) -> str:
    """Return the repair of a number that begins with an exit prefix such as 00 in place of a plus."""
    return f"read {prefix} as +"


def doubled_exit_prefix(prefix: str) -> str:
    """Return the repair of a number that has an exit prefix such as 00 behind its plus."""
    return f"dropped {prefix} after the +"
