"""Mapping files: each kind of slip is an error that names the place, what was meant, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.connectors.memory import companion_name
from ringfence.core.config.mapping import parse_mapping, read_mapping, resolve
from ringfence.core.errors import FileError, MappingError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.shapes import ObjectShape, Spread
from ringfence.core.model.values import Companion, Record

HEAD = "crm: memory\nobjects:\n  people:\n    phones: {phone: {}}\n"
PHONES = "crm: memory\nobjects: {people: {phones: %s}}\n"


def shape_of(text: str, default_region: str | None = None) -> ObjectShape:
    return resolve(parse_mapping(text, "m.yaml"), companion_name, default_region)["people"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty or not a table"),
        ("- a\n", "empty or not a table"),
        ("crm: [", "is not YAML"),
        ("crm: memory\n", "objects: it is missing"),
        ("crm: memory\nobjects: {}\n", "objects: it must not be empty"),
        ("crm: memory\nobject: {}\n", "object: unknown key 'object' (did you mean 'objects'?)"),
        ("crm: memory\nobjects: [people]\n", "objects: a table of keys is wanted"),
        ("crm: memory\nobjects: {people: {}}\n", "objects.people.phones: it is missing"),
        ("crm: memory\nobjects: {people: {phnes: {}}}\n", "objects.people.phnes: unknown key 'phnes' (did you mean"),
        (PHONES % "{}", "objects.people.phones: it must not be empty"),
        (PHONES % "[phone]", "objects.people.phones: a table of keys is wanted"),
        (PHONES % "{home phone: {}}", "objects.people.phones.home phone: a field name has letters"),
        (PHONES % "{phone: {normalise: true}}", "people.phones.phone.normalise: unknown key 'normalise' (did you mean"),
        (PHONES % "{phone: {normalize: perhaps}}", "people.phones.phone.normalize: true or false is wanted"),
        (
            PHONES % "{phone: {companions: {statuss: a}}}",
            "people.phones.phone.companions.statuss: unknown key 'statuss' (did you mean 'status'?)",
        ),
        (PHONES % "{phone: {companions: {colour: a}}}", "phone.companions.colour: unknown key 'colour'."),
        (PHONES % "{phone: {companions: {status: a b}}}", "phone.companions.status: a field name has letters"),
        (HEAD + "    opt_out: {fild: x}\n", "objects.people.opt_out.fild: unknown key 'fild' (did you mean 'field'?)"),
        (HEAD + "    opt_out: {field: x, true_values: []}\n", "people.opt_out.true_values: it must not be empty"),
        (HEAD + "    region: {default: Atlantis}\n", "people.region.default: 'Atlantis' is no ISO 3166 region code"),
        (HEAD + "    region: {default: XX}\n", "people.region.default: 'XX' is no ISO 3166 region code"),
        (HEAD + "    region: {feild: x}\n", "objects.people.region.feild: unknown key 'feild' (did you mean 'field'?)"),
        (HEAD + "    channel: origin\n", "objects.people.channel: a table of keys is wanted, such as {field: Name}"),
        (HEAD + "    tier: {field: ''}\n", "objects.people.tier.field: a field name has letters"),
        (HEAD + "    opt_out: [{field: x}, {fild: y}]\n", "objects.people.opt_out.2.fild: unknown key 'fild' (did you"),
        (HEAD + "    opt_out: []\n", "people.opt_out: a list of opt-out fields must not be empty"),
        (HEAD + "    opt_out: quiet\n", "people.opt_out: a table of keys is wanted"),
        (HEAD + "    opt_out: {field: x, channel: fax}\n", "people.opt_out.channel: Input should be 'all', 'voice' or"),
        (HEAD + "    consent: {field: c, given: [yes]}\n", "people.consent.withdrawn: it is missing"),
        (HEAD + "    consent: {field: c, given: [yes], withdrawn: [true]}\n", "'true' cannot be both `given` and"),
        (HEAD + "    consent: {field: c, give: [1], withdrawn: [2]}\n", "consent.give: unknown key 'give' (did you"),
        (HEAD + "    spread: both\n", "people.spread: Input should be 'flags' or 'slots'"),
        (HEAD + "    spread_limit: 0\n", "objects.people.spread_limit: Input should be greater"),
    ],
)
def test_a_slip_is_named_with_its_place_and_what_was_meant(text: str, words: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, "m.yaml")

    assert caught.value.message.startswith("The mapping m.yaml ")
    assert words in str(caught.value)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


def test_every_slip_of_a_file_is_named_at_once() -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping("crm: memory\nobjects: {people: {phones: {phone: {normal: 1}}, opt_ou: {}}}\n", "m.yaml")

    assert "'normalize'" in caught.value.message
    assert "'opt_out'" in caught.value.message


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"absent\.yaml cannot be read"):
        read_mapping(tmp_path / "absent.yaml")

    (tmp_path / "latin.yaml").write_bytes(b"crm: caf\xe9\n")
    with pytest.raises(MappingError, match=r"latin\.yaml is not UTF-8"):
        read_mapping(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        (PHONES % "{phone: {companions: {status: phone}}}", "an input", "phone.status"),
        (PHONES % "{phone: {companions: {status: same, reason: Same}}}", "phone.status", "phone.reason"),
        (PHONES % "{phone: {companions: {e164: rf_cell_e164}}, cell: {}}", "phone.e164", "cell.e164"),
        (HEAD + "    opt_out: {field: rf_phone_status}\n", "an input", "phone.status"),
        (HEAD + "    region: {field: RF_PHONE_REASON}\n", "an input", "phone.reason"),
    ],
)
def test_a_field_with_two_uses_is_refused(text: str, first: str, second: str) -> None:
    with pytest.raises(MappingError, match=rf"people uses the field \w+ twice: as {first} and as {second}"):
        shape_of(text)


def test_what_is_left_out_gets_its_default() -> None:
    shape = shape_of("crm: memory\nobjects: {people: {phones: {phone: }}}\n", default_region="GB")

    assert [slot.field for slot in shape.slots] == ["phone"]
    assert shape.slots[0].companions == {companion: companion_name("phone", companion) for companion in Companion}
    assert (shape.slots[0].normalize, shape.opt_outs, shape.default_region, shape.spread_limit) == (
        False,
        (),
        "GB",
        25,
    )
    assert shape.owned_fields() == frozenset(shape.slots[0].companions.values())


def test_what_is_named_wins_over_the_default() -> None:
    text = HEAD.replace("{phone: {}}", "{phone: {normalize: true, companions: {status: mine}}}")
    shape = shape_of(text + "    region: {default: us}\n    opt_out: {field: quiet, true_values: [Never]}\n", "GB")

    assert shape.default_region == "US"
    assert shape.slots[0].companions[Companion.STATUS] == "mine"
    assert shape.slots[0].companions[Companion.REASON] == "rf_phone_reason"
    assert shape.owned_fields() == {*shape.slots[0].companions.values(), "phone", "quiet"}
    assert [shape.is_flagged(Record("people", "p", {"quiet": value})) for value in (" never", "no", True)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("entry", ["{field: quiet, channel: all}", "[{field: quiet}]"])
def test_an_opt_out_is_an_entry_or_a_list_of_one(entry: str) -> None:
    (flag,) = shape_of(HEAD + f"    opt_out: {entry}\n").opt_outs

    assert (flag.field, flag.true_values, flag.multiple, flag.channel) == ("quiet", (True,), False, Channel.ALL)


def test_an_object_may_have_an_opt_out_for_each_way_of_contact() -> None:
    text = HEAD + "    opt_out: [{field: no_calls, channel: voice}, {field: no_texts, channel: sms}]\n"
    shape = shape_of(text)

    assert {flag.field: flag.channel for flag in shape.opt_outs} == {"no_calls": Channel.VOICE, "no_texts": Channel.SMS}
    assert {"no_calls", "no_texts"} <= shape.owned_fields()
    assert [shape.is_flagged(Record("people", "p", {"no_texts": value})) for value in (True, False)] == [True, False]


@pytest.mark.parametrize("field", ["quiet", "Phone", "country"])
def test_an_opt_out_has_a_field_of_its_own(field: str) -> None:
    text = f"{HEAD}    region: {{field: country}}\n    opt_out: [{{field: quiet}}, {{field: {field}}}]\n"

    with pytest.raises(MappingError, match=f"people uses the field {field} twice, once as an opt-out"):
        shape_of(text)


def test_an_opt_out_spreads_by_flags_unless_the_mapping_says_slots() -> None:
    assert shape_of(HEAD).spread is Spread.FLAGS
    assert shape_of(HEAD + "    spread: slots\n").spread is Spread.SLOTS


def test_consent_is_read_along_and_never_written() -> None:
    shape = shape_of(HEAD + "    consent: {field: c, given: [yes], withdrawn: [no], at: d, purposes: [marketing]}\n")

    assert shape.consent is not None
    assert (shape.consent.given, shape.consent.withdrawn) == ((True,), (False,))
    assert {"c", "d"} <= set(shape.input_fields())
    assert shape.owned_fields().isdisjoint({"c", "d"})


@pytest.mark.parametrize("written", ["opt_out: {field: c}", "phones: {phone: {normalize: true}, c: {normalize: true}}"])
def test_consent_is_no_field_that_ringfence_writes(written: str) -> None:
    text = HEAD if written.startswith("opt_out") else "crm: memory\nobjects:\n  people:\n"

    with pytest.raises(MappingError, match="reads consent from C, which ringfence writes to"):
        shape_of(text + f"    {written}\n    consent: {{field: C, given: [yes], withdrawn: [no]}}\n")
