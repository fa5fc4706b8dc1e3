"""Numbers that say how far a program has come: counters, what a loop counts on, best metrics."""
