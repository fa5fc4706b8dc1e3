"""Bugs of the checkpoint contract: keys that one side of a real pair of save and load leaves out or renames."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.seeding.bug import Bug
from benchmarks.seeding.payload_keys import TAKES
from benchmarks.seeding.payload_keys import Function
from benchmarks.seeding.payload_keys import Write
from benchmarks.seeding.payload_keys import functions_with_keys
from benchmarks.seeding.source_file import Edit
from benchmarks.seeding.source_file import SourceFile
from benchmarks.seeding.source_file import dotted
from benchmarks.seeding.source_file import text_of

# Keys whose loss changes the training that follows: counters, normalizers, and what a training step changes.
COUNTER = re.compile(
    r"(^|_)(epochs?|steps?|iters?|iterations?|frames?|episodes?|updates?|timesteps?|n_iter|best\w*)(_|$)"
)
NORMALIZER = re.compile(
    r"normali[sz]|(^|_)(rms|norm|running|obs_(mean|var|std)|mean_std|stats)(_|$)", re.IGNORECASE
)
LIVE = re.compile(
    r"optim|(^|_)opt(_|$)|sched|scaler|(^|_)ema(_|$)|normali[sz]|(^|_)(rms|rng)(_|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Pair:
    """A function that writes a checkpoint, one that reads it, and other writers as near to the reader."""

    writer: Function
    reader: Function
    rivals: tuple[Function, ...]

    def shared(self) -> list[str]:
        """Return the keys of both."""
        return [key for key in self.writer.writes if key in self.reader.reads]

    def is_rivalled(self, key: str) -> bool:
        """Tell whether something else still writes a key that the writer leaves out."""
        return len(self.writer.writes[key]) > 1 or any(key in each.writes for each in self.rivals)


def contract_bugs(files: list[SourceFile]) -> Iterator[Bug]:
    """Yield the bugs that the pairs of some files can be given."""
    text = b"\n".join(file.data for file in files).decode("utf-8", "replace")
    words = Counter(re.findall(r"\w+", text))
    for pair in pairs(files):
        ends = (pair.writer, pair.reader)
        if not any(words[each.name] == 1 and not TAKES.search(each.name) for each in ends):
            for key in pair.shared():
                yield from _bugs_of_key(key, pair, text)


def pairs(files: list[SourceFile]) -> Iterator[Pair]:
    """Yield each reader with the writers that are nearest to it, the one with most of its keys first."""
    functions = functions_with_keys(files)
    writers = [each for each in functions if each.writes]
    for reader in (each for each in functions if each.reads):
        near = [(nearness(each, reader), each) for each in writers]
        best = max((score for score, _ in near), default=0)
        found = [each for score, each in near if score == best > 0]
        found.sort(key=lambda each: -len(set(each.writes) & set(reader.reads)))
        if found:
            yield Pair(found[0], reader, tuple(found[1:]))


def nearness(writer: Function, reader: Function) -> int:
    """Tell how sure it is that two functions speak of one checkpoint: 0 is not at all, 3 one class or function."""
    shared = set(writer.writes) & set(reader.reads)
    if not shared or writer.class_name and reader.class_name and writer.class_name != reader.class_name:
        return 0
    if writer.file is reader.file:
        return 3 if writer.class_name == reader.class_name else 2
    one, other = Path(writer.file.path).stem, Path(reader.file.path).stem
    imports = other in writer.file.imported or one in reader.file.imported
    return 1 if len(shared) > 1 and imports else 0


def _bugs_of_key(key: str, pair: Pair, text: str) -> Iterator[Bug]:
    write = pair.writer.writes[key][0]
    owner = _object_name(write.value)
    is_state = b"state_dict" in pair.writer.file.source(write.value) or bool(LIVE.search(key))
    matters = is_state or bool(COUNTER.search(key) or NORMALIZER.search(key))
    if matters or any(each.how == "required" for each in pair.reader.reads[key]):
        yield from _one_sided(key, pair, write)
    if matters:
        yield from _forgotten(key, pair, write, owner, text)


def _one_sided(key: str, pair: Pair, write: Write) -> Iterator[Bug]:
    """Yield the bugs after which the reader asks for a key that the writer does not give."""
    writer, reader, rivalled = pair.writer, pair.reader, pair.is_rivalled(key)
    other, line = f"{key}_data", write.node.lineno
    where = f"{writer} -> {reader}"
    names = (key, other)
    yield Bug("key not written", (write.removal,), line, (key,), f"{where}: {key!r}", rivalled)
    renamed = writer.file.replace(write.node, repr(other).encode())
    yield Bug("written under another key", (renamed,), line, names, f"{where}: {key!r}", rivalled)
    nodes = [each.node for each in reader.reads[key]]
    edits = tuple(reader.file.replace(each, repr(other).encode()) for each in nodes)
    yield Bug("read under another key", edits, nodes[0].lineno, names, f"{where}: {key!r}", rivalled)


def _forgotten(key: str, pair: Pair, write: Write, owner: str, text: str) -> Iterator[Bug]:
    """Yield the bugs after which the reader, or neither side, takes care of a key that training needs."""
    removal = _restoring(key, pair.reader)
    others = [each for each in pair.shared() if each != key]
    if removal is None or not any(LIVE.search(each) or COUNTER.search(each) for each in others):
        return
    rivalled, where = pair.is_rivalled(key), f"{pair.writer} -> {pair.reader}"
    names = tuple(dict.fromkeys(each for each in (key, owner) if each not in ("?", "self", "")))
    line = pair.reader.reads[key][0].node.lineno
    yield Bug("key not restored", removal, line, names, f"{where}: {key!r}", rivalled)
    if LIVE.search(f"{key} {owner}") and re.search(
        rf"\b{re.escape(owner)}\.(step|update\w*|normalize)\(", text
    ):
        edits = (write.removal, *removal)
        line = write.node.lineno
        yield Bug("object on neither side", edits, line, names, f"{where}: {key!r}", rivalled)


def _object_name(node: ast.expr) -> str:
    """Return the last name of the object a value is taken of: `self.opt.state_dict()` gives opt."""
    while isinstance(node, (ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Attribute) and node.attr in (
            "state_dict",
            "get_state",
            "item",
            "cpu",
            "copy",
        ):
            node = node.value
    return dotted(node).rpartition(".")[2]


def _restoring(key: str, reader: Function) -> tuple[Edit, ...] | None:
    """Return the edits that remove what restores a key, None where that would break the code around it."""
    statements: list[ast.stmt] = []
    for each in reader.reads[key]:
        node = reader.file.statement(each.node)
        if not _can_go(node, each.how, reader):
            return None
        statements.append(node)
    outer = [each for each in statements if not any(_is_within(each, other) for other in statements)]
    keys = {
        text_of(read.node)
        for reads in reader.reads.values()
        for read in reads
        if any(each.lineno <= read.node.lineno <= (each.end_lineno or 0) for each in outer)
    }
    return tuple(reader.file.replace(each, b"pass") for each in outer) if keys == {key} else None


def _can_go(node: ast.stmt, how: str, reader: Function) -> bool:
    """Tell whether the code around a statement does without it."""
    if isinstance(node, ast.If):
        return how == "in" and not node.orelse and len(node.body) <= 2
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Attribute) or _is_rebound(node, reader)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _is_within(node: ast.stmt, other: ast.stmt) -> bool:
    inside = other.lineno <= node.lineno and (node.end_lineno or 0) <= (other.end_lineno or 0)
    return node is not other and inside


def _is_rebound(node: ast.Assign, function: Function) -> bool:
    """Tell whether a local has a value before a statement gives it another one."""
    names = {each.id for each in node.targets if isinstance(each, ast.Name)}
    before = {
        each.id
        for other in function.body
        if isinstance(other, ast.Assign) and (other.end_lineno or 0) < node.lineno
        for each in other.targets
        if isinstance(each, ast.Name)
    }
    return bool(names) and names <= before | set(function.parameters)
