"""A few claims of the library run as they are, on the quick tissue for three days: the rest takes an hour (`oncarium
claims`)."""

from dataclasses import replace

from oncarium.study.claims import LIBRARY, profiles, read_claim
from oncarium.study.verdicts import SUPPORTED, WEAK, run_claims

FEW = ("C19", "C23")  # the niche holds back p53; monocytes come by CCL2


def test_what_comes_out_in_a_week_shows_within_three_days(tmp_path):
    claims = [read_claim(LIBRARY / "claims" / f"{name}.yaml") for name in FEW]
    outcomes = run_claims(claims, tmp_path, profile=replace(profiles()["quick"], until="3 day"), seeds=2, workers=2)
    for outcome in outcomes:
        assert outcome.verdict in (SUPPORTED, WEAK), (
            outcome.claim.id,
            outcome.verdict,
            outcome.effects[0],
            outcome.off[0],
            outcome.error,
        )
        assert len(outcome.effects[0].control) == 2
