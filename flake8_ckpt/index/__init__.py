"""The files of a project, their facts, and the cache of these."""
