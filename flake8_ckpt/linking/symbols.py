"""What a name of one file means in the whole project: a class, a function, or something outside.

Definitions have an identity `path:qualified.name`; outside names stay absolute and dotted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from flake8_ckpt.facts.model import ClassFacts
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.module_files import ModuleFiles

# Re-exports of re-exports; a circle of them ends here.
MAX_HOPS = 12


class Symbols:
    """The definitions and the import tables of all files.

    `package` is the name that the files' root itself has as a package, if it is one; `known` is what is known
    of the libraries outside.
    """

    def __init__(
        self, files: Mapping[str, FileFacts], package: str = "", known: Frameworks = DEFAULT
    ) -> None:
        self.files = files
        libraries = frozenset(name.partition(".")[0] for name in (*known.saves, *known.loads))
        self.modules = ModuleFiles(files, package, libraries)
        self.known = known
        self._resolved: dict[tuple[str, str], str] = {}
        self._members: dict[tuple[str, str, int], str] = {}
        self._stars: dict[str, list[str]] = {}
        self._names: dict[str, set[str]] = {}
        self._variables: dict[str, dict[str, list[Value]]] = {}

    @cached_property
    def classes(self) -> dict[str, ClassFacts]:
        """Return all classes by identity."""
        return {f"{path}:{each.name}": each for path, facts in self.files.items() for each in facts.classes}

    @cached_property
    def functions(self) -> dict[str, FunctionFacts]:
        """Return all summarized functions by identity."""
        return {f"{path}:{each.name}": each for path, facts in self.files.items() for each in facts.functions}

    @cached_property
    def constants(self) -> dict[str, str]:
        """Return all strings that module variables and class attributes name, by identity."""
        return {
            f"{path}:{name}": text for path, facts in self.files.items() for name, text in facts.constants
        }

    @cached_property
    def imports(self) -> dict[str, dict[str, str]]:
        """Return the import table of each file."""
        return {path: dict(facts.imports) for path, facts in self.files.items()}

    def variable(self, identity: str) -> list[Value]:
        """Return what the variable of a module is bound to, by its script or a function, nothing for all else."""
        path, colon, name = identity.partition(":")
        if not colon or "." in name:
            return []
        if path not in self._variables:
            found = self._variables[path] = {}
            facts = self.files.get(path)
            for function in facts.functions if facts is not None else ():
                for store in function.stores:
                    bound = variable_of(store.target, function.name == "<module>")
                    if bound:
                        found.setdefault(bound, []).append(store.value)
        return self._variables[path].get(name, [])

    def resolve(self, name: str, path: str) -> str:
        """Return the identity, or the absolute outside name, of a name as one file writes it."""
        if ":" in name and not name.startswith(":"):
            return name
        key = (name, path)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(name, path, 0)
        return self._resolved[key]

    def _resolve(self, name: str, path: str, hops: int) -> str:
        if hops > MAX_HOPS:
            return ""
        if name.startswith(":"):
            return self._local(name[1:], path)
        if name.startswith("."):
            return self._relative(name, path, hops)
        if "." not in name:
            return self._starred(name, path, hops) or name
        return self._dotted(name, path, hops)

    def _local(self, name: str, path: str) -> str:
        identity = f"{path}:{name}"
        return identity

    def _relative(self, name: str, path: str, hops: int) -> str:
        """Resolve a name that a relative import gives, from the folder that its dots lead to."""
        folder, parts = self.modules.relative(name, path)
        for cut in range(len(parts) - 1, -1, -1):
            module = self.modules.below(folder, parts[:cut])
            if module is not None:
                found = self._member(".".join(parts[cut:]), module, hops + 1)
                return found or self.modules.absolute(name, path)
        return self.modules.absolute(name, path)

    def _starred(self, name: str, path: str, hops: int) -> str:
        head = name.partition(".")[0]
        for module in self._star_modules(path):
            if head in self._own_names(module) or self.files[module].stars:
                found = self._member(name, module, hops + 1)
                if found:
                    return found
        return ""

    def _star_modules(self, path: str) -> list[str]:
        """Return the files of which a file imports all names."""
        if path not in self._stars:
            modules = (self._module(name, path) for name in self.files[path].stars)
            self._stars[path] = [module for module in modules if module is not None and module != path]
        return self._stars[path]

    def _own_names(self, path: str) -> set[str]:
        """Return the names of the classes, functions and strings that a file defines, and of what it imports."""
        if path not in self._names:
            facts = self.files[path]
            names = [*(each.name for each in facts.classes), *(each.name for each in facts.functions)]
            names += [name for name, _ in facts.constants]
            self._names[path] = {name.partition(".")[0] for name in (*names, *self.imports[path])}
        return self._names[path]

    def _dotted(self, name: str, path: str, hops: int) -> str:
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1) if self.modules.may_hold(name) else ():
            module = self._module(".".join(parts[:cut]), path)
            if module is not None:
                return self._member(".".join(parts[cut:]), module, hops + 1) or name
        return self._starred(name, path, hops) or name

    def module_of(self, name: str, path: str) -> str:
        """Return the file of a module, or of the module that a name is a member of; "" outside the project."""
        target, colon, _ = self.resolve(name, path).partition(":")
        if colon:
            return target
        target = name if name.startswith(".") else target
        owner = target.rpartition(".")[0]
        return self._module(target, path) or (self._module(owner, path) if owner else None) or ""

    def _module(self, name: str, path: str) -> str | None:
        if not name.startswith("."):
            return self.modules.find(name, path)
        return self.modules.below(*self.modules.relative(name, path))

    def _member(self, name: str, path: str, hops: int) -> str:
        if hops > MAX_HOPS:
            return ""
        key = (name, path, hops)
        if key not in self._members:
            self._members[key] = self._found_member(name, path, hops)
        return self._members[key]

    def _found_member(self, name: str, path: str, hops: int) -> str:
        identity = f"{path}:{name}"
        if identity in self.classes or identity in self.functions or identity in self.constants:
            return identity
        head, dot, rest = name.partition(".")
        if f"{path}:{head}" in self.classes:
            return identity
        imported = self.imports[path].get(head)
        if imported is not None:
            return self._resolve(f"{imported}{dot}{rest}", path, hops)
        return self._starred(name, path, hops)


def variable_of(target: Value, is_script: bool) -> str:
    """Return the variable of a module that a statement of its script, or of a function binds, "" for others."""
    if isinstance(target, Local):
        return target.name if is_script else ""
    return target.path[1:] if isinstance(target, Name) and target.path[:1] == ":" else ""
