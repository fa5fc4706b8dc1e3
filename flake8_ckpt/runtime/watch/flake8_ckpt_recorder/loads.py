"""What loads bring into the program, which of it is restored, and what is overwritten before training goes on."""

from __future__ import annotations

import sys
import weakref
from types import FrameType
from typing import Any
from typing import Callable

from flake8_ckpt_recorder import births
from flake8_ckpt_recorder.imports import AfterImport
from flake8_ckpt_recorder.leaves import own_dict
from flake8_ckpt_recorder.leaves import tensors_of
from flake8_ckpt_recorder.objects import finite
from flake8_ckpt_recorder.places import Place
from flake8_ckpt_recorder.places import caller
from flake8_ckpt_recorder.places import class_file
from flake8_ckpt_recorder.places import file_of
from flake8_ckpt_recorder.places import is_project_file
from flake8_ckpt_recorder.prints import Sight
from flake8_ckpt_recorder.prints import is_tensor
from flake8_ckpt_recorder.prints import look
from flake8_ckpt_recorder.recorder import Recorder
from flake8_ckpt_recorder.saves import DISTRIBUTED
from flake8_ckpt_recorder.saves import path_of
from flake8_ckpt_recorder.wrapping import wrap

MAX_TENSORS = 4096
MAX_KEYS = 200
MAX_SET = 100_000
MAX_PLACES = 8
MAX_PICKLES = 20
LOADS = (
    ("torch.serialization", "load"),
    ("torch", "load"),
    ("safetensors.torch", "load_file"),
    ("torch.distributed.checkpoint.state_dict_loader", "load"),
    ("torch.distributed.checkpoint", "load"),
    ("pickle", "load"),
    ("joblib", "load"),
)
# What these read may as well be data: only what something of it is restored from is a checkpoint.
OF_ANYTHING = ("pickle", "joblib")
# What the dictionary of an optimizer, a scheduler or a scaler has.
KEPT_STATE = ({"param_groups", "state"}, {"last_epoch"}, {"scale", "growth_factor"})
Mark = tuple[int, int]
# An object and the name of its attribute.
Holder = tuple["weakref.ref[Any]", str]


class Loaded:
    """One file that was loaded: what each of its top keys holds, by prints, and which of them went somewhere."""

    def __init__(self, path: str, place: Place, content: Any) -> None:
        self.path = path
        self.place = place
        self.parts: dict[str, set[Mark]] = {}
        self.ids: dict[str, int] = {}
        self.stateful: set[str] = set()
        self.taken: set[str] = set()
        # It is no checkpoint unless something of it is restored.
        self.is_data = False
        self.id = id(content)
        if isinstance(content, dict):
            for key, each in list(content.items())[:MAX_KEYS]:
                self._take_in(str(key), each)

    def _take_in(self, key: str, value: Any) -> None:
        self.ids[key] = id(value)
        self.parts[key] = marks = set(marks_in(value))
        is_kept = isinstance(value, dict) and any(names <= set(value) for names in KEPT_STATE)
        if marks or is_kept:
            self.stateful.add(key)

    def give(self, value: Any) -> bool:
        """Note that something was given to a `load_state_dict`; return whether it came from this file."""
        marks = set(marks_in(value))
        found = {key for key, each in self.ids.items() if each == id(value) or marks & self.parts[key]}
        if id(value) == self.id:
            found = set(self.ids)
        self.taken |= found
        return bool(found)


def _read(module: str, args: tuple[Any, ...], kwargs: dict[str, Any], content: Any) -> tuple[Any, Any]:
    """Return what was read from, and what was read: a distributed checkpoint fills the mapping that it is given."""
    if not module.startswith(DISTRIBUTED):
        return args[0] if args else kwargs.get("f", kwargs.get("filename")), content
    reader = getattr(kwargs.get("storage_reader"), "__dict__", {})
    return kwargs.get("checkpoint_id") or reader.get("path"), args[0] if args else kwargs.get("state_dict")


def _holds_one_of(module: Any, others: list[Any]) -> bool:
    """Tell whether a module is one of some others, or has one of them as a part."""
    known = {id(each) for each in others}
    return any(id(part) in known for part in module.modules())


def marks_in(value: Any, depth: int = 4) -> list[Mark]:
    """Return the prints of the tensors and arrays in a value that have more than one element."""
    found: list[Mark] = []
    stack = [(value, depth)]
    while stack and len(found) < MAX_TENSORS:
        each, left = stack.pop()
        if isinstance(each, (dict, list, tuple)):
            parts = each.values() if isinstance(each, dict) else each
            stack += [(part, left - 1) for part in parts] if left else []
        elif (sight := look(each, 0)) is not None and sight.kind in ("tensor", "array") and sight.size > 1:
            found.append(sight.mark)
    return found


class Restored:
    """One module that was restored: who held it, and its tensors and their prints, before and after."""

    def __init__(self, module: Any, before: dict[str, Sight], holders: list[Holder]) -> None:
        self.ref = weakref.ref(module)
        self.cls = type(module)
        self.holders = holders
        self.before = before
        self.after = sights_of(module)
        self.set_at: dict[tuple[int, str], list[Place]] = {}


def sights_of(module: Any) -> dict[str, Sight]:
    """Return the sights of a module's tensors by full name."""
    return {name: sight for name, _, _, value, _ in tensors_of(module) if (sight := look(value)) is not None}


class Loads:
    """What was loaded and restored since the last step."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.pending: list[Loaded] = []
        self.restored: list[Restored] = []
        self.set_at: dict[tuple[int, str], list[Place]] = {}
        self._setter: Any = None
        self._sets = 0
        self._pickles = 0

    def install(self, imports: AfterImport) -> None:
        """Wrap what loads and what restores."""
        guard = self.recorder.journal.guard
        for module, name in LOADS:
            imports.after(module, guard(self._loader(module, name)))
        imports.after("torch", guard(self._wrap_restorers))

    def _loader(self, module: str, name: str) -> Callable[[Any], None]:
        is_of_anything = module in OF_ANYTHING

        def around(original: Any, *args: Any, **kwargs: Any) -> Any:
            if is_of_anything and not self._may_be_checkpoint(sys._getframe(2)):
                return original(*args, **kwargs)
            depth = getattr(self.recorder.local, "load_depth", 0)
            self.recorder.local.load_depth = depth + 1
            try:
                content = original(*args, **kwargs)
            finally:
                self.recorder.local.load_depth = depth
            if not depth:
                target, found = _read(module, args, kwargs, content)
                self.recorder.journal.guard(self._loaded)(target, caller(2), found, is_of_anything)
            return content

        return lambda module: wrap(module, name, around)

    def _may_be_checkpoint(self, frame: FrameType) -> bool:
        """Tell whether the user's own code reads a pickle, one of a few: many files are data."""
        self._pickles += is_project_file(file_of(frame))
        return self._pickles <= MAX_PICKLES and is_project_file(file_of(frame))

    def _loaded(self, target: Any, place: Place, content: Any, is_of_anything: bool) -> None:
        loaded = Loaded(path_of(target), place, content)
        loaded.is_data = is_of_anything
        self.pending.append(loaded)
        self.recorder.journal.write(
            "load",
            path=loaded.path,
            place=place,
            step=self.recorder.steps,
            keys=list(loaded.ids),
        )

    def _wrap_restorers(self, torch: Any) -> None:
        wrap(torch.nn.Module, "load_state_dict", self._restore_module)
        optim = sys.modules["torch.optim.optimizer"]
        scheduler = sys.modules["torch.optim.lr_scheduler"]
        wrap(optim.Optimizer, "load_state_dict", self._restore_other)
        for cls in list(vars(scheduler).values()):
            if isinstance(cls, type) and "load_state_dict" in cls.__dict__:
                wrap(cls, "load_state_dict", self._restore_other)
        amp = sys.modules.get("torch.amp.grad_scaler")
        if amp is not None:
            wrap(amp.GradScaler, "load_state_dict", self._restore_other)

    def _restore_module(self, original: Any, self_: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.pending:
            return original(self_, *args, **kwargs)
        given = args[0] if args else kwargs.get("state_dict")
        before = self.recorder.journal.guard(sights_of)(self_) or {}
        is_ours = self.recorder.journal.guard(self._give)(given)
        result = original(self_, *args, **kwargs)
        if is_ours:
            self.recorder.journal.guard(self._note_restored)(self_, before)
        return result

    def _restore_other(self, original: Any, self_: Any, *args: Any, **kwargs: Any) -> Any:
        given = args[0] if args else kwargs.get("state_dict")
        if self.pending and self.recorder.journal.guard(self._give)(given):
            watched = self.recorder.objects.get(self_)
            if watched is not None:
                watched.is_restored = watched.is_news = True
        return original(self_, *args, **kwargs)

    def _give(self, given: Any) -> bool:
        return any([loaded.give(given) for loaded in self.pending])

    def _note_restored(self, module: Any, before: dict[str, Sight]) -> None:
        self.restored = [each for each in self.restored if each.ref() is not module]
        holders = [
            (weakref.ref(holder), name)
            for _, holder in self.recorder.objects.alive()
            for name, value in own_dict(holder).items()
            if value is module
        ]
        self.restored.append(Restored(module, before, holders[:MAX_PLACES]))
        self.recorder.objects.begin_anew(module)
        self._watch_assignments()

    # From a restore to the next step: who assigns to the attributes of modules

    def _watch_assignments(self) -> None:
        module_class = sys.modules["torch"].nn.Module
        if self._setter is not None:
            return
        self._setter = setter = module_class.__setattr__
        is_compiling = births.is_compiling

        def __setattr__(module: Any, name: str, value: Any) -> None:
            if not is_compiling() and is_tensor(value):
                self._sets += 1
                if self._sets < MAX_SET:
                    places = self.set_at.setdefault((id(module), name), [])
                    place = caller(2)
                    if place not in places[:MAX_PLACES]:
                        places.append(place)
            setter(module, name, value)

        module_class.__setattr__ = __setattr__

    def _unwatch_assignments(self) -> None:
        if self._setter is not None:
            sys.modules["torch"].nn.Module.__setattr__ = self._setter
            self._setter = None

    def before_step(self) -> None:
        """Tell what the loads before this step did not bring back, or brought back in vain."""
        pending, restored, set_at = self.pending, self.restored, self.set_at
        self.pending, self.restored, self.set_at = [], [], {}
        self._unwatch_assignments()
        if not any(loaded.taken for loaded in pending):
            return
        self.recorder.journal.guard(self._tell)(pending, restored, set_at)

    def _tell(
        self, pending: list[Loaded], restored: list[Restored], set_at: dict[tuple[int, str], list[Place]]
    ) -> None:
        journal = self.recorder.journal
        self.recorder.objects.link()
        self.recorder.tell()
        alive = self._living_marks()
        for loaded in (each for each in pending if each.taken or not each.is_data):
            lost = sorted(key for key in loaded.stateful - loaded.taken if not loaded.parts[key] & alive)
            journal.write(
                "resumed",
                path=loaded.path,
                place=loaded.place,
                keys=list(loaded.ids),
                taken=sorted(loaded.taken),
                unrestored=lost,
            )
        kept = [each.ref() for each in restored]
        for each in restored:
            self._tell_replaced(each, set_at)
            self._tell_left(each, kept)

    def _living_marks(self) -> set[Mark]:
        found: set[Mark] = set()
        for _, value in self.recorder.objects.alive():
            attributes = own_dict(value)
            found.update(marks_in(list(attributes.values()), 5))
            found.update(sight.mark for sight in sights_of(value).values() if sight.size > 1)
        return found

    def _tell_replaced(self, restored: Restored, set_at: dict[tuple[int, str], list[Place]]) -> None:
        module = restored.ref()
        if module is None:
            return
        for full_name, owner, name, value, table in tensors_of(module):
            now, then, before = look(value), restored.after.get(full_name), restored.before.get(full_name)
            if now is None or then is None or now.mark == then.mark:
                continue
            places = set_at.get((id(owner), name), [])
            is_reset = before is not None and now.mark == before.mark
            if places or is_reset or table == "_parameters":
                self._write_replaced(module, owner, full_name, places, then, now)

    def _tell_left(self, restored: Restored, kept: list[Any]) -> None:
        """Tell of who held a restored module and has put a new one in its place."""
        for ref, name in restored.holders:
            holder = ref()
            value = own_dict(holder).get(name) if holder is not None else None
            if type(value) is not restored.cls or _holds_one_of(value, kept):
                continue
            made = self.recorder.objects.get(value)
            is_birth = made is not None and made.found == "birth"
            # Nobody sees the birth of a library's module, but its holder had the restored one.
            is_new = is_birth or not is_project_file(class_file(restored.cls))
            now, then = sights_of(value), restored.after
            is_same = all(key in now and now[key].mark == sight.mark for key, sight in then.items())
            watched = self.recorder.objects.get(holder)
            if is_new and watched is not None and not is_same:
                self.recorder.journal.write(
                    "replaced",
                    object=watched.serial,
                    cls=type(holder).__qualname__,
                    name=name,
                    places=[made.place] if made is not None and made.place[1] else [],
                    before=[],
                    after=[],
                )

    def _write_replaced(
        self, module: Any, owner: Any, name: str, places: list[Place], then: Sight, now: Sight
    ) -> None:
        watched = self.recorder.objects.get(owner) or self.recorder.objects.get(module)
        self.recorder.journal.write(
            "replaced",
            object=watched.serial if watched is not None else None,
            cls=type(owner).__qualname__,
            name=name,
            places=places,
            before=finite(then.shown),
            after=finite(now.shown),
        )
