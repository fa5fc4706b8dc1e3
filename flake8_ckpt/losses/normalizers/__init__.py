"""Normalizers that are used and never updated."""
