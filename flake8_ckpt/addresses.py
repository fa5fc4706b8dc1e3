"""Where this project lives on the web, said here and nowhere else; what is empty is left out of every output."""

from __future__ import annotations

REPOSITORY = ""
SITE = ""


def page_of(rule: str) -> str:
    """Return the address of the page of a rule, given its name, or an empty string while there is no site."""
    return f"{SITE.rstrip('/')}/rules/{rule}/" if SITE else ""
