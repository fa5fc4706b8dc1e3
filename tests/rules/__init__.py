"""The tests of the rules, one file each: silent cases first, regressions last."""
