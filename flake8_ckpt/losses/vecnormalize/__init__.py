"""Stable-Baselines3's VecNormalize: who makes, runs, saves and restores one."""
