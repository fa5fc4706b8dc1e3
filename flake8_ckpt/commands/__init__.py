"""The subcommands of flake8-ckpt."""
