"""`python -m bot` is `liqwatch`."""

from bot.cli import main

if __name__ == "__main__":
    main()
