"""`raymon init`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from raymon.cli.streams import say

_SHOWN = 5


@click.command()
@click.argument("data")
@click.option(
    "--label",
    "labels",
    multiple=True,
    required=True,
    metavar="COLUMN",
    help="Column that the model learns. May be repeated.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File that is written.  [default: the first label, and .config]",
)
@click.option(
    "--eval",
    "evaluation",
    metavar="PATH",
    help="Evaluation data; by default what is called test or eval beside a DATA called train.",
)
@click.option(
    "--drop", multiple=True, metavar="COLUMN", help="Make no feature of a column. May be repeated."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE where it is there already.")
def init(
    data: str,
    labels: tuple[str, ...],
    out: Path | None,
    evaluation: str | None,
    drop: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Write a first config for the table DATA, which raymon train takes as it is.

    DATA is files, a directory or a glob, of Parquet, CSV with a header, or Arrow IPC. A sample of
    its rows says which features its columns become; the config says why.
    """
    from raymon.errors import ConfigError, RunError, os_reason
    from raymon.init import draft_config, find_evaluation
    from raymon.storage import drafted
    from raymon.training.train import load_checked

    plain = re.sub(r"[^\w.-]+", "_", labels[0])
    out = out or Path(f"{plain}.config")
    if out.is_dir():
        raise RunError(f"{out}: is a directory; give a file")
    if out.exists() and not overwrite:
        raise RunError(f"{out}: is there already; --overwrite replaces it, or give another -o FILE")
    path, beside = find_evaluation(data)
    draft = draft_config(
        path,
        labels,
        model_dir=f"runs/{out.name.removesuffix('.config')}",
        evaluation=evaluation or beside,
        drop=drop,
    )
    try:
        with drafted(out, replace=overwrite) as file:
            file.write_text(draft.text, encoding="utf-8")
            load_checked(file)
    except ConfigError as error:
        raise ConfigError(f"{out}: would not train: {error}") from None
    except OSError as error:
        raise RunError(f"{out}: cannot be written: {os_reason(error)}") from None
    say(f"{out}: {len(draft.features)} of {len(draft.features) + len(draft.left_out)} columns")
    for name in draft.leaks[:_SHOWN]:
        say(f"  left out, as it may say what the label is: {name} ({draft.left_out[name]})")
    if len(draft.leaks) > _SHOWN:
        say(f"  and {len(draft.leaks) - _SHOWN} more, which {out} names")
    say(f"next: raymon train {out}")
