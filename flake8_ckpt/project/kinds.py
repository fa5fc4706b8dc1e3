"""What kind of state an object holds, by its class: an optimizer, a scheduler, a normalizer and so on."""

from __future__ import annotations

import re

from flake8_ckpt.project.hierarchy import Hierarchy

OUTSIDE = (
    ("scheduler", re.compile(
        r"^torch\.optim\.lr_scheduler\.\w+$|(^|[._])get_\w*schedule\w*$|(^|\.)create_scheduler\w*$"
        r"|^(timm|transformers|diffusers)\..*[Ss]cheduler\w*$|(^|\.)\w*LR$"
    )),
    ("optimizer", re.compile(
        r"^torch\.optim\.[A-Z]\w+$|(^|\.)[A-Z]\w*Optimizer$|^torch\.optim\.\w+\.[A-Z]\w+$|(^|\.)create_optimizer\w*$"
        r"|(^|\.)(Fused)?(Adam|AdamW|SGD|Lion|Lamb|RAdam|Adafactor|Shampoo|Adan|Prodigy)(8bit)?$"
    )),
    ("scaler", re.compile(r"(^|\.)(ShardedGrad|Grad)Scaler$|(^|\.)NativeScaler\w*$")),
    ("ema", re.compile(r"(^|\.)(ModelEma\w*|EMA|EMAModel|ExponentialMovingAverage|AveragedModel|ModelEMA)$")),
)  # fmt: skip
KNOWN_NORMALIZERS = re.compile(
    r"(^|\.)(VecNormalize|VecNorm(V2)?|NormalizeObservation|NormalizeReward|RunningMeanStd|RunningStandardScaler"
    r"|EmpiricalNormalization|EmpiricalDiscountedVariationNormalization|VecEnvNormObs|RewardScaler"
    r"|ObservationNormalizer)$"
)
NOT_TORCH = re.compile(r"^(warp|warp_nn|optax|flax|jax|tensorflow|tf|keras|mxnet|megengine)(\.|$)")
AVERAGES = re.compile(r"MovingAverage$|^(Model)?E[Mm][Aa]([A-Z]|$)|E[Mm][Aa]$|^Averaged?Model")
MEANS = re.compile(r"(^|_)(means?|mu)(_|$)", re.I)
SPREADS = re.compile(r"(^|_)(var|vars|variance|stds?|m2|s2?|sumsq|sq|squares?)(_|$)", re.I)
UPDATES = re.compile(
    r"^_?(update|record|push|observe|partial_fit|add|accumulate|collect|experience|step)(_|$)"
)
NORMALIZES = re.compile(
    r"^_?(de|un|inv(erse)?_?)?(normali[sz]e|standardi[sz]e|whiten|filter|scale|transform|apply|__call__|forward|process"
    r"|preprocess|norm)(_|$)|^(__call__|forward)$"
)
MAX_STATISTICS = 12


class Kinds:
    """Tells the kind of a class."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self._known: dict[str, str] = {}

    def of(self, klass: str) -> str:
        """Return "optimizer", "scheduler", "scaler", "ema", "normalizer", "stateful", "module", or "" for others."""
        if klass not in self._known:
            self._known[klass] = self._kind(klass) if klass else ""
        return self._known[klass]

    def _kind(self, klass: str) -> str:
        if self.is_normalizer(klass):
            return "normalizer"
        if klass not in self.hierarchy.symbols.classes:
            if NOT_TORCH.search(klass):
                return ""
            return next((kind for kind, pattern in OUTSIDE if pattern.search(klass)), "")
        for ancestor in self.hierarchy.ancestors(klass)[1:]:
            if ancestor not in self.hierarchy.symbols.classes:
                for kind, pattern in OUTSIDE:
                    if pattern.search(ancestor):
                        return kind
        names = self.method_names(klass)
        tail = klass.rpartition(":")[2].rpartition(".")[2]
        if tail.endswith("Scheduler") and "step" in names:
            return "scheduler"
        if AVERAGES.search(tail) and not names.isdisjoint(("update", "step", "apply", "__call__")):
            return "ema"
        if "state_dict" in names and "load_state_dict" in names:
            return "stateful"
        return "module" if self.hierarchy.is_module(klass) else ""

    def method_names(self, klass: str) -> set[str]:
        """Return the names of all methods of a class and its ancestors in the project."""
        classes = self.hierarchy.symbols.classes
        return {
            name
            for each in self.hierarchy.ancestors(klass)
            if each in classes
            for name in classes[each].method_names
        }

    def is_normalizer(self, klass: str) -> bool:
        """Tell whether objects of a class have running statistics that they update and normalize with."""
        classes = self.hierarchy.symbols.classes
        if klass not in classes:
            return KNOWN_NORMALIZERS.search(klass) is not None
        ancestors = self.hierarchy.ancestors(klass)
        if any(each not in classes and KNOWN_NORMALIZERS.search(each) for each in ancestors[1:]):
            return True
        statistics = [name for each in ancestors if each in classes for name in classes[each].statistics]
        names = self.method_names(klass)
        return (
            len(statistics) <= MAX_STATISTICS
            and any(map(MEANS.search, statistics))
            and any(map(SPREADS.search, statistics))
            and any(map(NORMALIZES.search, names))
            and (any(map(UPDATES.search, names)) or any(map(COUNTS.search, statistics)))
        )


COUNTS = re.compile(r"(^|_)(count|cnt|n|num)(_|$)", re.I)
