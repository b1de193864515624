"""The tasks: each a package, put together by a registry and one lifecycle."""
