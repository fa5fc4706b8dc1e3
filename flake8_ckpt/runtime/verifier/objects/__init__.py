"""What an object holds, and everything that is reachable from it."""
