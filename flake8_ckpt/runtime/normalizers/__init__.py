"""The reference normalizers and the pure functions that they are made of."""
