"""The pairs of methods that a framework calls to save and restore an object."""
