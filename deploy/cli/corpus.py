"""`tracker corpus`: check, compile and release the shipped data. docs/data.md is the guide."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

import tracker.corpus
from deploy.bootstrap import migrate_log, running_tracker
from deploy.cli.common import (
    DataDir,
    day_option,
    print_whole,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.demo_log import check_no_mirror
from deploy.cli.import_progress import copy_log, load_corpus
from deploy.cli.process import Exit, catch_signals, run
from deploy.cli.temporary_database import temporary_database, temporary_directory
from deploy.output.progress import progress_bar
from deploy.output.terminal import in_one_line
from deploy.postgres import default_data_dir
from projections.analysis.grounds import grounds_table
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from tracker import clock
from tracker.audit.sign.keystore import KeyStore
from tracker.commands.commands import PlannedEvent
from tracker.corpus.checks import find_problems
from tracker.corpus.compiling import (
    CORPUS,
    baci_readings,
    compile_corpus,
    contradictions,
    format_corpus,
    iea_readings,
    readings_in,
    replace_readings,
    summary,
    usgs_readings,
)
from tracker.corpus.coverage import coverage, lists_read
from tracker.corpus.files import Act, Problem, list_files, read_acts
from tracker.corpus.quotations import check_quotations
from tracker.corpus.release import ORIGIN, Release, append_release
from tracker.corpus.shipped import SHIPPED_LOG
from tracker.corpus.tariffs import shipped_tariffs
from tracker.domain.wording.phrases import many
from tracker.errors import Unavailable
from tracker.postgres.database import Target
from tracker.sources.reader import File

corpus = typer.Typer(
    name="corpus", no_args_is_help=True, help="Check, compile, release and load the shipped data."
)

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="[DIR]",
        exists=True,
        file_okay=False,
        show_default=False,
        help="The directory with policy/ and figures/ (default: that of this checkout).",
    ),
]


def files_option(about: str) -> Any:
    """Return the option of a directory with the files of a publisher."""
    return typer.Option(metavar="DIR", exists=True, file_okay=False, show_default=False, help=about)


HERE = Path(tracker.corpus.__file__).parent


@corpus.command()
def check(
    directory: Directory = HERE,
    show_coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="Print Markdown tables of acts by issuer and year, of the lists that were read, and of"
            " controls in force by their ground.",
        ),
    ] = False,
    on: Annotated[
        date | None, day_option("--day", help="The day of controls in force (default: today).")
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Compare quotations with the copies of texts in this directory, found by their SHA-256.",
        ),
    ] = None,
) -> None:
    """Check the files: format, order, rules, links, commodities, repeated acts, sources.

    Each problem is one line with file, act and field. Exit codes: 0 none, 1 some, 2 wrong usage.
    """
    with report_errors():
        acts = read_checked_acts(directory)
    if show_coverage:
        events = [*(act.planned for act in acts), *readings_in(directory / CORPUS)]
        grounds = grounds_table(events, on or clock.today())
        print_whole(f"{coverage(acts)}\n{lists_read(acts)}\n{grounds}".splitlines())
    if texts:
        compared = check_quotations(acts, texts)
        exit_with_problems(compared.problems)
        stderr.print(str(compared))
    entities = {act.planned.stream for act in acts}
    stderr.print(f"{len(acts):,} acts about {len(entities):,} entities: no problems")


@corpus.command()
def build(
    directory: Directory = HERE,
    usgs: Annotated[
        Path | None,
        files_option(
            "Read the figures again from the USGS files in this directory (default: keep those of"
            " the corpus)."
        ),
    ] = None,
    iea: Annotated[
        Path | None,
        files_option("Read the figures of the IEA again from the files in this directory."),
    ] = None,
    baci: Annotated[
        Path | None,
        files_option("Read the trade flows again from the BACI files in this directory."),
    ] = None,
) -> None:
    """Check the files, and compile them with publishers' figures to corpus.jsonl.

    Equal input gives equal bytes. Nothing is written while there is a problem. Exit codes: 0 written, 1
    a problem, 2 wrong usage.
    """
    with report_errors():
        acts = read_checked_acts(directory)
        built = directory / CORPUS
        readings = readings_in(built) if built.is_file() or usgs is None else []
        for read, of in ((usgs_readings, usgs), (iea_readings, iea), (baci_readings, baci)):
            if of is not None:
                readings = replace_readings(readings, read(of))
        if tariffs := shipped_tariffs(directory):
            readings = replace_readings(readings, tariffs)
        exit_with_problems(list(contradictions(acts, readings)))
        write_corpus(built, compile_corpus(acts, readings))


@corpus.command()
def release(
    directory: Directory = HERE,
    on: Annotated[
        date | None,
        day_option(
            "--day", help="The day of the release (UTC), its recording time (default: today)."
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            show_default=False,
            help="The directory with the key that signs the shipped log; without a key, one is created.",
        ),
    ] = None,
) -> None:
    """Append the new facts of corpus.jsonl to the shipped log in log/, and sign it.

    Run `tracker corpus build` before. Equal input gives equal entries. Before the first public release,
    delete log/ to begin the log again. Exit codes: 0 appended, or nothing is new; 1 refused, 2 wrong usage.
    """
    store = KeyStore(keys or default_data_dir().with_name(f"{default_data_dir().name}-shipped-log"))
    log, source, day = directory / SHIPPED_LOG.name, directory / CORPUS, on or clock.today()

    async def work(target: Target) -> Release | None:
        await migrate_log(target)
        return await append_release(target, log, File.at(source), store.load_or_create(ORIGIN), day)

    catch_signals()
    with report_errors(), temporary_directory() as scratch, temporary_database(scratch) as database:
        made = run(database.run_while_alive(work(database.target)))
    if made is None:
        print_whole([f"nothing is new: the shipped log has {CORPUS}"])
        return
    new = made.head.size - made.before
    print_whole([f"{new:,} events appended", *str(made.head.checkpoint).splitlines()])


@corpus.command()
def load(data_dir: DataDir = None) -> None:
    """Record the shipped data in a database.

    An empty database, or one with an earlier release only, gets the shipped log: the same positions, times
    and hashes as everywhere. Another one records the facts that it lacks as new events.
    """

    async def work(target: Target) -> int:
        await check_no_mirror(target)
        copied = await copy_log(target, stderr)
        for make in PROJECTIONS.values():
            await rebuild(target, make(), only_empty=True)
        async with running_tracker(target) as services:
            recorded = await load_corpus(target, services, stderr, copied=copied)
            with suppress(Unavailable):  # a server completes the index
                await services.as_of.searches.reach(await services.recorder.head())
            return recorded

    print_whole([f"{run_with_database(data_dir, work, make=True):,} events recorded"])


def read_checked_acts(directory: Path) -> list[Act]:
    """Return the acts of a corpus. Prints any problems and exits."""
    results: list[Act | Problem] = []
    with progress_bar(stderr) as bar:
        files = list_files(directory)
        for path in bar.track(files, description="reading"):
            results += read_acts(path, directory)
    acts = [item for item in results if isinstance(item, Act)]
    exit_with_problems(
        [item for item in results if isinstance(item, Problem)] or find_problems(acts)
    )
    return acts


def exit_with_problems(problems: list[Problem]) -> None:
    """Print problems and exit, if there are any."""
    if problems:
        print_whole(in_one_line(str(problem)) for problem in problems)
        stderr.print(many(len(problems), "problem", space=" "), style="red")
        raise typer.Exit(Exit.REFUSED)


def write_corpus(path: Path, events: list[PlannedEvent]) -> None:
    """Replace the compiled corpus, and print a summary."""
    part = path.with_suffix(".part")
    part.write_bytes(format_corpus(events))
    part.replace(path)
    print_whole([summary(events), f"written: {path}"])
