"""Whether a program reads back the file that it writes itself."""

from __future__ import annotations

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.pairing.file_names import share_path
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.linking.value_names import parts_of


def is_same_file(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether a program reads back the very file that it writes."""
    if share_path(save, load):
        return True
    name = file_name(save.file)
    return save.unit.path == load.unit.path and name != "" and name == file_name(file_of(load.root))


def is_own_file(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether an object writes and reads the file that one of its attributes names: `self.model_path`."""
    path = file_of(load.root)
    return path == save.file and isinstance(path, Attr) and path.base == SELF


def share_folder(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether an object writes and reads in a folder of its own: `self.folder / "net.pt"`."""
    paths = (parts_of(save.file), parts_of(file_of(load.root)))
    own = [{each.name for each in parts if isinstance(each, Attr) and each.base == SELF} for parts in paths]
    return not own[0].isdisjoint(own[1])
