"""The statistics of Stable-Baselines3's `VecNormalize`, saved beside the model and kept still in evaluation."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.findings import Edit
from flake8_ckpt.fixes.arguments import argument
from flake8_ckpt.fixes.arguments import call_in
from flake8_ckpt.fixes.payload_code import Scope
from flake8_ckpt.fixes.payload_code import lines_after
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import after

FILE = "vecnormalize.pkl"


def save_statistics(site: Site) -> Suggestion:
    """Save the wrapper after the model, or let the callback do it."""
    callback = call_in(site.statement, "CheckpointCallback")
    if callback is not None:
        return _of_callback(site, callback)
    title = "save the statistics of 'VecNormalize' too"
    save = call_in(site.statement, "save")
    model = (
        site.code(save.func.value) if save is not None and isinstance(save.func, cst.Attribute) else "model"
    )
    scope = Scope.of(site)
    wrapper = _wrapper_in(scope) or f"{model}.get_vec_normalize_env()"
    given = argument(save, "path", 0) if save is not None else None
    path = _beside(site, given.value) if given is not None else f'"{FILE}"'
    code = f"{wrapper}.save({path})"
    edit = lines_after(scope, scope.path, code)
    note = "load them with VecNormalize.load(path, env) before the model is used again"
    if edit is None or given is None:
        return Suggestion(title, "shown", note, code=code)
    return Suggestion(title, "unsafe", f"writes a file more; {note}", (edit,))


def _of_callback(site: Site, call: cst.Call) -> Suggestion:
    title = "let the callback save the statistics of 'VecNormalize' too"
    given = argument(call, "save_vecnormalize")
    if given is not None:
        return Suggestion(
            title, "unsafe", "writes a file more each time", (Edit(site.span(given.value), "True"),)
        )
    if not call.args or any(each.star for each in call.args):
        return Suggestion(title, "shown", "", code="save_vecnormalize=True")
    edit = after(site.span(call.args[-1].value), ", save_vecnormalize=True")
    return Suggestion(title, "unsafe", "writes a file more each time", (edit,))


def _wrapper_in(scope: Scope) -> str:
    """Return the name of the only local that holds a `VecNormalize`, or an empty string."""
    names = {
        node.targets[0].target.value
        for _, node in ways_to(scope.root)
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Name)
        and isinstance(node.value, cst.Call) and last_name(node.value.func) == "VecNormalize"
    }  # fmt: skip
    return names.pop() if len(names) == 1 else ""


def _beside(site: Site, given: cst.BaseExpression) -> str:
    """Return a path beside that of the model."""
    text, code = text_of(given), site.code(given)
    if text:
        return f'"{text.removesuffix(".zip")}_{FILE}"'
    if isinstance(given, cst.BinaryOperation) and isinstance(given.operator, cst.Divide):
        return f'{site.code(given.left)} / "{FILE}"'
    if isinstance(given, (cst.Name, cst.Attribute)):
        return f'f"{{{code}}}_{FILE}"'
    return f'str({code}) + "_{FILE}"'


def keep_statistics(site: Site) -> Suggestion:
    """Switch off the updates of a wrapper in evaluation, or show how it gets the statistics of training."""
    kind, statement = site.finding.fix.get("kind"), site.statement
    target = statement.targets[0].target if isinstance(statement, cst.Assign) else None
    name = site.code(target) if isinstance(target, (cst.Name, cst.Attribute)) else "env"
    if kind == "training":
        scope = Scope.of(site)
        edit = lines_after(scope, scope.path, f"{name}.training = False")
        title = f"set '{name}.training' to False"
        note = "evaluation no longer changes the statistics; set norm_reward to False too for raw rewards"
        if edit is None or target is None:
            return Suggestion(title, "shown", note, code=f"{name}.training = False")
        return Suggestion(title, "unsafe", note, (edit,))
    if kind == "late":
        return Suggestion("give it to the model", "shown", "", code=f"model.set_env({name})")
    if kind == "apart":
        code = (
            f"{name}.obs_rms = copy.deepcopy(model.get_vec_normalize_env().obs_rms)\n{name}.training = False"
        )
        return Suggestion("copy the statistics of training", "shown", "", code=code)
    call = call_in(statement, "VecNormalize")
    inner = site.code(call.args[0].value) if call is not None and call.args else "env"
    code = (
        f'{name} = VecNormalize.load("{FILE}", {inner})\n{name}.training = False\n{name}.norm_reward = False'
    )
    return Suggestion(
        "load the statistics", "shown", "from the file that training wrote beside the model", code=code
    )
