"""Put `# noqa: CODE` beside each finding: what `flake8-ckpt baseline --add-noqa` does instead of a baseline."""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from flake8.defaults import NOQA_INLINE_REGEXP

from flake8_ckpt.commands.adoption.summary import counted
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.output import kept_findings
from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.file_text import FileText
from flake8_ckpt.fixes.written_file import Left
from flake8_ckpt.fixes.written_file import open_for_fixing
from flake8_ckpt.fixes.written_file import replace_content
from flake8_ckpt.options import Options
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse
from flake8_ckpt.suppression.sieve import is_failure

DONE, LEFT = 0, 2
OUTSIDE_LINES = frozenset({tokenize.ENDMARKER, tokenize.DEDENT})
LINE_ENDS = frozenset({tokenize.NL, tokenize.NEWLINE})


def add_noqa(namespace: argparse.Namespace, options: Options, root: Path) -> int:
    """Put a comment beside each finding that `check` shows; return 2 where a file had to be left as it was."""
    looked_up = look_up(namespace, options, root)
    names = {path: name for name, path in looked_up.paths.items()}
    by_path: dict[str, list[Finding]] = {}
    for each in kept_findings(namespace, looked_up.linted):
        if not is_failure(each):
            by_path.setdefault(each.path, []).append(each)
    silenced = [findings for path, findings in by_path.items() if _comment(root, names[path], findings)]
    done = f"{counted(sum(map(len, silenced)), 'finding')} in {counted(len(silenced), 'file')}"
    print(f"{done} silenced with '# noqa'")
    return DONE if len(silenced) == len(by_path) else LEFT


def _comment(root: Path, name: str, findings: Sequence[Finding]) -> bool:
    """Write the comments into one file; say why where it is left as it was."""
    try:
        data = open_for_fixing(root, Path(name))
        replace_content(Path(name), data, with_comments(data, findings))
    except (Left, Unreadable) as error:
        print(f"flake8-ckpt: {name}: left as it was: it {error.reason}", file=sys.stderr)
        return False
    return True


def with_comments(data: bytes, findings: Iterable[Finding]) -> bytes:
    """Return a file with a comment on the statement of each finding; raise Left where that would change its code."""
    text = decode(data)
    lines, ends = text.split("\n"), _line_ends(text)
    codes: dict[int, set[str]] = {}
    for each in findings:
        codes.setdefault(ends.get(each.position.line, each.position.line), set()).add(each.code)
    file = FileText.of(data)
    new = file.encoded(
        file.edited(_edit(line, lines[line - 1], sorted(each)) for line, each in codes.items())
    )
    if ast.dump(parse(decode(new)).tree) != ast.dump(parse(text).tree):
        raise Left("cannot take a comment where the finding is")
    return new


def _edit(line: int, text: str, codes: Sequence[str]) -> Edit:
    """Return what puts codes into the comment that is there, else a new comment at the end of the line."""
    listed = ", ".join(codes)
    found = NOQA_INLINE_REGEXP.search(text)
    if found is not None and found["codes"]:
        column, added = found.start("codes") + len(found["codes"].rstrip(" ,\t")), f", {listed}"
    else:
        column, added = len(text.rstrip()), f"  # noqa: {listed}"
    return Edit(Position(line, column, line, column), added)


def _line_ends(text: str) -> Mapping[int, int]:
    """Return the line where flake8 takes a noqa comment for each line that is joined to it."""
    ends: dict[int, int] = {}
    for first, last in _joined(text):
        ends.update(dict.fromkeys(range(first, last + 1), last))
    return ends


def _joined(text: str) -> Iterator[tuple[int, int]]:
    first, last = 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in OUTSIDE_LINES:
                continue
            first, last = first or token.start[0], max(last, token.end[0])
            if token.type in LINE_ENDS:
                yield first, last
                first, last = 0, 0
    # The file is in newer grammar than this Python's: a comment goes to the line itself.
    except (tokenize.TokenError, SyntaxError):
        return
