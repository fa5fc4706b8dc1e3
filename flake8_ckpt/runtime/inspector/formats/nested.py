"""Look into the members of an archive that are themselves checkpoints: archives, torch files, pickles."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.numpy_file import MAGIC
from flake8_ckpt.runtime.inspector.pickles.safety import level_of
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding

Read = Callable[[Region, str], Content]
# A zip archive, an array of numpy, and a pickle of each protocol that has a first byte of its own.
HEADS = (b"PK\x03\x04", MAGIC, *(bytes([0x80, protocol]) for protocol in range(2, 6)))
LONGEST_HEAD = 8
MOST_MEMBERS = 1000


def with_members(content: Content, archive: Archive, read: Read) -> Content:
    """Return what is known of an archive with what its other members hold, keyed below their names."""
    inner = [*_inner(content, archive, read)]
    return replace(
        content,
        trees=(*content.trees, *(tree for each in inner for tree in each.trees)),
        findings=(*content.findings, *(finding for each in inner for finding in each.findings)),
        notes=(*content.notes, *(note for each in inner for note in each.notes)),
    )


def _inner(content: Content, archive: Archive, read: Read) -> Iterator[Content]:
    names = [name for name in archive.members if not name.startswith(content.covered)]
    for name in names[:MOST_MEMBERS]:
        try:
            if archive.head(name, LONGEST_HEAD).startswith(HEADS):
                yield _below(name, read(archive.region_of_member(name), name))
        except CheckpointError as error:
            yield Content("", (), (_refusal(name, error),))
    if names[MOST_MEMBERS:]:
        yield Content("", (), (), (f"{len(names) - MOST_MEMBERS:,} members were not looked into",))


def _below(name: str, content: Content) -> Content:
    """Return the content of a member with names that lead to it."""
    trees = tuple(replace(tree, prefix=(name, *tree.prefix)) for tree in content.trees)
    findings = tuple(
        replace(
            each, message=f"in member {name}: {each.message}", key=f"{name}/{each.key}" if each.key else name
        )
        for each in content.findings
    )
    return Content(content.kind, trees, findings, tuple(f"member {name} {note}" for note in content.notes))


def _refusal(name: str, error: CheckpointError) -> Finding:
    """Return the finding for a member that cannot be read; it is unsafe where it names something before that shows."""
    uses = error.globals if isinstance(error, PickleError) else ()
    levels = {level_of(use) for use in uses}
    level = "command" if "command" in levels else ""
    return Finding("unsafe" if level else "damaged", f"member {name}: {error}", name, level)


def bundle(archive: Archive, findings: tuple[Finding, ...], read: Read) -> Content:
    """Return the checkpoints in a zip archive that is none itself; raise `CheckpointError` where there are none."""
    content = with_members(Content("zip archive", (), findings), archive, read)
    if not content.trees and not any(each.kind == "unsafe" for each in content.findings):
        raise CheckpointError("a zip archive, but not of torch, Stable-Baselines3 or numpy")
    return content
