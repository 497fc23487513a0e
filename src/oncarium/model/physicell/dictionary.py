"""PhysiCell's names of signals and behaviors, and the columns they are here."""

from __future__ import annotations

from collections.abc import Sequence

Column = tuple[str, str | None]

BEHAVIORS: dict[str, tuple[str, ...]] = {
    "death.apoptosis": ("apoptosis",),
    "death.necrosis": ("necrosis",),
    "motility.speed": ("migration speed",),
    "motility.bias": ("migration bias",),
    "motility.persistence": ("migration persistence time",),
    "mechanics.adhesion": ("cell-cell adhesion",),
    "springs.elastic": ("cell-cell adhesion elastic constant",),
    "mechanics.adhesion_distance": ("relative maximum adhesion distance",),
    "mechanics.repulsion": ("cell-cell repulsion",),
    "mechanics.membrane_adhesion": ("cell-BM adhesion", "cell-membrane adhesion"),
    "mechanics.membrane_repulsion": ("cell-BM repulsion", "cell-membrane repulsion"),
    "phagocytosis.apoptotic": (
        "phagocytose apoptotic cell",
        "phagocytosis of apoptotic cell",
        "phagocytosis of apoptotic cells",
    ),
    "phagocytosis.necrotic": (
        "phagocytose necrotic cell",
        "phagocytosis of necrotic cell",
        "phagocytosis of necrotic cells",
    ),
    "phagocytosis.other_dead": (
        "phagocytose other dead cell",
        "phagocytosis of other dead cell",
        "phagocytosis of other dead cells",
    ),
    "mechanics.movable": ("is_movable", "movable", "is movable"),
    "springs.attachment": ("cell attachment rate",),
    "springs.detachment": ("cell detachment rate",),
    "springs.maximum": ("maximum number of cell attachments",),
    "attack.damage_rate": ("attack damage rate",),
    "attack.duration": ("attack duration",),
    "damage.rate": ("damage rate",),
    "damage.repair": ("damage repair rate",),
}
OF_FACTOR: dict[str, tuple[str, ...]] = {
    "secretion.approach": ("{} secretion",),
    "secretion.target": ("{} secretion target", "{} secretion saturation density"),
    "secretion.uptake": ("{} uptake",),
    "secretion.rate": ("{} export",),
    "motility.sensitivity": ("chemotactic response to {}", "chemotactic sensitivity to {}"),
}
OF_TYPE: dict[str, tuple[str, ...]] = {
    "mechanics.affinity": ("adhesive affinity to {}", "adhesive affinity to cell type #"),
    "phagocytosis.live": ("phagocytose {}", "phagocytose cell type #", "phagocytosis of {}", "phagocytosis of #"),
    "attack.rate": ("attack {}", "attack cell type #"),
    "fusion.rate": ("fuse to {}", "fuse to cell type #"),
    "transformation.rate": (
        "transform to {}",
        "transition to {}",
        "transform to cell type #",
        "transition to cell type #",
    ),
    "division.asymmetric": ("asymmetric division to {}", "asymmetric division to cell type #"),
    "attack.immunogenicity": ("immunogenicity to {}", "immunogenicity to cell type #"),
}
PHASES = 6
SIGNALS: dict[str, tuple[str, ...]] = {
    "sense.pressure": ("pressure",),
    "volume.total": ("volume",),
    "sense.contact_live": ("contact with live cell", "contact with live cells"),
    "sense.contact_dead": ("contact with dead cell", "contact with dead cells"),
    "sense.contact_apoptotic": ("contact with apoptotic cell", "contact with apoptotic cells"),
    "sense.contact_necrotic": ("contact with necrotic cell", "contact with necrotic cells"),
    "sense.contact_other_dead": ("contact with other dead cell", "contact with other dead cells"),
    "sense.contact_membrane": ("contact with basement membrane", "contact with BM"),
    "damage.level": ("damage",),
    "attack.delivered": ("damage delivered", "total damage delivered"),
    "sense.attacking": ("attacking", "is attacking"),
    "sense.dead": ("dead", "is dead"),
    "sense.attacked": ("total attack time",),
    "sense.time": ("time", "current time", "global time"),
    "sense.apoptotic": ("apoptotic", "is_apoptotic"),
    "sense.necrotic": ("necrotic", "is_necrotic"),
}
SIGNALS_OF_FACTOR: dict[str, tuple[str, ...]] = {
    "sense.factor": ("{}",),
    "sense.intracellular": ("intracellular {}", "internalized {}"),
    "sense.gradient": ("{} gradient", "grad({})", "gradient of {}"),
}
ALWAYS_ZERO = ("sense.contact_other_dead", "sense.contact_membrane")  # nothing sets them in PhysiCell itself
# read as 0 by rules of 1.14.2
BROKEN_1_14_2 = ("sense.contact_apoptotic", "sense.contact_necrotic", "sense.contact_other_dead")


class Dictionary:
    """Every name and synonym -> (column, label); a cycle phase's label is its number, see `phase`.

    >>> words = Dictionary(["oxygen"], ["tumor", "T cell"])
    >>> words.behaviors["attack T cell"], words.behaviors["attack cell type 1"], words.signals["grad(oxygen)"]
    (('attack.rate', 'T cell'), ('attack.rate', 'T cell'), ('sense.gradient', 'oxygen'))
    >>> words.behavior_name("transformation.rate", "tumor")
    'transform to tumor'
    """

    def __init__(self, factors: Sequence[str], types: Sequence[str], custom: Sequence[str] = ()):
        self.behaviors: dict[str, Column] = {}
        self.signals: dict[str, Column] = {}
        for k in range(PHASES):
            self.behaviors[f"exit from cycle phase {k}"] = ("cycle.exit", str(k))
        self.behaviors["cycle entry"] = ("cycle.exit", "0")
        for words, plain, factorwise in (
            (self.behaviors, BEHAVIORS, OF_FACTOR),
            (self.signals, SIGNALS, SIGNALS_OF_FACTOR),
        ):
            for column, names in factorwise.items():
                words.update({n.format(f): (column, f) for f in factors for n in names})
            # a substrate may be named like a signal: the word is the signal's, as in PhysiCell
            for column, names in plain.items():
                words.update(dict.fromkeys(names, (column, None)))
        contact = {"sense.contact": ("contact with {}", "contact with cell type #")}
        for words, table in ((self.behaviors, OF_TYPE), (self.signals, contact)):
            for column, names in table.items():
                for k, t in enumerate(types):
                    for n in names:
                        words.setdefault(n.replace("#", str(k)).format(t) if "#" in n else n.format(t), (column, t))
        for k, c in enumerate(custom):
            for n in (f"custom:{c}", f"custom: {c}", f"custom {k}"):
                self.behaviors[n] = self.signals[n] = (f"custom.{c}", None)

    @staticmethod
    def taken(factors: Sequence[str]) -> list[str]:
        """Factors that are named like a signal, which the word means."""
        plain = {name for names in SIGNALS.values() for name in names}
        return [f for f in factors if f in plain]

    def behavior_name(self, column: str, label: str | None) -> str | None:
        """PhysiCell's first name of a behavior column."""
        return next((name for name, found in self.behaviors.items() if found == (column, label)), None)

    def signal_name(self, column: str, label: str | None) -> str | None:
        """PhysiCell's first name of a signal column."""
        return next((name for name, found in self.signals.items() if found == (column, label)), None)
