"""What is wrong once a module has loaded a checkpoint: flags, counts and values beside what it restored."""
