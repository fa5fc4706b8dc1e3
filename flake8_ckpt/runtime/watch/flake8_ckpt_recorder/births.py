"""Watch the user's objects from their birth: each class of a project file gets an `__init__` that tells of them."""

from __future__ import annotations

import builtins
import functools
import sys
import threading
from types import FunctionType
from typing import Any

from flake8_ckpt_recorder.arguments import MAX_OF_CLASS
from flake8_ckpt_recorder.arguments import plain_arguments
from flake8_ckpt_recorder.objects import Objects
from flake8_ckpt_recorder.places import CLASS_FILES
from flake8_ckpt_recorder.places import absolute
from flake8_ckpt_recorder.places import caller
from flake8_ckpt_recorder.places import class_file
from flake8_ckpt_recorder.places import file_of_module
from flake8_ckpt_recorder.places import is_project_file


def is_compiling() -> bool:
    """Tell whether torch is compiling what is called; torch's own function takes the place of this one."""
    return False


def _wrapper(init: Any) -> Any:
    """Return a constructor that tells of what it made; torch's compiler reads it, so it holds a function alone."""

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if is_compiling():
            init(self, *args, **kwargs)
        else:
            construct(init, self, args, kwargs)

    return __init__


def construct(init: Any, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Run a constructor; that of the `Births` that are installed takes the place of this one."""
    init(value, *args, **kwargs)


class Births:
    """The wrapped classes; their own `__init__` comes back while one is at work, and while anything is saved."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._wrapped: dict[type[Any], tuple[Any, Any]] = {}
        self._build = builtins.__build_class__
        self._depth = 0
        self._lock = threading.RLock()

    def install(self) -> None:
        """See each class when it is built."""
        globals()["construct"] = self.construct
        build = self._build

        @functools.wraps(build)
        def build_class(function: Any, name: str, *bases: Any, **keywords: Any) -> Any:
            cls = build(function, name, *bases, **keywords)
            file = getattr(getattr(function, "__code__", None), "co_filename", "")
            self._built(cls, file)
            return cls

        setattr(builtins, "__build_class__", build_class)

    def _built(self, cls: Any, file: str) -> None:
        if isinstance(cls, type) and is_project_file(absolute(file)):
            CLASS_FILES[cls] = absolute(file)
            self.objects.journal.guard(self.wrap)(cls)

    def wrap_known(self) -> None:
        """Wrap the classes that were built before."""
        modules = [each for each in list(sys.modules.values()) if is_project_file(file_of_module(each))]
        for module in modules:
            for cls in list(module.__dict__.values()):
                if isinstance(cls, type) and is_project_file(class_file(cls)):
                    self.wrap(cls)

    def wrap(self, cls: type[Any]) -> None:
        """Give a class an `__init__` that tells of each finished object."""
        init = cls.__dict__.get("__init__")
        if (
            not isinstance(init, FunctionType)
            or issubclass(cls, (BaseException, type))
            or cls in self._wrapped
        ):
            return
        wrapper = _wrapper(init)
        self._wrapped[cls] = init, wrapper
        setattr(cls, "__init__", wrapper)

    def construct(self, init: Any, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Run a constructor, and watch what it made.

        Some libraries read the frames of a chain of constructors, so only the outermost is wrapped.
        """
        made = self.arguments(init, type(value), args, kwargs)
        self.suspend(type(value))
        try:
            init(value, *args, **kwargs)
        finally:
            self.resume(type(value))
        self.born(value, made)

    def arguments(
        self, init: Any, cls: type[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, str]:
        """Return the plain arguments that the first objects of a class are made with by its own constructor."""
        try:
            if self.objects.count(cls) >= MAX_OF_CLASS or self._first(cls) is not init:
                return {}
            return plain_arguments(args, kwargs)
        except Exception as error:
            self.objects.journal.fault("arguments", error)
            return {}

    def _first(self, cls: type[Any]) -> Any:
        """Return the constructor that makes objects of a class."""
        owner = next(each for each in cls.__mro__ if "__init__" in each.__dict__)
        return self._wrapped.get(owner, (None,))[0]

    def born(self, value: Any, made: dict[str, str]) -> None:
        """Watch an object that its constructor has left."""
        try:
            if self.objects.is_full(type(value)):
                self._release(type(value))
            elif "torch" in sys.modules:
                watched = self.objects.add(value, caller(3), "birth")
                if watched is not None:
                    watched.made = made
        except Exception as error:
            self.objects.journal.fault("born", error)

    def _release(self, cls: type[Any]) -> None:
        for each in cls.__mro__:
            found = self._wrapped.get(each)
            if found is not None and self.objects.is_full(each):
                setattr(each, "__init__", found[0])
                del self._wrapped[each]

    def suspend(self, cls: type[Any]) -> None:
        """Give the constructors of a class and its bases back to them."""
        self._set(cls, 0)

    def resume(self, cls: type[Any]) -> None:
        """Undo `suspend`."""
        self._set(cls, 1)

    def _set(self, cls: type[Any], which: int) -> None:
        for each in cls.__mro__:
            found = self._wrapped.get(each)
            if found is not None and each.__dict__.get("__init__") is found[1 - which]:
                type.__setattr__(each, "__init__", found[which])

    def suspend_all(self) -> None:
        """Hide the wrappers, because a class may be written to a file by value."""
        with self._lock:
            self._depth += 1
            for cls in self._wrapped:
                self._set(cls, 0)

    def resume_all(self) -> None:
        """Undo `suspend_all`."""
        with self._lock:
            self._depth -= 1
            if not self._depth:
                for cls in self._wrapped:
                    self._set(cls, 1)
