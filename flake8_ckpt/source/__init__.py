"""From bytes to the few functions of a file that can matter."""
