"""`python -m tracker` runs the command that this distribution installs as `tracker`."""

from importlib.metadata import distribution

if __name__ == "__main__":
    [command] = distribution("critical-minerals-policy-tracker").entry_points.select(name="tracker")
    command.load()()
