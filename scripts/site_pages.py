"""The generated pages of the site; a hook of MkDocs, which `make docs` runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raymon.cli.commands import raymon
from scripts.config_reference import page, read_comments

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def made_pages() -> Mapping[str, str]:
    """Returns the text of each generated page, by its path under docs/."""
    results = (RESULTS / "README.md").read_text(encoding="utf-8")
    return {
        "reference/config.md": page(read_comments()),
        "reference/command-line.md": "\n".join(_command_line()),
        "benchmarks.md": results.replace("# Results", "# Benchmarks", 1).replace(
            "](", "](benchmarks/"
        ),
    }


def made_images() -> Mapping[str, Path]:
    """Returns the file of each image that belongs to these pages, by its path under docs/."""
    return {f"benchmarks/{image.name}": image for image in sorted(RESULTS.glob("*.svg"))}


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Adds the generated pages and their images to the files of the site."""
    from mkdocs.structure.files import File

    for path, text in made_pages().items():
        files.append(File.generated(config, path, content=text))
    for path, image in made_images().items():
        files.append(File.generated(config, path, abs_src_path=str(image)))
    return files


def commands(
    group: click.Command = raymon, name: str = "raymon"
) -> Iterator[tuple[str, click.Command]]:
    """Yields all commands with their full names, as `raymon config check`."""
    if not isinstance(group, click.Group):
        yield name, group
        return
    for below, command in group.commands.items():
        yield from commands(command, f"{name} {below}")


def _command_line() -> Iterator[str]:
    yield from ("# Every command", "")
    yield "`python -m raymon` is the same as `raymon`. Exit codes: 0 done, 1 the run failed or"
    yield "diverged, 2 the input is wrong, 130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by"
    yield "SIGHUP."
    for name, command in commands():
        context = click.Context(command, info_name=name, terminal_width=100)
        context.help_option_names = ["-h", "--help"]
        yield from ("", f"## {name}", "", "```text", command.get_help(context), "```")
