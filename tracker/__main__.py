"""`python -m tracker` is the command `tracker`.

The one import that runs upward, which pyproject.toml allows: the command line is called by the name
of the lowest floor, and nothing imports this module.
"""

from deploy.start import main

if __name__ == "__main__":
    main()
