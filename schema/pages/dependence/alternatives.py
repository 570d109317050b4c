"""Producers without recorded export controls toward an importer, by stage of the supply chain. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from schema.pages.charts.share_bars import bar_widths
from schema.pages.site.naming import kind_of_figure
from tracker.domain.wording.phrases import in_running_text, listed, word_phrase

PROCESSED_STAGES = ("REFINERY", "SMELTER", "PRIMARY", "PLANT")
"""The stages whose goods are processed."""
ORES = frozenset({"ORE", "CONCENTRATE"})


class Producer(Struct, frozen=True):
    """A producer with its share of world output."""

    path: str
    """Path of its figure in the response."""
    figure: Mapping[str, Any]
    bar: str | None


class StageOutput(Struct, frozen=True):
    """The producers of a stage: those without a control in force toward the importer, and the others."""

    stage: str
    kind: str
    year: int
    free: Sequence[Producer]
    covered: Sequence[str]
    """Names of the producers with a clause in force toward the importer."""
    own_path: str | None
    """Path of the importer's own figure in the response, if it has a share."""


def is_about_processed_goods(clauses: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether clauses that name forms of goods name no ore and no concentrate."""
    forms = [clause["forms"] for clause in clauses if clause["forms"]]
    return bool(forms) and not any(ORES & {*of_clause} for of_clause in forms)


def stage_outputs(
    state: Mapping[str, Any], importer: str, *, processed_first: bool
) -> list[StageOutput]:
    """Return the stages with figures. Processed goods are first if the controls are about them."""
    order = ("MINE", *PROCESSED_STAGES)
    if processed_first:
        order = (*PROCESSED_STAGES, "MINE")
    return [_stage(state, stage, importer) for stage in order if state[stage.lower()]["figures"]]


def missing_stage_note(name: str, stages: Sequence[str], *, processed_first: bool) -> str | None:
    """Return a note if no figures of refining or smelting exist."""
    if any(stage in PROCESSED_STAGES for stage in stages):
        return None
    about = "The controls are about processed goods. " if processed_first else ""
    shown = listed([f"{word_phrase(stage)} production" for stage in stages])
    also = f"; {shown} is shown" if shown else ""
    return f"{about}No refining figures are recorded for {in_running_text(name)}{also}."


def divided_stages(state: Mapping[str, Any], key: str) -> list[str]:
    """Return the stages whose figures are divided into several products, so that none is shown."""
    return [
        word_phrase(stage)
        for stage in ("MINE", *PROCESSED_STAGES)
        if not state[stage.lower()]["figures"]
        and any(
            (one["commodity"]["key"], one["stage"]) == (key, stage)
            for one in state[stage.lower()]["available"]
        )
    ]


def _stage(state: Mapping[str, Any], stage: str, importer: str) -> StageOutput:
    output = state[stage.lower()]
    of = (output["commodity"]["key"], stage, output["form"])
    controlling = {
        place["place"]["code"]
        for supply in state["exposure"]
        if (supply["commodity"]["key"], supply["stage"], supply["form"]) == of
        for place in supply["places"]
        if any(clause["reach"] != "OTHER" for clause in place["inForce"])
    }
    path = f"asOf.{stage.lower()}.figures"
    producing = [
        (f"{path}.{index}", one)
        for index, one in enumerate(output["figures"])
        if not one["place"]["isAggregate"] and (one["share"] is None or Decimal(one["share"]) > 0)
    ]
    free = [
        (path, one)
        for path, one in producing
        if one["place"]["code"] not in controlling | {importer}
    ]
    bars = bar_widths([Decimal(one["share"]) if one["share"] else None for _, one in free])
    return StageOutput(
        stage,
        kind_of_figure("PRODUCTION", stage),
        output["year"],
        [Producer(path, one, bar) for (path, one), bar in zip(free, bars, strict=True)],
        [one["place"]["name"] for _, one in producing if one["place"]["code"] in controlling],
        next(
            (path for path, one in producing if one["place"]["code"] == importer and one["share"]),
            None,
        ),
    )
