"""Buffers of a module: which writes meet a registration, and what is left beside one."""
