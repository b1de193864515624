"""One module a command: it reads its arguments, calls the library, and prints."""
