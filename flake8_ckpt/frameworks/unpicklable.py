"""Objects of Python's own that belong to a process: pickle refuses them."""

from __future__ import annotations

UNPICKLABLE = frozenset(
    f"{module}.{name}"
    for module, names in {
        "threading": "Lock RLock Condition Event Semaphore BoundedSemaphore Barrier Thread local",
        "multiprocessing": "Lock RLock Condition Event Semaphore BoundedSemaphore Barrier Queue SimpleQueue Pool Pipe",
        "torch.multiprocessing": "Lock RLock Condition Event Semaphore BoundedSemaphore Barrier Queue SimpleQueue Pool",
        "queue": "Queue LifoQueue PriorityQueue SimpleQueue",
        "socket": "socket",
        "sqlite3": "connect",
        "concurrent.futures": "ThreadPoolExecutor ProcessPoolExecutor",
    }.items()
    for name in names.split()
)
