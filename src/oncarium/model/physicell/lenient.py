"""XML as the format's own parser takes it, made well-formed: line for line the same, so that places stay true.

That parser (pugixml) skips comments and instructions whatever stands in them, keeps an & that begins no entity, takes
the first of two attributes of one name, ignores text outside of the elements and name spaces. A document type is
refused: nothing of it is read or opened.
"""

from __future__ import annotations

import re

from ...errors import ModelError, Problem
from ..files import decode

NAME = r"[A-Za-z_:\u0080-\U0010ffff][A-Za-z0-9_:.\-\u0080-\U0010ffff]*"
VALUE = r"\"[^\"]*\"|'[^']*'"
PIECE = re.compile(
    rf"(?P<skipped><\?.*?\?>|<!--.*?-->)|(?P<raw><!\[CDATA\[.*?\]\]>)|(?P<type><!(?:DOCTYPE|ENTITY)\b)"
    rf"|<(?P<close>/?)(?P<name>{NAME})(?P<attributes>(?:\s+{NAME}\s*=\s*(?:{VALUE}))*)\s*(?P<empty>/?)>|(?P<text>[^<]+)|(?P<rest><)",
    re.S,
)
ATTRIBUTE = re.compile(rf"\s+({NAME})\s*=\s*({VALUE})", re.S)
BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)")
LATIN = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"'](iso-8859-1|latin-?1|windows-1252|cp1252)[\"']", re.I)


def decode_xml(data: bytes, name: str) -> str:
    """Text of a file: UTF-8 unless it says otherwise."""
    said = LATIN.match(data[:400])
    return decode(data.decode(said[1].decode(), "replace").encode() if said else data, name)


def well_formed(text: str, name: str, root: str) -> tuple[str, list[Problem]]:
    """The text as well-formed XML, and what was not taken literally. Raises ModelError at a document type.

    root   the element that is read where several stand side by side

    >>> well_formed("<a b='1' b='2'>x & y<!-- -- --></a>", "x.xml", "a")[0]
    "<a b='1'>x &amp; y </a>"
    """
    problems: list[Problem] = []
    pieces: list[tuple[str, int]] = []  # with the number of the outermost element
    tops: list[str] = []
    depth, line, bare = 0, 1, []

    def tell(message: str, severity: str = "warning") -> None:
        problems.append(Problem(f"{name}:{line}", "", message, severity=severity))

    for m in PIECE.finditer(text):
        piece = m[0]
        if m["type"]:
            said = f"it declares a {piece[2:]}; nothing of it was read or opened."
            raise ModelError(
                Problem(f"{name}:{line}", "", said, "Settings have no DTD and no entities.", "Remove the declaration.")
            )
        if m["skipped"]:
            piece = " " + "\n" * piece.count("\n") if pieces else "\n" * piece.count("\n")
        elif m["name"]:
            if not m["close"] and not depth:
                tops.append(m["name"])
            attributes, seen = [], set()
            for a in ATTRIBUTE.finditer(m["attributes"]):
                key, value = a[1], a[2]
                if key in seen:
                    tell(f"the attribute {key} stands twice in <{m['name']}>; the first counts.")
                elif key.partition(":")[0] != "xmlns":
                    attributes.append(
                        a[0].replace(key, key.replace(":", "_"), 1)[: -len(value)] + value.replace("<", "&lt;")
                    )
                    bare += [line] * len(BARE.findall(value))
                seen.add(key)
            piece = f"<{m['close']}{m['name'].replace(':', '_')}{BARE.sub('&amp;', ''.join(attributes))}{m['empty']}>"
            piece += "\n" * (m[0].count("\n") - piece.count("\n"))
            if not m["empty"]:
                depth += -1 if m["close"] else 1
        elif m["text"] and depth <= 0 and piece.strip():
            tell(f"'{' '.join(piece.split())[:40]}' stands outside of all elements and is not read.")
            piece = "\n" * piece.count("\n")
        elif m["text"]:
            bare += [line + piece[: x.start()].count("\n") for x in BARE.finditer(piece)]
            piece = BARE.sub("&amp;", piece).replace("]]>", "]]&gt;")
        pieces.append((piece, len(tops)))
        line += m[0].count("\n")
    if bare:
        line = bare[0]
        tell(f"{len(bare)} '&' {'stand' if len(bare) > 1 else 'stands'} alone (the first in this line) and "
             f"{'are' if len(bare) > 1 else 'is'} taken as such; XML writes &amp;.", "notice")  # fmt: skip
    if len(tops) > 1 and depth == 0:
        wanted = tops.index(root) + 1 if root in tops else 1
        problems.append(Problem(name, "",
                                f"{len(tops)} elements stand side by side ({', '.join(tops)[:80]}); only "
                                f"<{tops[wanted - 1]}> is read.", severity="warning"))  # fmt: skip
        pieces = [(p if top in (0, wanted) else "\n" * p.count("\n"), top) for p, top in pieces]
    return "".join(p for p, _ in pieces), problems
