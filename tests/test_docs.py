"""The pages say what is true: their code runs and prints what they show, their commands exist, their links lead
somewhere."""

import importlib
import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def module(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


outputs, conf = module("outputs"), module("conf")
PAGES = outputs.pages()
NAMES = [p.relative_to(DOCS).as_posix() for p in PAGES]
EVERYDAY = {
    "replicates_and_sweeps", "compare", "from_a_slide", "a_treatment_by_hand", "treat_a_tumor",
    "claims_and_sensitivity", "movies_and_figures", "take_results_out", "vessels",
}  # fmt: skip
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?(e[-+]?\d+)?")


def words(text):
    """A text without its numbers, spacing and kinds of events, which move with models and machines."""
    return NUMBER.sub("#", re.sub(r"^events .*", "events", text, flags=re.M)).split()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_code_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    """On the pages of every day the commands run, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    text = page.read_text(encoding="utf-8")
    if page.stem in EVERYDAY:
        fresh = list(outputs.execute(text, commands=True))
        assert fresh
        for start, end, printed in fresh:
            assert words(outputs.shown(text[start:end], printed)) == words(text[start:end])
        return
    ran = 0
    for start, end, printed in outputs.execute(text, commands=False):
        shown = text[start:end]
        assert words(outputs.shown(shown, printed)) == words(shown)
        ran += 1
    assert ran == len(re.findall(r"^```python\n.*?^```\n\n```text\n", text, re.M | re.S))


@pytest.fixture(scope="module")
def verbs():
    """Verb -> its options."""
    import typer

    from oncarium.cli import app

    commands = typer.main.get_command(app).commands
    return {
        name: {o for c in getattr(one, "commands", {"": one}).values() for p in c.params for o in p.opts if o[0] == "-"}
        | {"--help"}
        for name, one in commands.items()
    }


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=[*NAMES, "README.md"])
def test_commands_exist(page, verbs):
    text = page.read_text(encoding="utf-8")
    said = re.findall(r"^(?:\$ )?(?:\S*/)?oncarium ([^\n]*)", text, re.M) + re.findall(r"`oncarium ([^`\n]*)`", text)
    for line in said:
        verb, *rest = line.split()
        if verb.startswith("--"):
            continue
        assert verb in verbs, line
        assert {w.partition("=")[0] for w in rest if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", w)} <= verbs[verb], line


def test_every_verb_is_shown(verbs):
    text = conf.generated()["reference/command_line.md"]
    assert all(
        f"`oncarium {verb}" in text and all(f"`{o}`" in text for o in verbs[verb] - {"--help"}) for verb in verbs
    )


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=[*NAMES, "README.md"])
def test_relative_links_resolve(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    made = conf.generated()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve()
        known = path.is_relative_to(DOCS) and path.relative_to(DOCS).as_posix() in made
        assert known or path.exists(), target
        if anchor:
            there = made[path.relative_to(DOCS).as_posix()] if known else path.read_text(encoding="utf-8")
            assert anchor in {
                re.sub(r"[^\w]+", "-", h.lower()).strip("-") for h in re.findall(r"^#+ (.+)$", there, re.M)
            }, target


def test_generated_pages_hold_every_column_and_library_entry():
    from oncarium.model.catalog import columns
    from oncarium.model.files import LIBRARY

    made = conf.generated()
    assert all(f"| `{name}` |" in made["reference/columns.md"] for name in columns())
    assert all(
        f"### {p.stem}\n" in made["reference/library.md"]
        for shelf in ("scenarios", "factors", "cells")
        for p in LIBRARY.glob(f"{shelf}/*.yaml")
    )


def test_every_mechanism_has_a_page_with_its_equation_table_and_sources():
    pages = conf.mechanism_pages
    groups, made = pages.grouped(), conf.generated()
    assert pages.OTHER not in groups, groups.get(pages.OTHER)
    assert sorted(m for names in groups.values() for m in names) == sorted(pages.mechanisms())
    index = made["reference/mechanisms.md"]
    for name, things in pages.mechanisms().items():
        text = made[f"reference/mechanisms/{name}.md"]
        assert f"(mechanisms/{name}.md)" in index and f"/{name}.py`" in text
        for thing in things:
            said = thing.__doc__
            assert said, name
            assert text.count("https://doi.org/") >= len(re.findall(r"DOI 10\.", said)), name
            assert "Equation  " not in said or "```none" in text, name
            assert "Column  " not in said or "| --- |" in text, name


def test_every_public_name_is_in_the_reference():
    import oncarium as oc

    text = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    assert [n for n in oc.__all__ if not re.search(rf"\b{n}\b", text)] == []
    for target in re.findall(r"auto(?:function|class|exception|module):: (\S+)", text):
        assert find(target) is not None, target


def find(dotted):
    """The thing of a dotted name."""
    parts = dotted.split(".")
    for k in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:k]))
        except ImportError:
            continue
        for name in parts[k:]:
            thing = getattr(thing, name)
        return thing
    return None
