"""Grammar that is newer than the running Python: read by libcst, written as older grammar of equal length.

    def first[T](items: list[T]) -> T:         def first   (items: list[T]) -> T:
        print(f"{items["a"]}")            =>       print(f"{items['a']}")
    except KeyError, OSError:                  except(KeyError,OSError):

Lines and columns stay those of the file, so what is made from it says where things stand in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange
from libcst.metadata import MetadataWrapper
from libcst.metadata import PositionProvider

from flake8_ckpt.source.newer.draft import Draft
from flake8_ckpt.source.newer.draft import is_same_but_for_space
from flake8_ckpt.source.newer.statements import drop_exception_group
from flake8_ckpt.source.newer.statements import drop_lazy
from flake8_ckpt.source.newer.statements import drop_star_of_annotation
from flake8_ckpt.source.newer.statements import drop_star_of_element
from flake8_ckpt.source.newer.statements import drop_star_of_index
from flake8_ckpt.source.newer.statements import drop_type_parameters
from flake8_ckpt.source.newer.statements import wrap_caught_types
from flake8_ckpt.source.newer.statements import write_alias_as_assignment
from flake8_ckpt.source.newer.statements import write_key_for_stars
from flake8_ckpt.source.newer.strings import rewrite_string

REWRITERS: dict[type[cst.CSTNode], Callable[[Any, Draft], None]] = {
    cst.Annotation: drop_star_of_annotation,
    cst.ClassDef: drop_type_parameters,
    cst.ConcatenatedString: rewrite_string,
    cst.ExceptHandler: wrap_caught_types,
    cst.ExceptStarHandler: drop_exception_group,
    cst.FormattedString: rewrite_string,
    cst.FunctionDef: drop_type_parameters,
    cst.GeneratorExp: drop_star_of_element,
    cst.Index: drop_star_of_index,
    cst.LazyImport: drop_lazy,
    cst.LazyImportFrom: drop_lazy,
    cst.ListComp: drop_star_of_element,
    cst.SetComp: drop_star_of_element,
    cst.StarredDictComp: write_key_for_stars,
    cst.TemplatedString: rewrite_string,
    cst.TypeAlias: write_alias_as_assignment,
}


def older_grammar(text: str) -> str:
    """Return a text in older grammar, each line as long as it was; unchanged where libcst cannot read it."""
    code, ranges = _read(text)
    draft = Draft(text, code, ranges)
    for node in _rewritable(ranges):
        REWRITERS[type(node)](node, draft)
    return draft.text


def _rewritable(ranges: Mapping[cst.CSTNode, CodeRange]) -> Iterator[cst.CSTNode]:
    """Yield what may be newer, inner nodes first; strings side by side are one string."""
    pairs = [node for node in ranges if isinstance(node, cst.ConcatenatedString)]
    parts = {part for pair in pairs for part in (pair.left, pair.right)}
    yield from (node for node in ranges if type(node) in REWRITERS and node not in parts)


def _read(text: str) -> tuple[str, Mapping[cst.CSTNode, CodeRange]]:
    """Return a text as libcst gives it back, and where each node stands in that.

    There are no nodes unless libcst has read every character, spaces apart.
    """
    try:
        module = cst.parse_module(text)
        code = module.code
        if is_same_but_for_space(text, code):
            return code, MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    except (KeyboardInterrupt, SystemExit):
        raise
    # Besides ParserSyntaxError: CSTLogicError, KeyError, RecursionError, and panics that are no Exception.
    except BaseException:
        pass
    return text, {}
