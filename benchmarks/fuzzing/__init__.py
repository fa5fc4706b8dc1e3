"""What `benchmarks.fuzz` feeds to the linter, and how it judges what comes of it."""
