"""Classes that measure something once and are thrown away: what they gather is no state of a model."""

from __future__ import annotations

import re

from flake8_ckpt.linking.class_hierarchy import Hierarchy

NAMES = re.compile(r"(?:Metric|Meter|Accuracy|IoU|FID\w*|KID|InceptionScore|InceptionStatistics)s?$")
FILES = re.compile(r"(?:^|/)(?:metrics?|fid\w*|kid|meters?)(?:/|_\w+\.py|\.py)")
METRIC = re.compile(r"^torchmetrics\.(\w+\.)*Metric$|^ignite\.metrics\.")


def is_measure(hierarchy: Hierarchy, class_id: str) -> bool:
    """Tell whether a class is a metric, by its base, its name or its file."""
    path, _, name = class_id.partition(":")
    if NAMES.search(name) is not None or FILES.search(path) is not None:
        return True
    return any(METRIC.search(each) is not None for each in hierarchy.ancestors(class_id))
