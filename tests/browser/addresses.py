"""The pages that the browser tests visit: one address at least for every page that there is."""

from __future__ import annotations

MOMENT = "valid=2025-11-20&position=9000"
PAGES = {
    "overview": "/",
    "overview, pinned": f"/?{MOMENT}",
    "overview, shares": "/?map=share&commodity=cobalt",
    "places": "/places",
    "place": "/places/CN",
    "dependence of a place": "/places/US/dependence",
    "commodities": "/commodities",
    "commodity": "/commodities/rare_earths",
    "dependence on a commodity": "/commodities/antimony/dependence",
    "dependence without figures": "/commodities/gallium/dependence?importer=JP",
    "list of origins": "/figures/gallium/US/import_origins/metal/2021-2024",
    "controls": "/controls",
    "control": "/controls/cn-mofcom-2024-46",
    "control, pinned": f"/controls/cn-mofcom-2024-46?{MOMENT}",
    "control of strangers": "/controls/hostile",
    "alliances": "/alliances",
    "alliance": "/alliances/quad",
    "alliance of strangers": "/alliances/hostile",
    "announcements": "/announcements",
    "announcement of strangers": "/announcements/hostile",
    "commodity without a world total": "/commodities/germanium?valid=2025-11-20",
    "figures": "/figures",
    "figure": "/figures/rare_earths/CN/production/mine/2023",
    "upcoming": "/upcoming",
    "changes": "/changes?from=2025-11-01&valid=2025-11-20",
    "events": "/events",
    "event": "/events/6618",
    "facts": "/facts",
    "search": "/search?q=gallium",
    "sources": "/sources",
    "coverage": "/coverage",
    "source": "/sources/us-federal-register",
    "source that is none": "/sources/nothing",
    "about": "/about",
    "documents": "/docs",
    "document": "/docs/access",
    "search in documents": "/docs?q=witness",
    "signing in": "/sign-in",
    "address that is none": "/controls/nothing",
    "question that is none": "/controls?nothing=1",
}
STATUS = {"address that is none": 404, "source that is none": 404, "question that is none": 400}
"""Statuses of pages other than 200."""
