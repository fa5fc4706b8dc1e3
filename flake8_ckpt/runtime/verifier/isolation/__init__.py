"""A round trip into a new process, where class attributes and globals are as the source code has them."""
