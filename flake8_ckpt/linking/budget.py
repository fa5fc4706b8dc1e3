"""How many steps may be spent on values: what is left over is Unknown."""

from __future__ import annotations

from dataclasses import dataclass

# Enough for each value of a `main` of a thousand lines; only what a program wrote needs more.
MAX_STEPS = 10_000
MAX_STEPS_OF_FUNCTION = 400_000
# What is asked when all functions are summarized has a bound for each value, and none for all of them together.
UNBOUNDED = 2**62


@dataclass
class Budget:
    """The steps that are left for the values of one function; `is_spent` where the last value got too few."""

    total: int = MAX_STEPS_OF_FUNCTION
    left: int = 0
    is_spent: bool = False

    def begin(self) -> None:
        """Allow the steps of a value."""
        self.left = min(MAX_STEPS, self.total)
        self.is_spent = False

    def step(self) -> bool:
        """Take a step, and tell whether it was left."""
        self.left -= 1
        self.total -= 1
        self.is_spent = self.is_spent or self.left < 0
        return self.left >= 0
