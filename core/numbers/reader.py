"""`read_number`: the steps of reading a cell, from the fastest to the most thorough."""

from typing import NamedTuple

from . import cell, repairs, text, traps
from .cell import Span
from .covers import cell_key, covers_of
from .cutting import cut, is_full
from .dialling import AMBIGUOUS, Choice, digits_of, evaluate_plain
from .placeholders import is_one_digit, is_placeholder
from .plain import read_plain
from .plans import numbering_plan as plan
from .values import LineType, Number, PlanMatch, ReasonCode, Validity

_NOT_A_NUMBER = PlanMatch(Validity.INVALID, ReasonCode.NOT_A_NUMBER)
_MASKED = PlanMatch(Validity.INVALID, ReasonCode.MASKED)
_UNALLOCATED = PlanMatch(Validity.INVALID, ReasonCode.UNALLOCATED)

# A word may stand for digits anywhere in these; in an ordinary number only when it is written in capitals.
_WORD_TYPES = frozenset(
    (LineType.TOLL_FREE, LineType.PREMIUM, LineType.SHARED_COST, LineType.UAN, LineType.PERSONAL, LineType.VOIP)
)


class _Found(NamedTuple):
    """What was read in one text, before it becomes a `Number`."""

    reading: PlanMatch
    repairs: tuple[str, ...] = ()
    extension: str | None = None
    others: tuple[str, ...] = ()


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

    found = _settle(_read_cell(cleaned, region), cleaned)
    noted = cleaning if found.reading.reason is not ReasonCode.NOT_A_NUMBER else ()
    reading = found.reading
    others = tuple(dict.fromkeys(other for other in found.others if other != reading.e164))
    return Number(
        raw=raw,
        e164=reading.e164,
        region=reading.region,
        line_type=reading.line_type,
        validity=reading.validity,
        reason=reading.reason,
        extension=found.extension,
        repairs=tuple(dict.fromkeys((*noted, *found.repairs))),
        others=others,
        covers=_covers(reading, others, cleaned),
    )


def _settle(found: _Found, cleaned: str) -> _Found:
    """Return what was found, but for a placeholder: that is no number, also where the plan has allocated it."""
    reading = found.reading
    if reading.reason is ReasonCode.NO_REGION and is_placeholder(digits_of(cleaned)):
        return found._replace(reading=_UNALLOCATED)
    if reading.valid and reading.e164 and is_one_digit(reading.e164):
        return _Found(_NOT_A_NUMBER)
    return found


def _covers(reading: PlanMatch, others: tuple[str, ...], cleaned: str) -> tuple[str, ...]:
    """Return what an opt-out on the cell covers."""
    first = (reading.e164,) if reading.valid and reading.e164 else ()
    keys = covers_of((*first, *others))
    return (*keys, cell_key(cleaned)) if reading.validity is Validity.UNKNOWN else keys


def _read_cell(cleaned: str, region: str | None) -> _Found:
    without_carrier = traps.without_carrier(cleaned, region)
    if without_carrier is not None:
        return _with_repair(_read_cell(without_carrier, region), repairs.CARRIER_PLACEHOLDER)
    if traps.is_masked(cleaned):
        return _Found(_MASKED)
    if not digits_of(cleaned) or traps.is_scientific(cleaned):
        return _Found(_NOT_A_NUMBER)
    uri = traps.split_uri(cleaned)
    if uri is not None and digits_of(uri[0]):
        return _read_uri(*uri, region=region)
    return _read_spreadsheet(cleaned, region) or _read_letters(cleaned, region)


def _read_uri(body: str, has_context: bool, region: str | None) -> _Found:
    if not has_context:
        return _read_letters(body, region)
    e164 = plan.parse_uri(body, region)
    return _Found(plan.evaluate(True, digits_of(e164), None) if e164 else _NOT_A_NUMBER)


def _read_spreadsheet(cleaned: str, region: str | None) -> _Found | None:
    figure = traps.without_thousands(cleaned)
    if figure is not None:
        return _with_repair(_read_spans(figure, region), repairs.THOUSANDS)

    short = traps.without_float(cleaned)
    if short is None:
        return None

    dropped = _with_repair(_read_letters(short[0], region), repairs.SPREADSHEET_FLOAT)
    if not short[1]:
        return dropped
    kept = _read_letters(cleaned, region)
    if kept.reading.valid and not kept.repairs:
        return _Found(AMBIGUOUS) if dropped.reading.valid else kept
    return dropped


def _read_letters(cleaned: str, region: str | None) -> _Found:
    """Read a cell with letters: text, O and l typed for digits, or a word on the keypad; text wins over a word."""
    if (number := read_plain(cleaned, region)) is not None:
        _, e164, home, line_type, validity, reason, _, prefix_repairs, *_ = number
        return _Found(PlanMatch(validity, reason, e164, home, line_type), prefix_repairs)

    plain = _read_spans(cleaned, region)
    fixed = traps.with_typed_letters(cleaned)
    if fixed is not None:
        typed = _read_spans(fixed, region)
        if plain.reading.valid and typed.reading.valid and plain.reading.e164 != typed.reading.e164:
            return _Found(AMBIGUOUS)
        if typed.reading.valid:
            return _with_repair(typed, repairs.TYPED_LETTERS)

    if plain.reading.valid:
        return plain
    return _read_keypad(cleaned, region) or plain


def _read_keypad(cleaned: str, region: str | None) -> _Found | None:
    spelled = traps.from_keypad(cleaned)
    if spelled is None:
        return None
    reading = evaluate_plain("+" in spelled.digits, digits_of(spelled.digits), region)
    if reading.valid and (reading.line_type in _WORD_TYPES or spelled.word.isupper()):
        return _Found(reading, (repairs.KEYPAD,), spelled.extension)
    return None


def _read_spans(cleaned: str, region: str | None) -> _Found:
    """Read the first run of digits that is long enough for a number, with its extension and the further numbers."""
    spans, tail = cell.scan(cleaned)
    runs = cell.runs(spans)
    at = next((index for index, run in enumerate(runs) if cell.number_like(run)), 0)
    if at and runs[at][0].sign:
        return _Found(_MASKED)

    first, *further = cut(runs[at], region)
    following = runs[at + 1] if at + 1 < len(runs) else []
    if following and following[0].extension_limit():
        return _with_labelled_extension(first, further, runs[at], following, runs[at + 2 :], region)

    others, ignored = _read_others(first.reading, runs[at + 1 :], region)
    if following and following[0].glued and not others:
        return _Found(AMBIGUOUS)

    extension = None
    if ignored and not others and len(runs) == at + 2 and not tail.strip(" #"):
        extension = _unlabelled_extension(first.reading, following)
    if any(map(str.isalnum, tail)) or (ignored and extension is None):
        first = Choice(first.reading, (*first.repairs, repairs.TAIL))
    return _Found(first.reading, first.repairs, extension, (*_forms(further), *others))


def _with_labelled_extension(
    first: Choice,
    further: list[Choice],
    run: list[Span],
    following: list[Span],
    rest: list[list[Span]],
    region: str | None,
) -> _Found:
    """Read a number with the labelled extension that follows it; `rest` holds the runs after that."""
    span, digits = following[0], following[0].digits
    others = (*_forms(further), *_read_others(first.reading, rest, region)[0])
    if span.sign and not first.reading.at_least_possible and first.reading.reason is not ReasonCode.NO_REGION:
        return _Found(_MASKED, others=others)
    if span.gap in ("x", "X") and _fits(run[-1], digits, region):
        return _Found(AMBIGUOUS, others=others)
    if len(digits) > span.extension_limit():
        return _Found(PlanMatch(Validity.INVALID, ReasonCode.TOO_LONG), others=others)
    return _Found(first.reading, first.repairs, digits, others)


def _fits(span: Span, digits: str, region: str | None) -> bool:
    """Return whether an x between digits may hide one: the plan has numbers with one digit more in its place."""
    return plan.evaluate(span.plus, span.digits + "0" + digits, region).at_least_possible


def _unlabelled_extension(first: PlanMatch, following: list[Span]) -> str | None:
    if first.at_least_possible and len(following) == 1 and following[0].after_semicolon:
        return following[0].digits
    return None


def _read_others(first: PlanMatch, runs: list[list[Span]], region: str | None) -> tuple[tuple[str, ...], bool]:
    """Return the E.164 forms of the further numbers, and whether digits were left that are none."""
    forms: list[str] = []
    ignored = False
    for run in runs:
        valid = [choice for choice in cut(run, region) if choice.reading.valid]
        full = [choice for choice in valid if is_full(choice.reading, run[0].text, first, region)]
        forms.extend(_forms(full))
        ignored = ignored or not full
    return tuple(forms), ignored


def _forms(choices: list[Choice]) -> tuple[str, ...]:
    return tuple(choice.reading.e164 for choice in choices if choice.reading.e164)


def _with_repair(found: _Found, repair: str) -> _Found:
    """Return what was found with the repair in front of the others, where there is a number that it led to."""
    if not found.reading.at_least_possible:
        return found
    return found._replace(repairs=(repair, *found.repairs))
