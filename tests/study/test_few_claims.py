"""A few claims of the library run as they are, on the quick tissue for two days: the rest takes hours (`oncarium
claims`)."""

from oncarium.study.claims import FEW, LIBRARY, few, profiles, read_claim
from oncarium.study.protocol import run_claims
from oncarium.study.verdicts import CONTRADICTED, FAILED


def test_what_comes_out_in_a_week_begins_within_two_days(tmp_path):
    claims = [read_claim(LIBRARY / "claims" / f"{name}.yaml") for name in FEW]
    outcomes = run_claims(claims, tmp_path, profile=few(profiles()["quick"]), workers=2)
    for outcome in outcomes:
        assert outcome.n == 3 and not outcome.error, (outcome.claim.id, outcome.error)
        assert outcome.verdict not in (CONTRADICTED, FAILED), (outcome.claim.id, outcome.verdict, outcome.judged)
        state = outcome.judged["state"]
        assert state.readout.sign * state.main.value > 0.0, (outcome.claim.id, state)
