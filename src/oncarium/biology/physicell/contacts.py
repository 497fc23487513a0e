"""Attachments and contacts one cell after another in the order of ids, each seeing what those before it have done.

These are Springs and Contacts with PhysiCell's bookkeeping: chances are rate times dt, the dead hold on too, an
attachment that ends gives its place to the last one held, an attack is held by an attachment, and a cell may engulf,
attack and fuse in the same step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.process import Tick
from ...engine.random import pair, uniform
from ...engine.tissue import Tissue
from ..contacts import Contacts
from ..mechanics import Neighborhood
from ..outside import free
from ..rates import NO_SHIELD, Rates
from ..springs import Springs, held_by, join, release, release_all, row_with, rows_by_id, touch
from ..vital import APOPTOTIC, LIVE, who

GONE = 1e-15  # um^3: a cell this small has been engulfed or fused
INSTANT = 1e-15  # min, so that an attack without duration ends at once
ENGULFED, ATTACKED, FUSED, ENDED = 0, 1, 2, 3


class Bonding(NamedTuple):
    """How cells attach: affinity (cell, type), attachment and
    detachment 1/min, largest number of attachments (cell)."""

    affinity: np.ndarray
    attachment: np.ndarray
    detachment: np.ndarray
    maximum: np.ndarray


class Attacks(NamedTuple):
    """Attacks, each (cell): mean duration (min) and damage per min of an attacker, the id it attacks or -1, what it has
    delivered; damage of a victim, and how long it has been attacked (min)."""

    duration: np.ndarray
    damage_rate: np.ndarray
    target: np.ndarray
    delivered: np.ndarray
    damage: np.ndarray
    attacked: np.ndarray


class Volumes(NamedTuple):
    """Volumes, um^3, and radius, um; each (cell)."""

    fluid: np.ndarray
    cytoplasm: np.ndarray
    nuclear_solid: np.ndarray
    nuclear: np.ndarray
    target_nuclear: np.ndarray
    total: np.ndarray
    radius: np.ndarray


@njit(cache=True, nogil=True)
def attach_and_detach(firing, order, ids, keys, kind, free, place, rates, partner):
    """One step of every cell's attachments; arguments as in springs.attach, free (cell): looks around at all."""
    seed, stream, tick, dt, _ = firing
    position, reach, first, near = place
    affinity, attachment, detachment, maximum = rates
    row_of, first_id = rows_by_id(ids)
    for i in order:
        p = detachment[i] * dt
        b = 0
        while p > 0.0 and b < held_by(partner, i):
            other = partner[i, b]
            j = row_with(other, row_of, first_id)
            if uniform(seed, stream, tick, pair(keys[i], keys[j] if j >= 0 else other), 0) <= p:
                release(partner, i, other)
                if j >= 0:
                    release(partner, j, ids[i])
            b += 1
        if attachment[i] <= 0.0 or free[i] <= 0.5 or held_by(partner, i) >= int(maximum[i]):
            continue
        for m in range(first[i], first[i + 1]):
            j = near[m]
            if held_by(partner, j) >= int(maximum[j]) or not touch(position, reach, i, j):
                continue
            if uniform(seed, stream, tick, pair(keys[i], keys[j]), 1) <= attachment[i] * dt * affinity[i, kind[j]]:
                join(partner, ids, i, j)
                if held_by(partner, i) >= int(maximum[i]):
                    break


class SpringsInOrder(Springs):
    """Attachments of all cells, one after another."""

    words = ("springs", *Contacts.words)  # an attack is held by an attachment

    @property
    def name(self) -> str:
        """As the mechanism whose place it takes."""
        return "Springs"

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if not (cells.base["springs.active"] > 0.5).any():
            return
        partner = cells["springs.partner"]
        attachment = cells["springs.attachment"]
        if not attachment.any() and not (cells["springs.detachment"].any() and (partner[:, 0] >= 0).any()):
            return
        rates = Bonding(cells["mechanics.affinity"], attachment, cells["springs.detachment"], cells["springs.maximum"])
        place = Neighborhood.of(tissue, self.mechanics)
        attach_and_detach(
            self.firing(tick), cells.order(), cells.id, cells.key, cells.type, free(cells), place, rates, partner
        )


@njit(cache=True, nogil=True)
def _takes_in(i, j, fluid, cytoplasm, nuclear_solid, total, radius):
    """Total and radius of i from its parts, after it took in j, which is nothing from now on."""
    fluid[j] = cytoplasm[j] = nuclear_solid[j] = total[j] = radius[j] = 0.0
    total[i] = fluid[i] + cytoplasm[i] + nuclear_solid[i]
    radius[i] = (total[i] * (3.0 / (4.0 * np.pi))) ** (1.0 / 3.0)


@njit(cache=True, nogil=True)
def _restless(i, apoptotic, necrotic, live, attack, fusion):
    """Whether cell i may do anything to a neighbor."""
    if apoptotic[i] > 0.0 or necrotic[i] > 0.0:
        return True
    for t in range(live.shape[1]):
        if live[i, t] > 0.0 or attack[i, t] > 0.0 or fusion[i, t] > 0.0:
            return True
    return False


@njit(cache=True, nogil=True)
def interact(firing, order, who, free, place, seen, rates, attacks, nuclei, partner, volumes, events):
    """What every live cell does to its neighbors; arguments as in contacts.choose.

    seen (cell, xyz) um: places at the start of the step, where neighbors are looked for; position moves when cells
    fuse. partner (cell, bond), of no bonds in models without springs.
    events (event, 3): code, row of the actor, row of the other; returns how many.
    """
    seed, stream, tick, dt, _ = firing
    ids, keys, kind, vital = who
    position, reach, first, near = place
    apoptotic, necrotic, immunogenicity = rates.apoptotic, rates.necrotic, rates.immunogenicity
    live, attack, fusion = rates.live.rate, rates.attack.rate, rates.fusion.rate  # of all types
    duration, damage_rate, target, delivered, damage, attacked = attacks
    fluid, cytoplasm, nuclear_solid, nuclear, target_nuclear, total, radius = volumes
    row_of, first_id = rows_by_id(ids)
    gone = np.zeros(ids.shape[0], np.bool_)
    count = 0
    for i in order:
        if vital[i] != LIVE or gone[i]:
            continue
        ate = began = fused = False
        if free[i] > 0.5 and _restless(i, apoptotic, necrotic, live, attack, fusion):
            for m in range(first[i], first[i + 1]):
                j = near[m]
                if not touch(seen, reach, i, j):
                    continue
                if gone[j] or total[j] < GONE:
                    break  # PhysiCell looks no further
                t = kind[j]
                both = pair(keys[i], keys[j])
                eats = False
                if vital[j] != LIVE:
                    rate = apoptotic[i] if vital[j] == APOPTOTIC else necrotic[i]
                    eats = not ate and rate > 0.0 and uniform(seed, stream, tick, both, 0) < rate * dt
                else:
                    rate = live[i, t]
                    eats = not ate and rate > 0.0 and uniform(seed, stream, tick, both, 1) < rate * dt
                if eats:
                    ate = True
                    fluid[i] += fluid[j]
                    cytoplasm[i] += cytoplasm[j] + nuclear_solid[j]
                    _takes_in(i, j, fluid, cytoplasm, nuclear_solid, total, radius)
                    release_all(partner, j, ids[j], row_of, first_id)
                    gone[j] = True
                    events[count, 0], events[count, 1], events[count, 2] = ENGULFED, i, j
                    count += 1
                if vital[j] != LIVE:
                    continue
                if not began and target[i] < 0 and attack[i, t] > 0.0:
                    if uniform(seed, stream, tick, both, 2) < attack[i, t] * immunogenicity[j, kind[i]] * dt:
                        began = True
                        target[i] = ids[j]
                        join(partner, ids, i, j)
                        events[count, 0], events[count, 1], events[count, 2] = ATTACKED, i, j
                        count += 1
                if (
                    not fused
                    and not gone[j]
                    and fusion[i, t] > 0.0
                    and uniform(seed, stream, tick, both, 3) < fusion[i, t] * dt
                ):
                    fused = True
                    for x in range(3):
                        position[i, x] = (total[i] * position[i, x] + total[j] * position[j, x]) / (total[i] + total[j])
                    fluid[i] += fluid[j]
                    cytoplasm[i] += cytoplasm[j]
                    nuclear_solid[i] += nuclear_solid[j]
                    nuclear[i] += nuclear[j]
                    target_nuclear[i] += target_nuclear[j]
                    if nuclei.shape[0] > 0:
                        nuclei[i] += nuclei[j]
                    _takes_in(i, j, fluid, cytoplasm, nuclear_solid, total, radius)
                    release_all(partner, j, ids[j], row_of, first_id)
                    gone[j] = True
                    events[count, 0], events[count, 1], events[count, 2] = FUSED, i, j
                    count += 1
        if target[i] < 0:
            continue
        j = row_with(target[i], row_of, first_id)
        over = j < 0 or gone[j] or vital[j] != LIVE
        if not over:
            damage[j] += damage_rate[i] * dt
            attacked[j] += dt
            delivered[i] += damage_rate[i] * dt
            over = uniform(seed, stream, tick, keys[i], 1) < dt / (INSTANT + duration[i])
        if over:
            release(partner, i, target[i])
            if j >= 0:
                release(partner, j, ids[i])
            target[i] = -1
    return count


class ContactsInOrder(Contacts):
    """Phagocytosis, attack and fusion, one cell after another."""

    requires = ("attack.delivered",)

    @property
    def name(self) -> str:
        """As the mechanism whose place it takes."""
        return "Contacts"

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if cells.n == 0:
            return
        events = np.empty((3 * cells.n, 3), np.int64)
        partner = cells["springs.partner"] if "springs.partner" in cells else np.empty((0, 0), np.int64)
        nuclei = cells["fusion.nuclei"] if "fusion.nuclei" in cells else np.empty(0)
        columns = [f"attack.{k}" for k in ("duration", "damage_rate", "target", "delivered")]
        attacks = Attacks(*(cells[name] for name in (*columns, "damage.level", "sense.attacked")))
        parts = ("fluid", "cytoplasm_solid", "nuclear_solid", "nuclear", "target_nuclear", "total")
        volumes = Volumes(*(cells[name] for name in (*(f"volume.{k}" for k in parts), "radius")))
        around, rates = Neighborhood.of(tissue, self.mechanics), Rates.of(cells, NO_SHIELD)
        actors = (self.firing(tick), cells.order(), who(cells), free(cells), around, cells.position.copy())
        count = interact(*actors, rates, attacks, nuclei, partner, volumes, events)
        gone = []
        for code, i, j in events[:count]:
            if code == ATTACKED:
                tissue.population.log(tick.time, cells.id[[j]], "attack", int(cells.id[i]))
                continue
            self.pass_on(cells, i, j, engulfed=code == ENGULFED)
            gone.append(j)
            tissue.population.log(
                tick.time, cells.id[[j]], "phagocytosis" if code == ENGULFED else "fusion", int(cells.id[i])
            )
        tissue.population.remove(np.array(sorted(gone), np.int64))
