"""Read pickles without loading them: opcodes, the machine that follows them, and which globals are safe."""
