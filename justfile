# Tasks of those who change the code. `just` lists them; each line can be run by hand too.

bin := ".venv/bin"

# list the tasks
default:
    @just --list

# make the environment, with all that tests and drills need
install:
    python3 -m venv .venv
    {{bin}}/pip install -e '.[test,drill]'

# style, format, spelling, types and layers, in seconds
check:
    {{bin}}/ruff check .
    {{bin}}/ruff format --check .
    {{bin}}/codespell
    {{bin}}/mypy
    {{bin}}/lint-imports

# a minute of tests that touch every package
quick:
    {{bin}}/pytest -m quick

# write the versions and hashes of all libraries, after a change of pyproject.toml
lock *arguments:
    {{bin}}/uv pip compile pyproject.toml --universal --all-extras --generate-hashes --no-header --no-annotate \
        --output-file requirements.lock {{arguments}}

# the checks, then all tests but the drills
test: check
    {{bin}}/pytest

# the drills, a release, then every test on another day (needs libfaketime and a C compiler)
nightly start="2031-01-01":
    {{bin}}/pytest -m drill
    {{bin}}/python -m tools.release.check
    {{bin}}/python -m tools.moved_clock {{start}} -m ""

# format the code
format:
    {{bin}}/ruff check --fix .
    {{bin}}/ruff format .

# write the files that follow from the code
schema:
    {{bin}}/python -m schema.execution.print_sdl > schema/schema.graphql
    {{bin}}/tracker schema corpus > docs/corpus.schema.json
    {{bin}}/python -m tests.projections.golden_sql
    {{bin}}/python -m tests.projections.record_folds

# the answers that an edit of the shipped data changes, beside another commit, in a minute
answers *arguments:
    {{bin}}/python -m tools.answer_changes {{arguments}}

# `bench NAME`: measure, into docs/benchmarks.md; `bench --compare COMMIT`: the short set beside another commit
bench *arguments:
    {{bin}}/python -m tools.benchmarks {{arguments}}

# the demo
demo:
    {{bin}}/tracker demo

# the pictures of pages in the README and docs
screens:
    {{bin}}/python -m tools.screens docs/screens

# build the images and run them, as root, in minutes (Debian: buildah mmdebstrap podman runc)
images:
    TESTS_BUILD_IMAGES=1 {{bin}}/pytest -n 0 tests/deploy/test_images.py

# the packages of the clients, into dist (needs npm)
clients directory="dist":
    {{bin}}/python -m tools.clients {{directory}}

# all parts of a release, into dist, which must be empty
release *arguments:
    {{bin}}/python -m tools.release dist {{arguments}}

# build the commit twice, compare, validate, install and run it (Debian: `git`, `npm`)
release-check *arguments:
    {{bin}}/python -m tools.release.check {{arguments}}
