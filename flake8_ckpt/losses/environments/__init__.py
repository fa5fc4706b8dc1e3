"""Environments that normalize with statistics of their own, and whether any file keeps these."""
