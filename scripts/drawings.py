"""The drawings of the site: blocks of Mermaid become SVG when it is built.

Material for MkDocs has the browser fetch Mermaid from another host; here no page needs one.
"""

from __future__ import annotations

import hashlib
from typing import Any


def draw(source: str, language: str, css_class: str, options: Any, md: Any, **_: Any) -> str:
    """Returns the drawing of a block as HTML; a formatter of pymdownx.superfences.

    Args:
        source: Text of the block, in Mermaid.
        language: Language of the block.
        css_class: Class of the figure.
        options: Options of the block.
        md: The instance of Markdown.

    Raises:
        SuperFencesException: It cannot be drawn; any other error would leave the block as text.
    """
    from mermaidx import Diagram
    from pymdownx.superfences import SuperFencesException

    # The styles of a drawing are those of its id, which no other one on the page may have.
    name = "drawing-" + hashlib.sha256(source.encode()).hexdigest()[:8]
    try:
        drawn = Diagram(source, theme="neutral").svg().replace("my-svg", name)
    except Exception as error:
        raise SuperFencesException(f"cannot draw {source.strip()!r}: {error}") from error
    return f'<figure class="{css_class}">{drawn}</figure>'
