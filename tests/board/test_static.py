"""The files of the page, as they are, without a browser."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import raymon.board

STATIC = Path(raymon.board.__file__).parent / "web" / "static"
SCRIPTS = sorted(STATIC.rglob("*.js"))
SERVED_OTHERWISE = {"static/plotly.min.js"}
"""What the server has from elsewhere."""

IMPORT = re.compile(r"""(?:\bfrom\s+|\bimport\s+|\bimport\()["']([^"']+)["']""")
MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|"
    r"DOMParser|setHTMLUnsafe|srcdoc|new Function)\b|\beval\("
)
COLOR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(STATIC)) for path in paths]


@pytest.mark.parametrize("path", SCRIPTS, ids=names(SCRIPTS))
def test_text_gets_into_the_page_as_text_alone(path: Path) -> None:
    assert not MARKUP.findall(path.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=names(SCRIPTS))
def test_every_import_is_a_file_of_the_page(path: Path) -> None:
    for name in IMPORT.findall(path.read_text()):
        assert name.startswith("."), name
        found = (path.parent / name).resolve()
        assert found.is_file(), name
        assert found.is_relative_to(STATIC), name


def test_nothing_comes_from_elsewhere() -> None:
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            addresses = set(re.findall(r"(?:https?:|wss?:)?//[\w.-]+\.\w+[\w./]*", code_of(path)))
            assert addresses <= {"http://www.w3.org/2000/svg"}, path


def test_the_shell_names_files_that_are_there_and_nothing_inline() -> None:
    shell = (STATIC / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="(static/[^"]+)"', shell)) - SERVED_OTHERWISE
    assert named
    for name in named:
        assert (STATIC.parent / name).is_file(), name
    assert not re.search(r"<script(?![^>]* src=)", shell)
    assert not re.search(r"<style|\sstyle=|\son\w+=", shell)
    assert shell.count("<base href=") == 1


def test_the_modules_of_the_shell_are_asked_for_at_once() -> None:
    shell = (STATIC / "index.html").read_text()
    preloaded = re.findall(r'rel="modulepreload" href="static/([^"]+)"', shell)
    assert sorted(preloaded) == sorted(needed(STATIC / "app.js"))


@pytest.mark.parametrize(
    ("view", "known", "script"),
    [
        ("runs", "app.js", "views/runs.js"),
        ("run", "app.js", "views/run.js"),
        ("curves", "views/run.js", "run/curves.js"),
        ("compare", "app.js", "views/compare.js"),
    ],
)
def test_the_modules_of_a_view_are_asked_for_at_once(view: str, known: str, script: str) -> None:
    listed = re.search(rf"^    {view}: `([^`]*)`", (STATIC / "first.js").read_text(), re.MULTILINE)
    assert listed
    there = needed(STATIC / "app.js") | needed(STATIC / known)
    wanted = sorted(needed(STATIC / script) - there)
    assert sorted(f"{name}.js" for name in listed[1].split()) == wanted


def test_files_of_the_page_are_in_the_package() -> None:
    project = tomllib.loads((STATIC.parents[3] / "pyproject.toml").read_text())
    assert "board/web/static/**" in project["tool"]["setuptools"]["package-data"]["raymon"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_marks_have_the_contrast_of_wcag_aa(theme: str) -> None:
    """4.5:1 for text and 3:1 for the edges of controls (WCAG 2.1, criteria 1.4.3 and 1.4.11)."""
    found = COLOR.findall((STATIC / "style.css").read_text())
    colors = {name: (light if theme == "light" else dark) for name, light, dark in found}
    grounds = ("background", "surface", "raised")
    for text in ("text", "muted", "accent", "good", "warning", "bad"):
        for ground in grounds:
            assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    marked = [("text", "tint"), ("accent", "tint"), ("on-accent", "accent"), ("text", "bad-tint")]
    for text, ground in [*marked, ("text", "warning-tint"), ("text", "hit")]:
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    for ground in grounds:
        assert contrast(colors["edge"], colors[ground]) >= 3, ground


def needed(script: Path) -> set[str]:
    """Returns the scripts without which one does not begin: it, those that it imports, theirs."""
    seen, left = {script}, [script]
    while left:
        here = left.pop()
        for name in re.findall(r"""\bfrom\s+["']([^"']+)["']""", here.read_text()):
            path = (here.parent / name).resolve()
            if path not in seen:
                seen.add(path)
                left.append(path)
    return {str(path.relative_to(STATIC)) for path in seen}


def code_of(path: Path) -> str:
    """Returns the text of a file, without the comments of scripts, which may cite pages."""
    text = path.read_text()
    if path.suffix != ".js":
        return text
    return re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", text, flags=re.DOTALL)


def contrast(one: str, other: str) -> float:
    """Returns the contrast of two colours (WCAG 2.1, "contrast ratio")."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    """Returns the relative luminance of a colour such as `#1a5fb4` (WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
