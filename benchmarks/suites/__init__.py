"""The kinds of benchmark that suites.toml fills in, and the sides that they compare."""
