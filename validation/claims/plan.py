"""How many runs the library's claims need, and how long they take: a table for README.md.

python validation/claims/plan.py
"""

from collections import Counter, defaultdict

from oncarium.study.claims import library, profiles, read_claim

SECONDS = {
    "bulk": 20.7,
    "front": 22.9,
    "take": 9.4,
    "reference": 15.3,
    "inflamed": 7.2,
}  # of one core, warm: one run each
SEEDS, BUDGET = 3, 720

if __name__ == "__main__":
    seen: set[tuple[str, str]] = set()
    arms, asked, own, until = Counter(), Counter(), defaultdict(list), {}
    for claim in map(read_claim, library()):
        until[claim.tissue] = claim.until
        before = len(seen)
        models = claim.arms(profiles()["quick"].of(claim)).values()
        seen |= {(m.digest, claim.until) for m in models}
        asked[claim.tissue] += len(models)
        arms[claim.tissue] += len(seen) - before
        own[claim.tissue].append(claim.id)
    print("| tissue | until | claims | arms asked for | distinct arms | runs of three seeds | core-s a run | core-h |")
    print("|---|---|---|---|---|---|---|---|")
    for tissue, n in arms.items():
        runs, seconds = SEEDS * n, SECONDS[tissue]
        row = (tissue, until[tissue], len(own[tissue]), asked[tissue], n, runs, seconds, f"{runs * seconds / 3600:.2f}")
        print("| " + " | ".join(map(str, row)) + " |")
    runs = SEEDS * sum(arms.values())
    hours = sum(SEEDS * n * SECONDS[t] for t, n in arms.items()) / 3600.0
    most = hours + (BUDGET - runs) * max(SECONDS.values()) / 3600.0
    print(f"\n{runs} runs at first, {BUDGET - runs} more where they may change a verdict:", end=" ")
    print(f"{hours:.1f} to {most:.1f} core-hours.")
