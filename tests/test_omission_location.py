"""CKP201 stands where an argument is left out, however many callers lie around that call."""

from __future__ import annotations

from tests.rule_cases import lint

PROGRAM = """
import torch


class RunningMeanStd:
    def __init__(self):
        self.mean = torch.zeros(4)
        self.var = torch.ones(4)
        self.count = 0

    def update(self, batch):
        self.count += 1
        self.mean = self.mean + (batch.mean(0) - self.mean) / self.count

    def normalize(self, batch):
        return (batch - self.mean) / self.var.sqrt()


class Agent:
    def __init__(self, policy):
        self.policy = policy

    def save(self, path, metadata=None):
        payload = {"policy": self.policy.state_dict()}
        if metadata:
            payload["metadata"] = metadata
        torch.save(payload, path)

    def load(self, path):
        self.policy.load_state_dict(torch.load(path)["policy"])


def train(policy, path, resume):
    agent = Agent(policy)
    normalizer = RunningMeanStd()
    if resume:
        agent.load(path)
        metadata = torch.load(path).get("metadata", {})
        if "mean" in metadata:
            normalizer.mean = metadata["mean"]
    for batch in torch.randn(9, 8, 4):
        normalizer.update(batch)
        policy(normalizer.normalize(batch))
    agent.save(path)


def run(policy, options):
    train(policy, options.path, options.resume)


def main(policy, options):
    run(policy, options)
"""


def test_call_that_leaves_the_argument_out_is_the_place() -> None:
    lines = PROGRAM.splitlines()
    places = [lines[each.position.line - 1].strip() for each in lint(PROGRAM) if each.code == "CKP201"]
    assert places == ["agent.save(path)"]
