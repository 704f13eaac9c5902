"""What the pages show exists: links, configs, Python, commands, files."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from google.protobuf import text_format
from google.protobuf.message import Message
from torchmetrics import Metric

import raymon.cli.commands
import raymon.errors
import raymon.metrics
from raymon.config import load
from raymon.metrics import METRIC_NAMES
from raymon.models.registry import MODELS
from raymon.protos import (
    data_pb2,
    eval_pb2,
    export_pb2,
    feature_pb2,
    layers_pb2,
    match_model_pb2,
    metric_pb2,
    model_pb2,
    monitor_pb2,
    optimizer_pb2,
    pipeline_pb2,
    ray_pb2,
    train_pb2,
    tune_pb2,
)
from raymon.sinks import GAUGES
from scripts.site_pages import commands, made_images, made_pages
from tests.docs.pages import PAGES, ROOT, Block, blocks, headings, prose, spans, text

DOCS = ROOT / "docs"
MADE = made_pages()
COMMANDS = dict(commands())
# A whole config comes first: what parses as one is one.
MESSAGES: list[type[Message]] = [
    pipeline_pb2.PipelineConfig,
    tune_pb2.TuneConfig,
    tune_pb2.TuneParameter,
    model_pb2.ModelConfig,
    layers_pb2.MaskNetModule,
    train_pb2.TrainConfig,
    data_pb2.DataConfig,
    eval_pb2.EvalConfig,
    export_pb2.ExportConfig,
    ray_pb2.RayConfig,
    monitor_pb2.MonitorConfig,
    feature_pb2.FeatureConfig,
    feature_pb2.IdFeature,
    feature_pb2.RawFeature,
    match_model_pb2.DSSM,
    metric_pb2.MetricConfig,
    metric_pb2.Auc,
    metric_pb2.MulticlassAuc,
    optimizer_pb2.DenseOptimizer,
]

OF_A_RUN = {
    "export/",
    "eval_val/",
    "alerts/",
    "train_eval_trace/",
    "monitor/requests/",
    "monitor/stacks/",
    "replaced/",
    "trials/",
    "features.config",
    "pipeline.config",
}
"""Names of files that a run writes."""


def of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        inside = str(linked.relative_to(DOCS)) if linked.is_relative_to(DOCS) else ""
        made = inside in MADE or inside in made_images()
        assert made or linked.exists(), target
        if page.is_relative_to(DOCS):
            # The site has nothing else.
            assert inside, target
        if anchor:
            assert anchor in headings(MADE[inside] if inside in MADE else text(linked)), target


@pytest.mark.parametrize("block", blocks("protobuf"), ids=str)
def test_configs_are_right(block: Block, tmp_path: Path) -> None:
    written = block.text.replace("...", "")
    message = parsed(written)
    assert message is not None
    if isinstance(message, pipeline_pb2.PipelineConfig) and message.HasField("train_config"):
        config = tmp_path / "my.config"
        config.write_text(written)
        load(config)


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_fields_in_the_text_are_fields(page: Path) -> None:
    for span in spans(page):
        if re.fullmatch(r"[a-z_]+ \{.*:.*\}|[a-z_]+: (?![\w.]+Error)[\w\"]+", span):
            assert parsed(span) is not None, span


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    ast.parse(block.text)


def test_what_python_takes_from_raymon_is_there() -> None:
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("raymon"):
                for name in node.names:
                    assert offers(str(node.module), name.name), f"{block}: {name.name}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "raymon" or node.attr in raymon.__all__, str(block)


def offers(module: str, name: str) -> bool:
    if not module.startswith("raymon.integrations."):
        return hasattr(__import__(module, fromlist=["_"]), name)
    # Their libraries take seconds to import.
    source = ROOT / (module.replace(".", "/") + ".py")
    file = source if source.exists() else source.with_suffix("") / "__init__.py"
    tree = ast.parse(text(file))
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = {a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    return name in defined | imported


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_commands_have_the_options_that_are_shown(page: Path) -> None:
    for line in command_lines(page):
        words = shlex.split(line, comments=True)
        place = words.index("raymon") + 1
        if place == len(words):
            continue
        name, given = f"raymon {words[place]}", words[place + 1 :]
        if name not in COMMANDS and given:
            name, given = f"{name} {given[0]}", given[1:]
        assert name in COMMANDS, line
        options = {o for p in COMMANDS[name].params for o in (*p.opts, *p.secondary_opts)}
        for word in given:
            assert not word.startswith("-") or word in {*options, "--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_targets_and_benchmarks_exist(page: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    code = "\n".join([*spans(page), *(b.text for b in blocks("") if b.page == page)])
    for target in re.findall(r"^make ([\w-]+)", code, re.M):
        assert target in targets
    for question in re.findall(r"python -m benchmarks ([a-z_]+)", code):
        assert (ROOT / "benchmarks" / f"{question}.py").exists(), question


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_files_that_are_named_exist(page: Path) -> None:
    roots = [ROOT, ROOT / "raymon", ROOT / "raymon" / "data"]
    here = ROOT
    for span in spans(page):
        if "NAME" in span or not re.fullmatch(r"[\w/.-]+\.(?:py|proto|config)|(?:\w+/)+", span):
            continue
        if span.startswith(("my_", "my.")) or span in OF_A_RUN:
            continue
        found = [root / span for root in [*roots, here, here.parent] if (root / span).exists()]
        assert found, span
        # Those that come after it in a sentence are beside it.
        here = found[0] if found[0].is_dir() else found[0].parent


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_names_in_the_text_are_names_in_the_code(page: Path) -> None:
    for span in spans(page):
        for name in re.findall(r"\w+", span.replace("NAME", "")):
            if name.endswith("_source"):
                continue  # shells that click completes in
            if "_" in name.strip("_") or re.fullmatch(r"[A-Z][a-z]+[A-Z]\w+", name):
                assert name in names_in_the_code(), span


@cache
def names_in_the_code() -> set[str]:
    """Returns the words of all sources, and the names of their files."""
    names: set[str] = set()
    for folder in ("raymon", "protos", "benchmarks", "scripts", "tests"):
        for source in (ROOT / folder).rglob("*"):
            if source.suffix in (".py", ".proto", ""):
                names.update(source.name.split("."))
            if source.suffix in (".py", ".proto") and "_pb2" not in source.name:
                names.update(re.findall(r"\w+", text(source)))
    return names


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_names_of_gauges_are_those_of_gauges(page: Path) -> None:
    for name in re.findall(r"\b(?:ray_)?(raymon_[a-z_]+)\b", text(page)):
        assert name in GAUGES, name


def test_what_troubleshooting_quotes_is_what_is_said() -> None:
    code = "".join(text(source) for source in (ROOT / "raymon").rglob("*.py"))
    # A message may go over several lines of code.
    code = re.sub(r'"\s*f?"', "", code)
    for cell in re.findall(r"^\| `([^`]+)` \|", text(DOCS / "guides" / "troubleshooting.md"), re.M):
        for piece in cell.removeprefix("unknown field").split("..."):
            assert piece.strip() in code, cell


@pytest.mark.parametrize("block", blocks("mermaid"), ids=str)
def test_drawings_have_no_character_that_ends_a_line(block: Block) -> None:
    assert ";" not in block.text


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_headings_stand_alone(page: Path) -> None:
    assert not re.findall(r"^.*\S #{2,} .*$", prose(page), re.M)
    assert not re.findall(r"[^\n]\n#{1,4} ", prose(page))


def test_the_site_has_every_page() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    written = {str(page.relative_to(DOCS)) for page in PAGES if page.is_relative_to(DOCS)}
    assert listed == written | set(MADE)


def test_every_metric_model_and_feature_kind_has_its_place_in_the_pages() -> None:
    guides, reference = DOCS / "guides", text(DOCS / "reference" / "python.md")
    for kind in METRIC_NAMES:
        assert f"`{kind}" in text(guides / "metrics.md"), kind
        assert kind == "custom_metric" or f"`{kind}`" in text(DOCS / "numbers.md"), kind
    for name, kind in vars(raymon.metrics).items():
        if isinstance(kind, type) and issubclass(kind, Metric) and not inspect.isabstract(kind):
            assert f"::: raymon.metrics.{name}\n" in reference, name
    for kind, model in MODELS.items():
        assert f"`{kind}`" in text(guides / "models.md"), kind
        assert f"::: raymon.models.{model.__name__}\n" in reference, kind
    for field in feature_pb2.FeatureConfig.DESCRIPTOR.oneofs_by_name["feature"].fields:
        assert f"`{field.name}" in text(guides / "features.md"), field.name


def test_every_public_name_is_in_the_reference() -> None:
    shown = re.findall(r"^::: (raymon\.[\w.]+)$", text(DOCS / "reference" / "python.md"), re.M)
    for name in raymon.__all__:
        of_errors = hasattr(raymon.errors, name)
        assert name == "__version__" or f"raymon.{'errors' if of_errors else name}" in shown, name


def test_the_loops_of_other_libraries_are_the_examples() -> None:
    shown = [b.text for b in blocks("python") if b.page == DOCS / "guides" / "other-loops.md"]
    files = sorted((ROOT / "raymon" / "examples" / "loops").glob("with_*.py"))
    assert sorted(code.strip() for code in shown) == sorted(text(f).strip() for f in files)


def test_the_readme_is_a_front_door() -> None:
    assert len(text(ROOT / "README.md").splitlines()) <= 160


def parsed(written: str) -> Message | None:
    for message in MESSAGES:
        try:
            return text_format.Parse(written, message(), allow_unknown_field=False)
        except text_format.ParseError as error:
            if "missing required" in str(error):
                return message()
    return None


def command_lines(page: Path) -> Iterator[str]:
    shown = [line for block in blocks("") if block.page == page for line in block.text.splitlines()]
    for line in [*shown, *spans(page)]:
        if re.match(r"(\w+=\S+ |.*-- |\$ |\.venv/bin/)?raymon [a-z]+( |$)", line):
            yield line.removeprefix("$ ").replace(".venv/bin/raymon", "raymon")


def test_commands_are_found_in_pages() -> None:
    assert isinstance(raymon.cli.commands.raymon, click.Group)
    assert len([line for page in PAGES for line in command_lines(page)]) > 20
