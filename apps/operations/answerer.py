"""What an open store knows of single numbers: rules, the ledger, and the facts on record, asked within milliseconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ringfence.core.errors import UsageError
from ringfence.core.evidence.history import NumberHistory
from ringfence.core.model.blocks import Block, Channel
from ringfence.core.model.verdicts import Facts, Verdict
from ringfence.core.numbers import Number, read_number, suggest_number
from ringfence.core.numbers.regions import read_region
from ringfence.core.screening.gateway import KnownAnswers
from ringfence.core.screening.prices import find_unpriced
from ringfence.core.screening.recalling import RecallingGateway
from ringfence.core.screening.routing import Routing
from ringfence.core.screening.screening import Question, Screening
from ringfence.core.state.cursors import list_org_keys
from ringfence.core.state.erased import find_erased, was_any_erased
from ringfence.core.state.lookup_cache import LookupCache, crm_realm
from ringfence.core.state.store import Store
from ringfence.core.suppression.expired_lists import ExpiredLists
from ringfence.core.suppression.question import SuppressionQuestion, ask_ledger, choose_blocked

from ..config_files import find_evidence_rules
from ..wiring import Wiring
from .lookups import open_lookups
from .number_answer import Known, NumberAnswer, all_keys, blocks_of, may_be_bought, word_answer
from .suppression import ledger_of

Cell = tuple[str, str | None]
"""A text, and the country of a national number by its code or a name; without one the default country counts."""

_AN_AMERICAN = "+12125550100"

STANDS_FOR_S = 1.0
"""For how many seconds it is believed which accounts and lists there are. Opt-outs are asked for each time."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about one number."""

    facts: Facts
    verdict: Verdict
    known: Known

    @property
    def number(self) -> Number:
        """Return the number that it is about."""
        return self.facts.number

    @property
    def is_wanted(self) -> bool:
        """Return whether a lookup would tell more."""
        return may_be_bought(self.facts, self.known)

    def answer(self, channel: Channel | None = None) -> NumberAnswer:
        """Return what a caller is told; see :func:`ringfence.apps.operations.number_answer.word_answer`."""
        return word_answer(self.facts, self.verdict, self.known, channel)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What seldom changes in a store: whose flags count, whose companions, which lists are too old, who was erased."""

    production: bool
    realms: Sequence[str]
    expired: ExpiredLists
    any_erased: bool


class Answerer:
    """Answers from what an open store holds, and buys nothing.

    It lives as long as the store, and reads policy and providers once, when it is made; it then raises the errors of
    the wiring. ``may_buy`` tells whether somebody who asks the providers without anybody there may do so: one is
    configured, a cap of the day is set, and where that is money, every price is known.
    """

    def __init__(self, wiring: Wiring, store: Store) -> None:
        with open_lookups(wiring.lookups()) as lookups:
            self._lookups = lookups  # whose answers on record count; they are asked nothing here
        self.policy = wiring.policy()
        self._rules = find_evidence_rules(wiring.settings.mappings)
        self._routing = Routing.of(self.policy, self._lookups)
        caps = wiring.settings.lookup.caps()
        agreed = caps.may_buy(agreed=True, unattended=True) and not find_unpriced(caps, lookups)
        self.may_buy = bool(lookups) and agreed
        self._default_region = wiring.settings.default_region
        self._clock = wiring.clock
        self._store = store
        self._ledger = ledger_of(wiring)
        self._standing: tuple[float, _Standing] | None = None

    def warm_up(self) -> None:
        """Read and make what the first answers would wait for: names of countries, tables of numbers, statements."""
        self.look([(_AN_AMERICAN, "no country"), ("", None)])

    def look(self, cells: Sequence[Cell], purpose: str | None = None, *, with_ledger: bool = True) -> list[Looked]:
        """Return what is known of the cells, in their order.

        ``with_ledger`` False leaves out who must not be contacted, for whoever must not be told that. A country that
        cannot be read is none, never the default one. With a ``purpose`` it is asked whether consent covers that.
        Raises StateError where the store does not work, and UsageError for an empty purpose.
        """
        if purpose is not None and not purpose.strip():
            raise UsageError(
                "The purpose is empty.", "Name one as the mapping does under `consent`, such as marketing."
            )
        numbers = [read_number(text, self._find_home(region)) for text, region in cells]
        with self._store.transaction() as connection:
            return self._look(self._store.within(connection), numbers, purpose, with_ledger=with_ledger)

    def _look(self, store: Store, numbers: Sequence[Number], purpose: str | None, *, with_ledger: bool) -> list[Looked]:
        standing = self._find_standing(store)
        question = SuppressionQuestion(store, self._ledger, self._clock, production=standing.production)
        found = {} if not with_ledger else question.find({key: None for number in numbers for key in all_keys(number)})
        certain = {number.e164 for number in numbers if number.e164} if standing.any_erased else ()
        erased = find_erased(store, certain)

        screening = self._make_screening(store, standing.realms, found, erased)
        facts = screening.screen(Question(number) for number in numbers)
        verdicts = screening.judge(facts)
        known = self._find_known(numbers, question, standing.expired, found, erased, purpose)
        return [
            Looked(told, verdicts[number], known[number]) for number in numbers if (told := facts[number]) is not None
        ]

    def suggest(self, text: str, region: str | None) -> str | None:
        """Return the likely correction of a text that is no number, in E.164; None where there is not exactly one."""
        return suggest_number(text, self._find_home(region))

    def list_realms(self) -> Sequence[str]:
        """Return the realms of the orgs whose own fresh companions count: those whose flags count too."""
        return self._find_standing(self._store).realms

    def _find_standing(self, store: Store) -> _Standing:
        """Return what seldom changes, read anew after a second: each part of it costs as much as the ledger's word."""
        now = self._clock.monotonic()
        if self._standing is None or now - self._standing[0] >= STANDS_FOR_S:
            self._standing = now, self._read_standing(store)
        return self._standing[1]

    def _read_standing(self, store: Store) -> _Standing:
        question = ask_ledger(store, self._ledger, self._clock, sandbox=False)
        keys = list_org_keys(store, self._ledger, production=question.production)
        return _Standing(
            question.production,
            [crm_realm(key) for key in keys],
            question.find_expired_lists(),
            was_any_erased(store),
        )

    def _find_home(self, region: str | None) -> str | None:
        return read_region(region) if region and region.strip() else self._default_region

    def _make_screening(
        self, store: Store, realms: Sequence[str], found: Mapping[str, Sequence[Block]], erased: Collection[str]
    ) -> Screening:
        """Return a screening that knows the ledger's word already, and asks no provider."""
        gateway = None
        if self._lookups:
            cache, max_age = LookupCache(store, ""), self.policy.max_age
            gateway = RecallingGateway(
                KnownAnswers(cache, self._lookups, max_age, realms, routing=self._routing),
            )
        return Screening(
            self._clock,
            lambda _numbers: choose_blocked(found, Channel.VOICE),
            gateway,
            lambda _numbers: erased,
            lambda _numbers: choose_blocked(found, Channel.SMS),
            likely=self.policy.likely,
            history=NumberHistory(store, self._ledger, self._rules, self.policy.max_age),
        )

    def _find_known(
        self,
        numbers: Sequence[Number],
        question: SuppressionQuestion,
        expired: ExpiredLists,
        found: Mapping[str, Sequence[Block]],
        erased: Collection[str],
        purpose: str | None,
    ) -> dict[Number, Known]:
        certain = {number.e164 for number in numbers if number.e164}
        consenting = question.find_consenting(certain, purpose) if purpose is not None else certain
        return {
            number: Known(
                blocks_of(number, found),
                expired.find_names(_regions(number)) if expired else (),
                consents=number.e164 in consenting or purpose is None,
                is_final=not self._lookups or number.e164 in erased,
            )
            for number in numbers
        }


def _regions(number: Number) -> list[str | None]:
    """Return the countries whose lists have to do with a number, and with what its text may be read as."""
    return [number.region, *(read_number(key, None).region for key in all_keys(number))]
