"""The bibliography: keys to BibTeX entries."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent / "library" / "sources.bib"
ENTRY = re.compile(r"^@(\w+)\{([^,\s]+),(.*?)^\}", re.M | re.S)


@lru_cache(maxsize=8)
def bibliography(path: Path = LIBRARY) -> dict[str, str]:
    """Key -> BibTeX entry of a .bib file; an entry starts with @type{key, and ends with } on a line of its own."""
    text = path.read_text(encoding="utf-8")
    return {m.group(2): m.group(0) for m in ENTRY.finditer(text)}


def is_known(source: str) -> bool:
    """A key of the library, or a DOI ("doi:10....")."""
    return source.startswith(("doi:10.", "10.")) or source in bibliography()


def bibtex(source: str) -> str:
    """The entry of a key; a DOI becomes a minimal entry of its own."""
    if source.startswith(("doi:", "10.")):
        doi = source.removeprefix("doi:")
        return f"@misc{{{re.sub(r'[^A-Za-z0-9]', '_', doi)},\n  doi = {{{doi}}}\n}}"
    return bibliography()[source]
