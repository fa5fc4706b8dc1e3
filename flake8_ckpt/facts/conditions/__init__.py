"""The conditions around statements: guards of branches, of keys, and what handlers catch."""
