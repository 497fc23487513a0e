"""Doses in the words people use, and the one table that they come to.

`read_doses` reads lines ("pembrolizumab 200 mg every 3 weeks from day 14"), groups of YAML, and files: YAML, lines of
text, tables of NONMEM or mrgsolve, tables of SimBiology. What it gives is a `Regimen` of `Course`s, which
`doses(until)` turns into single `Dose`s; amounts become nmol by `Doses.resolved`, and rules such as "hold while
neutrophils < 1" are followed by a `Watch`.
"""

from .conditions import Condition as Condition
from .conditions import Rule as Rule
from .conditions import Watch as Watch
from .conditions import problems_of as problems_of
from .course import Course as Course
from .course import Regimen as Regimen
from .dose import Dose as Dose
from .dose import Doses as Doses
from .dose import differ as differ
from .nonmem import Nonmem as Nonmem
from .nonmem import nonmem as nonmem
from .nonmem import read_nonmem as read_nonmem
from .read import check_regimen as check_regimen
from .read import read_doses as read_doses
from .read import regimen_of as regimen_of
from .say import english as english
from .say import yaml as yaml
from .simbiology import read_simbiology as read_simbiology
from .simbiology import simbiology as simbiology
