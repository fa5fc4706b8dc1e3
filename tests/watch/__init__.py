"""Tests of `flake8-ckpt watch`."""
