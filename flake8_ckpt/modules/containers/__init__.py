"""Plain containers on modules: what is put into them, and whether something else registers it."""
