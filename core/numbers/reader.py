"""`read_number`: the steps of reading a cell, from the fastest to the most thorough."""

from . import repairs, text, traps
from .covers import cell_key, covers_of
from .dialling import AMBIGUOUS, digits_of, evaluate_plain, typed_of
from .placeholders import carries, is_one_digit, is_placeholder
from .plain import read_plain
from .plans import numbering_plan as plan
from .readings import find_readings, without_hours
from .spans import MASKED, Found, read_spans
from .values import LineType, Number, PlanMatch, ReasonCode, Validity

_NOT_A_NUMBER = PlanMatch(Validity.INVALID, ReasonCode.NOT_A_NUMBER)
_UNALLOCATED = PlanMatch(Validity.INVALID, ReasonCode.UNALLOCATED)

# The shortest number that a plan has made longer since.
_FORMER_DIGITS = 8

# A word may stand for digits anywhere in these; in an ordinary number only when it is written in capitals.
_WORD_TYPES = frozenset(
    (LineType.TOLL_FREE, LineType.PREMIUM, LineType.SHARED_COST, LineType.UAN, LineType.PERSONAL, LineType.VOIP)
)


def read_number(raw: str | None, region: str | None) -> Number:
    """Return what is known offline about the content of one phone field.

    Takes any text (None and blank are `not_a_number`) and the ISO 3166 region that reads numbers without a calling
    code; None or an unknown region leaves these `unknown`. Examines the first 1,000 characters. Raises nothing.
    """
    raw = raw or ""
    if region not in plan.REGIONS:
        region = plan.known_region(region)
    return read_plain(raw, region) or _read_with_care(raw, region)


def _read_with_care(raw: str, region: str | None) -> Number:
    cleaned, cleaning = text.clean(raw)
    if cleaning and (plain := read_plain(cleaned, region)):
        return plain._replace(raw=raw, repairs=tuple(dict.fromkeys((*cleaning, *plain.repairs))))

    found = _read_cell(cleaned, region)
    readings = find_readings(cleaned, region) if _needs_readings(found, cleaned) else ()
    found = _settle(found, readings, cleaned, region)
    noted = cleaning if found.reading.reason is not ReasonCode.NOT_A_NUMBER else ()
    return _make_number(raw, found, noted, _covers(found, readings, cleaned))


def _make_number(raw: str, found: Found, noted: tuple[str, ...], covers: tuple[str, ...]) -> Number:
    reading = found.reading
    return Number(
        raw=raw,
        e164=reading.e164,
        region=reading.region,
        line_type=reading.line_type,
        validity=reading.validity,
        reason=reading.reason,
        extension=found.extension,
        repairs=tuple(dict.fromkeys((*noted, *found.repairs))) if noted or len(found.repairs) > 1 else found.repairs,
        others=tuple(dict.fromkeys(other for other in found.others if other != reading.e164)) if found.others else (),
        covers=covers,
    )


def _needs_readings(found: Found, cleaned: str) -> bool:
    """Return whether the cell may be read in more ways than the reader has settled on."""
    reading = found.reading
    if reading.valid:
        # Text behind the number changes nothing, but for the digits in it.
        return repairs.TAIL in found.repairs and not (reading.e164 or "").endswith(digits_of(cleaned).lstrip("0"))
    digits = digits_of(cleaned)
    if reading.reason is ReasonCode.TOO_SHORT:
        return len(digits) >= _FORMER_DIGITS
    return reading.reason is not ReasonCode.MASKED and bool(digits)


def _settle(found: Found, readings: tuple[str, ...], cleaned: str, region: str | None) -> Found:
    """Return what was found, as far as nothing else is as likely.

    `invalid` means that no such number can exist: a cell with a number in it that is not surely the one is `ambiguous`.
    A placeholder is no number, also where the plan has allocated it.
    """
    reading = found.reading
    if reading.valid:
        if reading.e164 and is_one_digit(reading.e164):
            return Found(_NOT_A_NUMBER)
        if len(readings) > 1 and (hours := without_hours(cleaned)):
            other = _read_cell(hours, region).reading
            return Found(AMBIGUOUS) if other.valid and other.e164 != reading.e164 else found
        return found

    digits = digits_of(cleaned)
    if region is None and reading.reason is ReasonCode.TOO_LONG and "+" not in cleaned and digits not in cleaned:
        found = found._replace(reading=plan.NO_REGION)
    elif reading.reason is ReasonCode.NO_REGION and is_placeholder(digits):
        return found._replace(reading=_UNALLOCATED)
    if reading.validity in (Validity.INVALID, Validity.POSSIBLE) and any(map(carries, readings)):
        return Found(AMBIGUOUS, others=found.others)
    return found


def _covers(found: Found, readings: tuple[str, ...], cleaned: str) -> tuple[str, ...]:
    """Return what an opt-out on the cell covers."""
    reading = found.reading
    first = (reading.e164,) if reading.valid and reading.e164 else ()
    keys = covers_of((*first, *found.others, *readings))
    if reading.valid:
        return keys
    lost = (figure := traps.read_scientific(cleaned)) is not None and figure.lost
    if reading.validity is not Validity.UNKNOWN or lost:
        # A figure that lost its last digits is the same for numbers of different people.
        return keys
    return (*keys, cell_key(cleaned))


def _read_cell(cleaned: str, region: str | None) -> Found:
    without_carrier = traps.without_carrier(cleaned, region)
    if without_carrier is not None:
        return _with_repair(_read_cell(without_carrier, region), repairs.CARRIER_PLACEHOLDER)
    if (found := _read_behind_code(cleaned, region)) is not None:
        return found
    if traps.is_masked(cleaned):
        return Found(MASKED)
    if not digits_of(cleaned):
        return Found(_NOT_A_NUMBER)
    if (figure := traps.read_scientific(cleaned)) is not None:
        return _read_figure(figure, region)
    uri = traps.split_uri(cleaned)
    if uri is not None and digits_of(uri[0]):
        return _read_uri(*uri, region=region)
    return _read_spreadsheet(cleaned, region) or _read_letters(cleaned, region)


def _read_behind_code(cleaned: str, region: str | None) -> Found | None:
    """Read the number behind a dial code (*67), or behind a calling code that stands twice; None without either."""
    for rest, repair in (
        (traps.without_dial_code(cleaned), repairs.DIAL_CODE),
        (traps.with_single_code(cleaned), repairs.DOUBLED_CODE),
    ):
        if rest is not None:
            found = _read_cell(rest, region)
            if found.reading.at_least_possible or found.reading.validity is Validity.UNKNOWN:
                return _with_repair(found, repair)
    return None


def _read_figure(figure: traps.Scientific, region: str | None) -> Found:
    """Read a number in scientific notation, which is exact where no digit got lost."""
    if figure.lost > 0:
        return Found(AMBIGUOUS)
    if figure.lost < 0:
        return Found(_NOT_A_NUMBER)
    return _with_repair(_read_letters(figure.digits, region), repairs.SCIENTIFIC)


def _read_uri(body: str, has_context: bool, region: str | None) -> Found:
    if not has_context:
        return _read_letters(body, region)
    e164 = plan.parse_uri(body, region)
    return Found(plan.evaluate(True, digits_of(e164), None) if e164 else _NOT_A_NUMBER)


def _read_spreadsheet(cleaned: str, region: str | None) -> Found | None:
    figure = traps.without_thousands(cleaned)
    if figure is not None:
        return _with_repair(read_spans(figure, region), repairs.THOUSANDS)

    short = traps.without_float(cleaned)
    if short is None:
        return None

    dropped = _with_repair(_read_letters(short[0], region), repairs.SPREADSHEET_FLOAT)
    if not short[1]:
        return dropped
    kept = _read_letters(cleaned, region)
    if kept.reading.valid and repairs.TAIL not in kept.repairs:
        return Found(AMBIGUOUS) if dropped.reading.valid else kept
    return dropped


def _read_letters(cleaned: str, region: str | None) -> Found:
    """Read a cell with letters: text, O and l typed for digits, or a word on the keypad; text wins over a word."""
    if (number := read_plain(cleaned, region)) is not None:
        _, e164, home, line_type, validity, reason, _, prefix_repairs, *_ = number
        return Found(PlanMatch(validity, reason, e164, home, line_type), prefix_repairs)

    plain = read_spans(cleaned, region)
    fixed = traps.with_typed_letters(cleaned)
    if fixed is not None:
        typed = read_spans(fixed, region)
        if plain.reading.valid and typed.reading.valid and plain.reading.e164 != typed.reading.e164:
            return Found(AMBIGUOUS)
        if typed.reading.valid:
            return _with_repair(typed, repairs.TYPED_LETTERS)

    if plain.reading.valid:
        return plain
    return _read_keypad(cleaned, region) or plain


def _read_keypad(cleaned: str, region: str | None) -> Found | None:
    spelled = traps.from_keypad(cleaned)
    if spelled is None:
        return None
    reading = evaluate_plain(typed_of(spelled.digits), region)
    if reading.valid and (reading.line_type in _WORD_TYPES or spelled.word.isupper()):
        return Found(reading, (repairs.KEYPAD,), spelled.extension)
    return None


def _with_repair(found: Found, repair: str) -> Found:
    """Return what was found with the repair in front of the others, where there is a number that it led to."""
    if not found.reading.at_least_possible:
        return found
    return found._replace(repairs=(repair, *found.repairs))
