"""What the facts already hold of checkpoints, for rules that compare what save writes with what load reads."""

from __future__ import annotations

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record

AGENT = """
import torch

class Agent:
    def save(self, path, metadata=None):
        payload = {"network": self.policy.state_dict(), "steps": self.steps}
        payload["config"] = {"lr": 0.1}
        if metadata:
            payload["metadata"] = metadata
        torch.save(payload, path)

    @classmethod
    def load(cls, path):
        checkpoint = torch.load(path, weights_only=True)
        agent = cls()
        agent.policy.load_state_dict(checkpoint["network"])
        agent.steps = checkpoint.get("steps", 0)
        if "metadata" in checkpoint:
            agent.extra = checkpoint.pop("metadata")
        return agent
"""
TRAIN = """
import torch
from agent import Agent

def train(resume_path, save_path):
    agent = Agent.load(resume_path)
    metadata = torch.load(resume_path).get("metadata", {})
    if "mean" in metadata:
        agent.mean = metadata["mean"]
    agent.save(save_path)
"""


def method(source: str, name: str) -> FunctionFacts:
    """Return the summary of one method of the only class."""
    (found,) = collect_file(source.encode()).classes
    return next(each for each in found.methods if each.name == name)


def function(source: str, name: str) -> FunctionFacts:
    """Return the summary of one function."""
    return next(each for each in collect_file(source.encode()).functions if each.name == name)


def test_payload_built_in_steps_has_its_keys() -> None:
    (saved,) = [site.call for site in method(AGENT, "save").calls if site.call.callee == Name("torch.save")]
    payload, path = saved.args
    assert path == Param("path")
    assert payload == Record(
        (
            Field("network", Call(Attr(Attr(SELF, "policy"), "state_dict"))),
            Field("steps", Attr(SELF, "steps")),
            Field("config", Record((Field("lr", NUMBER),))),
            Field("metadata", Param("metadata"), always=False),
        )
    )


def test_keys_that_load_reads_have_their_kinds() -> None:
    reads = {(each.key, each.kind) for each in method(AGENT, "load").key_reads}
    assert reads == {
        ("network", "required"),
        ("steps", "defaulted"),
        ("metadata", "guarded"),
    }
    bases = {each.base for each in method(AGENT, "load").key_reads}
    assert {base.callee for base in bases if isinstance(base, Call)} == {Name("torch.load")}


def test_nested_reads_keep_their_origin() -> None:
    reads = [each for each in function(TRAIN, "train").key_reads if each.key == "mean"]
    assert {each.kind for each in reads} == {"guarded"}
    assert all("resume_path" in repr(each.base) and "torch.load" in repr(each.base) for each in reads)


def test_calls_of_wrappers_keep_their_arguments() -> None:
    calls = [site.call for site in function(TRAIN, "train").calls]
    assert Call(Name("agent.Agent.load"), (Param("resume_path"),)) in calls
    (saved,) = [each for each in calls if isinstance(each.callee, Attr) and each.callee.name == "save"]
    assert saved.args == (Param("save_path"),)
