"""The command line of oncarium.

Exit codes: 0 done, 1 failed while running, 2 refused input, 130 and 143 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from . import (
    doctor,
    doses,
    drugs,
    evidence,
    exports,
    fits,
    models,
    pictures,
    runs,
    slides,
    studies,
    treatments,
    trials,
    vessels,
)

COMMANDS: dict[str, Callable[..., Any]] = {
    "run": runs.run,
    "resume": runs.resume,
    "branch": runs.branch,
    "treat": treatments.treat,
    "new": models.new,
    "list": models.list_,
    "check": models.check,
    "preview": slides.preview,
    "diff": models.diff,
    "plan": models.plan,
    "sources": evidence.sources,
    "drugs": drugs.drugs,
    "show": runs.show,
    "report": pictures.report,
    "plot": pictures.plot,
    "export": exports.export,
    "sweep": studies.sweep,
    "compare": studies.compare,
    "claims": studies.claims,
    "sensitivity": fits.sensitivity,
    "calibrate": fits.calibrate,
    "trial": trials.trial,
    "movie": pictures.movie,
    "schema": models.schema,
    "doses": doses.doses,
    "doctor": doctor.doctor,
}
app = typer.Typer(
    help="Grow a tumor in its tissue: describe it in a file, run it, see and measure what happens.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name, command in COMMANDS.items():
    app.command(name)(command)
imports = typer.Typer(help="Write a model from what another program left.", no_args_is_help=True, rich_markup_mode=None)
imports.command("physicell")(models.import_physicell)
imports.command("slide")(slides.import_slide)
app.add_typer(imports, name="import")
networks = typer.Typer(help="Networks of blood vessels.", no_args_is_help=True, rich_markup_mode=None)
networks.command("solve")(vessels.solve)
networks.callback()(lambda: None)  # keeps the name of its only command
app.add_typer(networks, name="vessels")


def _say_notices() -> None:
    """What the library logs appears as notices."""
    import logging

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("notice: %(message)s"))
    logging.getLogger("oncarium").addHandler(handler)


def _version(asked: bool) -> None:
    if asked:
        from .. import __version__

        print(f"oncarium {__version__}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; turns every error of ours into its message and exit code."""
    from ..errors import DataError, OncariumError

    _say_notices()
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except OncariumError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        print(DataError.of(error), file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error, whichever copy of click typer carries
            print(f"{error.format_message()}\nSee  oncarium --help", file=sys.stderr)
            sys.exit(2)
        raise
