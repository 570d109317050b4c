"""Letters that requests cause: the confirmation of a subscription, and the link to all of them. Pure."""

from __future__ import annotations

from schema.pages.alerts.targets import Target
from schema.pages.site.citation import PRODUCT
from tracker.alerts.letter import Letter, Paragraph
from tracker.alerts.subscription import Choice

NOT_REQUESTED = "If you did not request this, ignore this mail."


def confirmation_letter(site: str, target: Target, choice: Choice, token: str) -> Letter:
    """Return the mail that asks for the confirmation of a subscription.

    Anyone may enter any address, so the mail has no free text of the request, such as search words.
    """
    words = f"{choice.frequency.value.capitalize()} mails, time zone {choice.time_zone}."
    shown = target.with_keys_only
    whole = shown == target
    return Letter(
        f"Confirm alerts: {shown.title}",
        [
            Paragraph(f"{PRODUCT}: e-mail alerts on this page were requested for your address."),
            Paragraph(f"{shown.title}. {words}", f"{site}{target}" if whole else None, "Page"),
            Paragraph(
                "Confirm within two days. The link opens a page with a button"
                f"{'' if whole else ' and all filters'}. Without a confirmation you get no alerts.",
                f"{site}/alerts/confirm?token={token}",
                "Confirm the subscription",
            ),
            Paragraph(NOT_REQUESTED, note=True),
        ],
    )


def links_letter(site: str, token: str) -> Letter:
    """Return the mail with the link to the subscriptions of its reader."""
    return Letter(
        "Your alerts",
        [
            Paragraph(
                f"{PRODUCT}: this link shows your subscriptions. It is valid for one day.",
                f"{site}/alerts/manage?token={token}",
                "See and delete subscriptions",
            ),
            Paragraph(NOT_REQUESTED, note=True),
        ],
    )
