"""Why a number has its verdict, from the answers on record and what keeps it silent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ringfence.core.decisions.explaining import OWED, PLAN, Said, explain
from ringfence.core.model.answers import Answer, AnswerKind
from ringfence.core.model.axes import Carrier, Evidence, LineState, Reassigned, Reassignment
from ringfence.core.model.verdicts import OptOut, offline_facts, with_answer, with_opt_out
from ringfence.core.numbers import LineType, Validity, read_number

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
NUMBER = read_number("+1 415 555 0132", None)
E164 = "+14155550132"
CARRIER = Carrier("Acme", "310", "410")


def answer(line: str | None = "active", evidence: Evidence | None = Evidence.LIVE_NETWORK, **more: object) -> Answer:
    kind = AnswerKind.KNOWN if line else AnswerKind.INCONCLUSIVE
    at = NOW - timedelta(days=2)
    return Answer(E164, kind, at, Validity.VALID, line=line, evidence=evidence, **more)  # type: ignore[arg-type]


def test_the_axes_are_those_of_the_answer_that_decides_and_every_source_is_named() -> None:
    live, weak = answer(carrier=CARRIER, product="line status"), answer(None, Evidence.NUMBERING_PLAN)
    facts = with_answer(offline_facts(NUMBER, NOW), live, "twilio")

    told = explain(NUMBER, facts, [("numverify", weak), ("twilio", live)], [], NOW, 0.017)

    assert (told.axes["line_state"], told.axes["evidence"]) == ("active", "live_network")
    assert told.axes["carrier"] == {"name": "Acme", "mcc": "310", "mnc": "410"}
    assert told.axes["provenance"]["source"] == "twilio"
    assert [each.source for each in told.evidence] == ["numverify", "twilio", PLAN]
    assert "strongest evidence" in told.rule
    assert told.cost == 0.017


def test_an_owed_lookup_an_opt_out_and_a_reassignment_are_explained_as_such() -> None:
    offline = offline_facts(NUMBER, NOW)
    block = Said("person entry", "do not call", NOW, "registry")
    gone = answer(reassigned=Reassignment(Reassigned.YES, date(2025, 1, 1)))

    owed = explain(NUMBER, None, [], [], NOW, 0)
    silent = explain(NUMBER, with_opt_out(offline, OptOut.OWN, NOW), [], [block], NOW, 0)
    somebody_else = explain(NUMBER, with_answer(offline, gone, "twilio"), [("twilio", gone)], [], NOW, 0)

    assert owed.axes["outcome"] == OWED
    assert block in silent.evidence
    assert "suppress lift" in " ".join(silent.would_change)
    assert somebody_else.axes["reassigned"] == {"answer": "yes", "since": "2025-01-01"}
    assert "Whose number" in somebody_else.rule


@given(
    st.sampled_from([None, *(str(state) for state in LineState)]),
    st.sampled_from([None, *Evidence]),
    st.sampled_from(Validity),
    st.sampled_from([None, *(str(each) for each in LineType)]),
    st.sampled_from(AnswerKind),
)
def test_whatever_was_answered_can_be_explained_as_json_without_a_number(
    line: str | None, evidence: Evidence | None, validity: Validity, line_type: str | None, kind: AnswerKind
) -> None:
    said = Answer(E164, kind, NOW, validity, line=line, line_type=line_type, evidence=evidence)
    facts = with_answer(offline_facts(NUMBER, NOW), said, "twilio")

    told = explain(NUMBER, facts, [("twilio", said)], [], NOW, 0).to_json()

    text = json.dumps(told)
    assert told["rule"].endswith(".")
    assert told["would_change"]
    assert "5550132" not in text
