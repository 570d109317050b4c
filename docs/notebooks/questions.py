"""Five questions about critical minerals, answered with polars from tables.

Open it with `marimo edit questions.py -- --source SOURCE`. The source is the address of a server or of a
published site, or the directory of such a site. The default is the server on this machine.
"""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import io
    import pathlib
    import urllib.request

    import marimo as mo
    import polars as pl

    return io, mo, pathlib, pl, urllib


@app.cell
def _(mo):
    source = mo.cli_args().get("source") or "http://127.0.0.1:8000"
    return (source,)


@app.cell
def _(io, pathlib, pl, source, urllib):
    def table(name):
        """Return a table; lines with `#` before it have its date, digest and licence."""
        if source.startswith("http"):
            with urllib.request.urlopen(f"{source}/tables/{name}.csv") as response:
                content = response.read()
        else:
            content = (pathlib.Path(source) / "tables" / f"{name}.csv").read_bytes()
        return pl.read_csv(io.BytesIO(content), comment_prefix="#", infer_schema_length=None)

    return (table,)


@app.cell
def _(mo):
    mo.md("""## 1. Clauses in force, by issuer""")
    return


@app.cell
def _(pl, table):
    in_force = (
        table("clauses")
        .filter(pl.col("status") == "IN_FORCE")
        .group_by("issuer")
        .len("clauses")
        .sort("clauses", "issuer", descending=[True, False])
    )
    in_force
    return (in_force,)


@app.cell
def _(mo):
    mo.md("""## 2. Status changes of the next 90 days""")
    return


@app.cell
def _(table):
    upcoming = table("upcoming").select("day", "entity", "transition").sort("day", "entity")
    upcoming
    return (upcoming,)


@app.cell
def _(mo):
    mo.md("""## 3. Claims on figures, by publisher""")
    return


@app.cell
def _(table):
    claims = table("claims")
    publishers = (
        claims.group_by("publisher")
        .len("claims")
        .sort("claims", "publisher", descending=[True, False])
    )
    publishers
    return claims, publishers


@app.cell
def _(mo):
    mo.md("""## 4. Mine output of rare earths in China, by year

    Of the claims of all publishers, the row with `preferred` is the one in use.""")
    return


@app.cell
def _(claims, pl):
    output = (
        claims.filter(
            pl.col("preferred"),
            pl.col("commodity") == "rare_earths",
            pl.col("place") == "CN",
            pl.col("statistic") == "PRODUCTION",
            pl.col("stage") == "MINE",
        )
        .select("year", "value", "unit")
        .sort("year")
    )
    output
    return (output,)


@app.cell
def _(mo):
    mo.md("""## 5. Members of each alliance""")
    return


@app.cell
def _(table):
    members = table("members").group_by("alliance").len("members").sort("alliance")
    members
    return (members,)


if __name__ == "__main__":
    app.run()
