"""The command line: click only, parse, call, print."""
