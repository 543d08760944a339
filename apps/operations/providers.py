"""The lookup providers: what each can tell, whether its credentials work, and files for those without an API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from ringfence.connectors.lookups.answer_file import (
    FileAnswer,
    FileProfile,
    parse_profile,
    read_answers,
    read_word,
)
from ringfence.connectors.lookups.reading import to_answer
from ringfence.core.clock import whole_seconds
from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import FileError, RingfenceError, UsageError
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Axis
from ringfence.core.numbers import Validity, read_number
from ringfence.core.ports.lookup import Lookup, LookupPlugin, OrderingLookup
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.lookup_history import DoubtWatch
from ringfence.core.state.run_history import new_run_id

from ..pages.new_file import new_text_file
from ..registry import group_of, lookup_plugins
from ..wiring import Wiring
from .suppression import ledger_of

WORLDWIDE = "worldwide"
NO_PHONE_SERVICE = {
    "zerobounce": "ZeroBounce checks e-mail addresses alone: it has no service for phone numbers, and so no connector.",
}
"""Vendors that users name and that look no phone numbers up."""

_CHUNK = 500
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProviderState:
    """One provider: its plugin, whether it is set up, its place in the list (from 1), and what its check has said.

    ``check`` is "ok", a message, or None where nobody checked; ``exit_code`` is that of the error it met, 0 for none.
    """

    plugin: LookupPlugin
    configured: bool
    place: int | None
    price: float | None
    check: str | None = None
    exit_code: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values (docs/contract.md, section 4, `providers`)."""
        profile = self.plugin.profile
        names = list(self.plugin.settings.model_fields)
        return {
            "name": self.plugin.name,
            "title": profile.title,
            "configured": self.configured,
            "in_use": self.place,
            "tells": [axis.value for axis in Axis if axis in profile.tells],
            "cannot_tell": [axis.value for axis in Axis if axis not in profile.tells],
            "countries": list(profile.countries) or [WORLDWIDE],
            "price": profile.price if self.price is None else self.price,
            "batch": profile.batch,
            "pace": profile.pace,
            "note": profile.note,
            "settings": [f"RINGFENCE_{group_of(self.plugin.name).upper()}__{name.upper()}" for name in names],
            "check": self.check,
        }


def list_providers(wiring: Wiring, *, check: bool) -> list[ProviderState]:
    """Return every provider, by name. With ``check`` each that is set up is asked whether its credentials work.

    No check buys anything. What goes wrong with one is told with it. Raises SettingsError for a list that names none.
    """
    listed = wiring.settings.lookup.providers
    return [_look_at(wiring, plugin, listed, check=check) for plugin in lookup_plugins().values()]


def _look_at(wiring: Wiring, plugin: LookupPlugin, listed: Sequence[str], *, check: bool) -> ProviderState:
    settings: Any = wiring.settings.connectors[plugin.name]
    place = listed.index(plugin.name) + 1 if plugin.name in listed else None
    configured = plugin.configured(settings)
    state = ProviderState(plugin, configured, place, settings.price)
    if not (check and configured):
        return state
    try:
        with closing(wiring.lookup(plugin.name)) as lookup:
            said = lookup.check() or "ok"
    except RingfenceError as error:
        return ProviderState(plugin, configured, place, settings.price, str(error), error.exit_code)
    return ProviderState(plugin, configured, place, settings.price, said)


def export_numbers(wiring: Wiring, name: str, target: Path, *, force: bool = False) -> int:
    """Write the numbers that wait for a provider's answers, one E.164 a line; return how many.

    Raises UsageError for a provider that takes no orders, and FileError.
    """
    with closing(wiring.lookup(name)) as lookup, closing(wiring.open_state()) as store:
        _refuse_unordered(lookup)
        cache = LookupCache(store, new_run_id(wiring.clock.now()))
        numbers = sorted({number for order in cache.open_orders(lookup.realm) for number in order.numbers})
        with new_text_file(target, force=force) as file:
            file.writelines(f"{number}\n" for number in numbers)
    return len(numbers)


def _refuse_unordered(lookup: Lookup) -> None:
    if not isinstance(lookup, OrderingLookup) or lookup.waits_s > 0:
        raise UsageError(
            f"{lookup.name} answers by itself: nothing waits for a file.",
            "Files are for providers without an API, such as itg.",
        )


@dataclass(slots=True)
class ImportedAnswers:
    """What a file of answers held: ``rows`` is the sum of the counts behind it."""

    rows: int = 0
    taken: int = 0
    known: int = 0  # taken before
    not_asked: int = 0
    unreadable: int = 0
    unknown: int = 0  # of a word that the profile does not have: their numbers go on waiting
    unknown_values: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        counts = {
            name: getattr(self, name) for name in ("rows", "taken", "known", "not_asked", "unreadable", "unknown")
        }
        return {**counts, "unknown_values": dict(self.unknown_values.most_common())}


def import_answers(wiring: Wiring, file: Path, profile_name: str) -> ImportedAnswers:
    """Join the answers of a file to the numbers that wait for them; the next sync uses them.

    Numbers that nobody asked about are counted and left, and those of an unknown word go on waiting, so that a mended
    profile takes them. A file that is imported again changes nothing, and one whose
    import was cut off goes on where it was. Raises FileError, MappingError, SettingsError or UsageError.
    """
    profile = find_profile(wiring.settings.mappings, profile_name)
    done = ImportedAnswers()
    with closing(wiring.lookup(profile.provider)) as lookup, closing(wiring.open_state()) as store:
        _refuse_unordered(lookup)
        watch = DoubtWatch(store.keyring, ledger_of(wiring), wiring.policy().unreachable)
        cache = LookupCache(store, new_run_id(wiring.clock.now()), watch=watch)
        rows = read_answers(file, profile)
        while some := list(islice(rows, _CHUNK)):
            _take(wiring, cache, lookup, profile, some, done)
    return done


def _take(
    wiring: Wiring,
    cache: LookupCache,
    lookup: Lookup,
    profile: FileProfile,
    rows: Sequence[FileAnswer],
    done: ImportedAnswers,
) -> None:
    now = whole_seconds(wiring.clock.now())
    words: dict[str, str] = {}
    for row in rows:
        done.rows += 1
        number = _read(row.number)
        if number is None:
            done.unreadable += 1
        elif number in words:
            done.known += 1
        else:
            words[number] = row.word

    taken: list[Answer] = []
    found = cache.find(words.keys(), [lookup.realm], _EVER, now)
    for number, word in words.items():
        kinds = {kept.answer.kind for kept in found.get(number, ())}
        if AnswerKind.PENDING in kinds:
            answer = _answer(number, word, profile, now)
            done.unknown_values.update(value for _, value in answer.unrecognised)
            if answer.unrecognised:
                done.unknown += 1
                continue
            taken.append(answer)
        elif kinds:
            done.known += 1
        else:
            done.not_asked += 1

    cache.record_answers(lookup.realm, taken)
    done.taken += len(taken)


def _answer(number: str, word: str, profile: FileProfile, now: datetime) -> Answer:
    return to_answer(number, read_word(word, profile), now)


def _read(text: str) -> str | None:
    """Return the number of a row as E.164; platforms leave the plus out."""
    digits = text.strip().removeprefix("'")
    number = read_number(digits if digits.startswith("+") else f"+{digits}", None)
    return number.e164 if number.validity is Validity.VALID else None


def find_profile(mappings: Path | None, name: str) -> FileProfile:
    """Return a profile by its name: the user's in RINGFENCE_MAPPINGS, else a shipped one. Raises UsageError."""
    own = mappings / "profiles" / f"{name}.yaml" if mappings else None
    if own is not None and own.is_file():
        try:
            return parse_profile(own.read_text("utf-8"), str(own))
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"The profile {own} cannot be read.", "Check its rights and encoding.") from error

    shipped = resources.files("ringfence.mappings").joinpath("profiles")
    names = {file.name.removesuffix(".yaml") for file in shipped.iterdir() if file.name.endswith(".yaml")}
    names |= set(_own_names(mappings))
    if name not in names:
        raise UsageError(
            f"There is no profile {name!r}{did_you_mean(name, names)}.", f"There are: {', '.join(sorted(names))}."
        )
    return parse_profile(shipped.joinpath(f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")


def _own_names(mappings: Path | None) -> Iterator[str]:
    for file in sorted((mappings / "profiles").glob("*.yaml")) if mappings else ():
        yield file.stem


def exit_code_of(states: Sequence[ProviderState]) -> int:
    """Return the worst exit code of the checks: refused credentials before what passes by itself."""
    met = {state.exit_code for state in states}
    return next((code for code in (3, 4, *sorted(met - {0, 3, 4})) if code in met), 0)
