"""Put `# noqa: CODE` beside each finding: what `flake8-ckpt baseline --add-noqa` does instead of a baseline."""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from flake8.defaults import NOQA_INLINE_REGEXP

from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.output import kept_findings
from flake8_ckpt.commands.summary import counted
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

DONE, LEFT = 0, 2
IGNORED = frozenset({tokenize.ENDMARKER, tokenize.DEDENT})
ENDS = frozenset({tokenize.NL, tokenize.NEWLINE})


def add_noqa(namespace: argparse.Namespace, options: Options, root: Path) -> int:
    """Put a comment beside each finding that `check` shows; return 2 where a file had to be left as it was."""
    looked_up = look_up(namespace, options, root)
    kept = kept_findings(namespace, looked_up.linted)
    changed, left = 0, 0
    for name, findings in _by_name(looked_up, kept):
        try:
            _comment(root, Path(name), findings)
            changed += 1
        except (Left, Unreadable) as error:
            left += 1
            print(f"flake8-ckpt: {name}: left as it was: it {error.reason}", file=sys.stderr)
    count = sum(len(findings) for _, findings in _by_name(looked_up, kept))
    print(f"{counted(count, 'finding')} silenced in {counted(changed, 'file')}" if not left else "not all are silenced")
    return LEFT if left else DONE
