"""The page of a rule as HTML: our own Markdown, in which nothing is taken for markup but Markdown's."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from markupsafe import escape

from flake8_ckpt.reports.html.code import highlighted

# The page's headings stand below that of the rule.
SHIFT = 2
ADDRESS = re.compile(r"(?m)^- (https://\S+)$")


def page_html(page: str) -> Markup:
    """Return a page as HTML."""
    reader = _reader()
    tokens = reader.parse(ADDRESS.sub(r"- <\1>", page))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1:]) + SHIFT}"
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "highlight": _highlight, "linkify": False})
    reader.add_render_rule("link_open", _link)
    return reader


def _highlight(code: str, language: str, attributes: str) -> str:
    lines = (
        Markup("").join(Markup('<span class="{}">{}</span>').format(each.kind, each.text) for each in pieces)
        for pieces in highlighted(code.rstrip("\n").split("\n"))
    )
    return f'<pre class="code" tabindex="0"><code>{Markup(chr(10)).join(lines)}</code></pre>'


def _link(self: object, tokens: list[Token], index: int, options: object, environment: object) -> str:
    return f'<a href="{escape(tokens[index].attrGet("href") or "")}" rel="noreferrer">'
