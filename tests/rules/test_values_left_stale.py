"""CKP101, CKP107 and CKP110: values beside what a load restores, which it leaves as construction made them."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "the count is a buffer": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("k", torch.zeros(()))

    def observe(self, x):
        self.k += len(x)
        self.mean += (x.mean(0) - self.mean) * len(x) / self.k
""",
    "extra state holds the count": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.k = 0

    def observe(self, x):
        self.k += len(x)
        self.mean += (x.mean(0) - self.mean) * len(x) / self.k

    def get_extra_state(self):
        return self.k

    def set_extra_state(self, state):
        self.k = state
""",
    "a count that weighs nothing": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.calls = 0

    def observe(self, x):
        self.calls += 1
        self.mean += 0.1 * (x.mean(0) - self.mean)
        if self.calls % 100 == 0:
            print(self.calls)
""",
    "a row that the count points at": TORCH
    + """
class Queue(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("rows", torch.zeros(n, 3))
        self.at = 0

    def push(self, x):
        self.rows[self.at] = x
        self.at += 1
""",
    "an epoch begins with both anew": TORCH
    + """
class Average(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.k = 0

    def clear(self):
        self.mean.zero_()
        self.k = 0

    def push(self, x):
        self.k += 1
        self.mean += (x - self.mean) / self.k
""",
    "a weight that nobody counts up": TORCH
    + """
class Average(nn.Module):
    def __init__(self, n, rate=0.1):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.rate = 0.1

    def set_rate(self, rate):
        self.rate = rate

    def push(self, x):
        self.mean += (x - self.mean) * self.rate
""",
    "a property takes the number": TORCH
    + """
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))

    @property
    def alpha(self):
        return self.log_alpha.exp().item()

    def loss(self, x):
        return self.alpha * x
""",
    "each step takes the number": TORCH
    + """
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.alpha = self.log_alpha.exp().item()

    def loss(self, x):
        return self.alpha * x

    def training_step(self, x):
        loss = self.loss(x)
        self.alpha = self.log_alpha.exp().item()
        return loss
""",
    "who reads the number takes it first": TORCH
    + """
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.alpha = self.log_alpha.exp().item()

    def take(self):
        self.alpha = self.log_alpha.exp().item()

    def loss(self, x):
        self.take()
        return self.alpha * x
""",
    "a load takes the number": TORCH
    + """
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.alpha = self.log_alpha.exp().item()

    def take(self):
        self.alpha = self.log_alpha.exp().item()

    def load_state_dict(self, state, strict=True):
        super().load_state_dict(state, strict)
        self.take()

    def loss(self, x):
        return self.alpha * x
""",
    "a hook after the load takes the number": TORCH
    + """
def take(module, keys):
    module.alpha = module.log_alpha.exp().item()

class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.alpha = self.log_alpha.exp().item()
        self.register_load_state_dict_post_hook(take)

    def loss(self, x):
        return self.alpha * x
""",
    "the number of a constant buffer": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, limits: list[float]):
        super().__init__()
        self.register_buffer("limits", torch.tensor(limits))
        self.largest = self.limits.max().item()

    def forward(self, x):
        return x / self.largest
""",
    "the size of a parameter": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.size = float(self.weight.shape[0])

    def forward(self, x):
        return x * self.weight / self.size
""",
    "the number of elements of a parameter": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n, 3))
        self.gain = 1.0 / float(self.weight[0].numel()) ** 0.5

    def forward(self, x):
        return x * self.weight * self.gain
""",
    "a derived buffer is saved too": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.register_buffer("std", torch.ones(n))

    def observe(self, x):
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        self.std = self.var.sqrt()

    def forward(self, x):
        return x / self.std
""",
    "who reads the derived buffer derives it first": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.register_buffer("std", torch.ones(n), persistent=False)

    def observe(self, x):
        self.var = 0.9 * self.var + 0.1 * x.var(0)

    def derive(self):
        self.std = self.var.sqrt()

    def forward(self, x):
        self.derive()
        return x / self.std
""",
    "a load derives the buffer": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.register_buffer("std", torch.ones(n), persistent=False)

    def observe(self, x):
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        self.derive()

    def derive(self):
        self.std = self.var.sqrt()

    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.derive()

    def forward(self, x):
        return x / self.std
""",
    "derived from what never changes": TORCH
    + """
class Window(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("taps", torch.ones(n))
        self.register_buffer("kernel", torch.ones(n), persistent=False)

    def update(self, width):
        self.kernel = self.taps[:width]

    def forward(self, x):
        return x * self.kernel
""",
    "a flag that each epoch takes back": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, n)
        self.ready = False

    def on_train_epoch_start(self):
        self.ready = False

    def forward(self, x):
        if not self.ready:
            self.layer.weight.data *= 1 / x.std()
            self.ready = True
        return self.layer(x)
""",
}

FOUND: dict[str, Case] = {
    "a count in neutral words": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("a", torch.zeros(n))
        self.b = 1e-4  # CKP110

    def absorb(self, x):
        self.b = self.b + len(x)
        share = len(x) / self.b
        self.a = self.a * (1 - share) + x.mean(0) * share
""",
    "a count of nn Buffer": TORCH
    + """
class Tracker(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(n))
        self.steps: int = 0  # CKP110

    def forward(self, x):
        if self.training:
            self.steps += 1
            decay = min(0.99, self.steps / (self.steps + 10))
            self.mean.mul_(decay).add_(x.mean(0), alpha=1 - decay)
        return x - self.mean
""",
    "a count in a base class": TORCH
    + """
class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = 0
        self.epochs = 0

class Tracker(Counted):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n))
        self.weight = 0.0  # CKP110

    def push(self, x):
        self.weight += x.shape[0]
        self.mean[:] = self.mean + (x.mean(0) - self.mean) / self.weight
""",
    "a flag in a helper that scales a layer": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, n)
        self.done = False  # CKP110

    def prepare(self, x):
        if self.done:
            return
        for weight in self.layer.parameters():
            weight.data.div_(x.std())
        self.done = True

    def forward(self, x):
        self.prepare(x)
        return self.layer(x)
""",
    "a flag and an initializer of torch": TORCH
    + """
class Late(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, n)
        self.fresh = True  # CKP110

    def forward(self, x):
        if self.fresh:
            nn.init.constant_(self.layer.bias, float(x.mean()))
            self.fresh = False
        return self.layer(x)
""",
    "a flag and a layer that starts anew": TORCH
    + """
class Late(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, n)
        self.fresh = True  # CKP110

    def forward(self, x):
        if self.fresh:
            self.layer.reset_parameters()
            self.fresh = False
        return self.layer(x)
""",
    "a number taken from a parameter": TORCH
    + """
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_parameter("log_alpha", nn.Parameter(torch.zeros(())))
        self.alpha = float(self.log_alpha.exp())  # CKP110

    def loss(self, x):
        return self.alpha * x
""",
    "a number taken from a buffer that is updated": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("limits", torch.ones(n))
        self.largest = self.limits.max().item()  # CKP110

    def observe(self, x):
        self.limits = torch.maximum(self.limits, x.abs().amax(0))

    def refresh(self):
        self.largest = self.limits.max().item()

    def forward(self, x):
        return x / self.largest
""",
    "a derived buffer": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.register_buffer("std", torch.ones(n), persistent=False)  # CKP107

    def observe(self, x):
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        self.std = self.var.sqrt()

    def forward(self, x):
        return x / self.std
""",
    "a buffer derived in place through a local": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.register_buffer("inverse", torch.ones(n), persistent=False)  # CKP107

    def forward(self, x):
        if self.training:
            self.var.mul_(0.9).add_(0.1 * x.var(0))
            inverse = torch.rsqrt(self.var + 1e-5)
            self.inverse.copy_(inverse)
        return x * self.inverse
""",
    "a plain tensor derived in an update": TORCH
    + """
class Whiten(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.register_buffer("var", torch.ones(n))
        self.std = torch.ones(n)  # CKP101

    def update(self, x):
        self.var = 0.9 * self.var + 0.1 * x.var(0)
        self.std = self.var.sqrt()

    def forward(self, x):
        return x / self.std
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_a_load_leaves(case: Case) -> None:
    check_findings(case)
