"""The installed metadata of `phonenumbers`. Its types allow Nones that its data never has: they are checked here."""

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc, ValidationResult


def region_plan(region: str) -> PhoneMetadata:
    """Return the plan of a known region. Raises LookupError for any other."""
    return _present(PhoneMetadata.metadata_for_region(region, None))


def code_plans(code: int) -> list[PhoneMetadata]:
    """Return the plans of the regions of a calling code, the main one first."""
    regions = COUNTRY_CODE_TO_REGION_CODE[code]
    return [_present(PhoneMetadata.metadata_for_region_or_calling_code(code, region)) for region in regions]


def main_plan(code: int) -> PhoneMetadata:
    """Return the plan of the main region of a calling code."""
    region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    return _present(PhoneMetadata.metadata_for_region_or_calling_code(code, region))


def general(plan: PhoneMetadata) -> PhoneNumberDesc:
    """Return the general description of a plan: what all its national numbers have in common."""
    if plan.general_desc is None:
        raise LookupError(plan.id)
    return plan.general_desc


def possible_length(plan: PhoneMetadata, length: int) -> int:
    """Return the `ValidationResult` of a national number of that many digits, whatever they are."""
    possible, local = general(plan).possible_length, general(plan).possible_length_local_only
    if length in local:
        return ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    if length in possible:
        return ValidationResult.IS_POSSIBLE
    if length < possible[0]:
        return ValidationResult.TOO_SHORT
    return ValidationResult.TOO_LONG if length > possible[-1] else ValidationResult.INVALID_LENGTH


def _present(plan: PhoneMetadata | None) -> PhoneMetadata:
    if plan is None:
        raise LookupError("phonenumbers has no metadata for this region or calling code")
    return plan
