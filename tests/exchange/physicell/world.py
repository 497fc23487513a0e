"""A small tissue with two types, two factors, rules, death, attack and springs, and what it leaves."""

from __future__ import annotations

import oncarium as oc

TEXT = """
oncarium: 1
title: Two types
domain: {x: [-100 um, 100 um], y: [-80 um, 80 um], voxel: 20 um}
until: 2 h
record: {cells: 30 min, fields: 30 min}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
  signal: {unit: "1", diffusion: 1000 um^2/min assumed, decay: 0.1 1/min assumed}
cells:
  tumor:
    cycle: {model: flow_cytometry, exit: {G0G1: 0.03 1/min assumed, S: 0.02 1/min assumed, G2M: 0.03 1/min assumed}}
    death: {apoptosis: 0.001 1/min assumed, necrosis: 0.002 1/min assumed}
    secretion: {uptake: {oxygen: 10 1/min assumed}, approach: {signal: 5 1/min assumed}, target: {signal: 2 assumed}}
    rules: ["oxygen decreases death.necrosis to 0 1/min, half 20 mmHg, hill 4 assumed"]
  t cell:
    motility: {speed: 1 um/min assumed, persistence: 5 min assumed, bias: 0.5 assumed, sensitivity: {signal: 1 assumed}}
    attack: {rate: {tumor: 0.2 1/min assumed}, duration: 20 min assumed}
    springs: {attachment: 0.05 1/min assumed, detachment: 0.01 1/min assumed}
initial:
  - {cells: tumor, disc: {radius: 50 um}, packing: hexagonal, spacing: 16 um}
  - {cells: t cell, disc: {radius: 70 um}, count: 12}
"""


def model() -> oc.Model:
    return oc.Model.from_text(TEXT)
