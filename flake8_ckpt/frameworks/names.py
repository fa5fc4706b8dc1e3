"""What identifiers hint: statistics, counters, loaders, words of training."""

from __future__ import annotations

import re

NORMALIZER_WORDS = re.compile(
    r"normali[sz]er|normali[sz]ation|running_?mean|running_?var|mean_?std|(^|_)rms(_|$)|vec_?norm"
    r"|(ob|obs|rew|ret|reward|state)_?(norm|rms|stats|mean|var|filter)(_|$)"
)
COUNTERS = re.compile(r"(^|_)(epochs?|steps?|iters?|iterations?|frames?|episodes?|updates?|timesteps?)(_|$)")
LOADERS = re.compile(r"(^|_)(load|set|restore|resume)(_|$)")
RESTORERS = re.compile(LOADERS.pattern + r"|^copy_$|^update$|^fill_$")
TRAINING_WORDS = re.compile(r"(^|_)(optim(izer)?s?|opt|sched(uler)?s?|lr_scheduler|scaler|rng|amp)(_|$|\d)")
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
COUNTS = re.compile(r"(^|_)(count|cnt|n|num)(_|$)", re.I)
