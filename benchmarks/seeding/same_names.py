"""Edits that change nothing: other names for `self`, torch, its functions and the keys of payloads."""

from __future__ import annotations

import re

import libcst as cst
from libcst import matchers as m

SELF = "this"
TORCH = "th"


class RenameSelf(cst.CSTTransformer):
    """`self` of every function becomes another name, in files that do not use that name."""

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        """Rename the one name; attributes and keywords of it are put back below."""
        return updated_node.with_changes(value=SELF) if updated_node.value == "self" else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        """Keep the name of an attribute."""
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        """Keep the name of a keyword."""
        return updated_node.with_changes(keyword=original_node.keyword)


class RenameTorch(cst.CSTTransformer):
    """`import torch` becomes `import torch as th`; a file that also imports `torch.x` so is left alone."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0

    def visit_Import(self, node: cst.Import) -> bool:
        """Leave the names of an import to `leave_Import`."""
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        """`from torch import nn` stays."""
        return False

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        """Give torch its other name."""
        names = [self._renamed(each) for each in updated_node.names]
        return updated_node.with_changes(names=names)

    def _renamed(self, alias: cst.ImportAlias) -> cst.ImportAlias:
        if not m.matches(alias, m.ImportAlias(name=m.Name("torch"), asname=None)):
            return alias
        return alias.with_changes(asname=cst.AsName(cst.Name(TORCH)))

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        """Rename each use."""
        return updated_node.with_changes(value=TORCH) if updated_node.value == "torch" else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        """Keep the name of an attribute."""
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        """Keep the name of a keyword."""
        return updated_node.with_changes(keyword=original_node.keyword)


class SaveByKeyword(cst.CSTTransformer):
    """`torch.save(a, b)` becomes `torch.save(obj=a, f=b)`."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Name the two arguments."""
        if not m.matches(
            updated_node, m.Call(func=m.Attribute(m.Name("torch"), m.Name("save")), args=[_PLAIN, _PLAIN])
        ):
            return updated_node
        return updated_node.with_changes(
            args=[
                each.with_changes(keyword=cst.Name(name), equal=_EQUAL)
                for each, name in zip(updated_node.args, ("obj", "f"))
            ]
        )


class ImportSave(cst.CSTTransformer):
    """`torch.save(...)` and `torch.load(...)` become imported functions of other names."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Call the function by its imported name."""
        for name in ("save", "load"):
            if m.matches(updated_node.func, m.Attribute(m.Name("torch"), m.Name(name))):
                return updated_node.with_changes(func=cst.Name(f"torch_{name}"))
        return updated_node

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """Import both."""
        return with_prelude(updated_node, "from torch import load as torch_load, save as torch_save")


class KeysAsConstants(cst.CSTTransformer):
    """`d["key"]` and `{"key": ...}` name a constant of the module."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str] = {}

    def _named(self, node: cst.BaseExpression) -> cst.BaseExpression:
        text = node.evaluated_value if isinstance(node, cst.SimpleString) else None
        if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z]\w*", text):
            return node
        return cst.Name(self.keys.setdefault(text, f"_KEY_{text}"))

    def leave_Index(self, original_node: cst.Index, updated_node: cst.Index) -> cst.Index:
        """Name what stands between brackets."""
        return updated_node.with_changes(value=self._named(updated_node.value))

    def leave_DictElement(
        self, original_node: cst.DictElement, updated_node: cst.DictElement
    ) -> cst.DictElement:
        """Name the key of a dict."""
        return updated_node.with_changes(key=self._named(updated_node.key))

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        """`Dict["A", "B"]` in an annotation is no key."""
        return False

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        """Define the constants."""
        lines = [f"{name} = {text!r}" for text, name in self.keys.items()]
        return with_prelude(updated_node, *lines)


class KeysAsFormatStrings(cst.CSTTransformer):
    """`d["key"]` becomes `d[f"key"]`."""

    def leave_Index(self, original_node: cst.Index, updated_node: cst.Index) -> cst.Index:
        """Put an `f` before a plain string."""
        value = updated_node.value
        if not m.matches(value, m.SimpleString()) or not re.fullmatch(
            r"\"\w+\"|'\w+'", cst.ensure_type(value, cst.SimpleString).value
        ):
            return updated_node
        return updated_node.with_changes(
            value=cst.parse_expression("f" + cst.ensure_type(value, cst.SimpleString).value)
        )

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        """An annotation takes no such string."""
        return False


_PLAIN = m.Arg(keyword=None, star="")
_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def with_prelude(module: cst.Module, *lines: str) -> cst.Module:
    """Put statements below the docstring and the `__future__` imports of a module."""
    place = 0
    for index, statement in enumerate(module.body):
        is_docstring = index == 0 and m.matches(statement, m.SimpleStatementLine([m.Expr(m.SimpleString())]))
        if is_docstring or m.matches(statement, _FUTURE):
            place = index + 1
    added = [cst.parse_statement(line) for line in lines]
    return module.with_changes(body=[*module.body[:place], *added, *module.body[place:]])


_FUTURE = m.SimpleStatementLine([m.ImportFrom(module=m.Name("__future__"))])
