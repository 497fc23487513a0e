"""Tags of a cell definition, the columns they are here, and what stands where a tag is absent."""

from __future__ import annotations

CYCLES = {
    0: "ki67_advanced",
    1: "ki67_basic",
    2: "flow_cytometry",
    3: "live",
    4: "live",
    5: "live",
    6: "flow_cytometry_separated",
    7: "cycling_quiescent",
}
CYCLE_NAMES = {
    "ki67 (advanced)": 0, "advanced ki67": 0, "ki67 (basic)": 1, "basic ki67": 1, "flow cytometry model (basic)": 2,
    "live/apoptotic": 3, "total cells": 4, "live": 5, "live cells": 5, "flow cytometry model (separated)": 6,
    "cycling-quiescent model": 7, "cycling-quiescent": 7,
}  # fmt: skip
DEATHS = {100: "apoptosis", 101: "necrosis", 102: "autophagy"}
VOLUME = {
    "total": "volume.total",
    "fluid_fraction": "volume.fluid_fraction",
    "nuclear": "volume.nuclear",
    "fluid_change_rate": "volume.fluid_change",
    "cytoplasmic_biomass_change_rate": "volume.cytoplasm_change",
    "nuclear_biomass_change_rate": "volume.nucleus_change",
    "calcified_fraction": "volume.calcified_fraction",
    "calcification_rate": "volume.calcification",
    "relative_rupture_volume": "volume.rupture",
}
MECHANICS = {
    "cell_cell_adhesion_strength": "mechanics.adhesion",
    "cell_cell_repulsion_strength": "mechanics.repulsion",
    "cell_BM_adhesion_strength": "mechanics.membrane_adhesion",
    "cell_BM_repulsion_strength": "mechanics.membrane_repulsion",
    "relative_maximum_adhesion_distance": "mechanics.adhesion_distance",
    "attachment_elastic_constant": "springs.elastic",
    "attachment_rate": "springs.attachment",
    "detachment_rate": "springs.detachment",
    "maximum_number_of_attachments": "springs.maximum",
}
MOTILITY = {"speed": "motility.speed", "persistence_time": "motility.persistence", "migration_bias": "motility.bias"}
SECRETION = {
    "secretion_rate": "secretion.approach",
    "secretion_target": "secretion.target",
    "uptake_rate": "secretion.uptake",
    "net_export_rate": "secretion.rate",
}
DEAD_PARTS = {
    "apoptosis": {
        "unlysed_fluid_change_rate": "apoptosis.fluid_change",
        "lysed_fluid_change_rate": "",  # an apoptotic cell never lyses
        "cytoplasmic_biomass_change_rate": "apoptosis.cytoplasm_change",
        "nuclear_biomass_change_rate": "apoptosis.nucleus_change",
        "calcification_rate": "apoptosis.calcification",
        "relative_rupture_volume": "apoptosis.rupture",
    },
    "necrosis": {
        "unlysed_fluid_change_rate": "necrosis.swelling",
        "lysed_fluid_change_rate": "necrosis.fluid_change",
        "cytoplasmic_biomass_change_rate": "necrosis.cytoplasm_change",
        "nuclear_biomass_change_rate": "necrosis.nucleus_change",
        "calcification_rate": "necrosis.calcification",
        "relative_rupture_volume": "necrosis.rupture",
    },
}
# what a death model of definition 0 has where its XML says nothing (other definitions inherit)
DEAD_DEFAULTS = {
    "unlysed_fluid_change_rate": 3.0 / 60.0,
    "lysed_fluid_change_rate": 0.05 / 60.0,
    "cytoplasmic_biomass_change_rate": 1.0 / 60.0,
    "nuclear_biomass_change_rate": 0.35 / 60.0,
    "calcification_rate": 0.0,
    "relative_rupture_volume": 2.0,
}
# what definition 0 has where it differs from our own defaults
BUILT_IN = {"motility.speed": 1.0, "motility.persistence": 1.0, "motility.bias": 0.0, "motility.active": 0.0,
            "motility.advanced": 2.0, "attack.duration": 30.0, "attack.damage_rate": 1.0,
            "mechanics.membrane_adhesion": 4.0, "mechanics.membrane_repulsion": 100.0}  # fmt: skip
# what a definition that names no parent does not take over from definition 0
ZEROED = ("motility.active", "motility.sensitivity", "motility.advanced", "secretion.approach", "secretion.target",
          "secretion.uptake", "secretion.rate", "phagocytosis.apoptotic", "phagocytosis.necrotic",
          "phagocytosis.other_dead", "phagocytosis.live", "attack.rate", "fusion.rate", "transformation.rate",
          "division.asymmetric")  # fmt: skip
ATTACK_DURATION = 0.1  # min, of the template of 1.14, for files from before it
KINDS = {
    "uniform": ("uniform", ("min", "max")),
    "loguniform": ("loguniform", ("min", "max")),
    "normal": ("normal", ("mu", "sigma")),
    "lognormal": ("lognormal", ("mu", "sigma")),
    "log10normal": ("log10normal", ("mu", "sigma")),
}
