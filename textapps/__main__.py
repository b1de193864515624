"""`python -m textapps`."""

from textapps.cli.main import main

if __name__ == "__main__":
    main()
