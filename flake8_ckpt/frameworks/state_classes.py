"""Classes of libraries with state: normalizers and others, and what is known of them."""

from __future__ import annotations

import re

KNOWN = re.compile(r"^(stable_baselines3?|gymnasium|gym|baselines)\..*\bRunningMeanStd$")
KNOWN_UPDATES = frozenset(["update", "update_from_moments", "combine"])
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
