"""One reader for each format in which checkpoints are kept: bytes in, a tree of values out."""
