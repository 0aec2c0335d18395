"""Which rules of accessibility a page breaks, by axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What is folded can be read, too. Rows whose elements have the same names and classes look the same, and axe takes a
# hundredth of a second for every cell: two of each kind in a table stay.
READY = """() => {
    document.querySelectorAll('details').forEach((each) => { each.open = true; });
    for (const table of document.querySelectorAll('tbody')) {
        const kinds = new Map();
        for (const row of [...table.rows]) {
            const kind = [row, ...row.querySelectorAll('*')].map((each) => `${each.nodeName} ${each.className}`).join();
            kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
            if (kinds.get(kind) > 2) row.remove();
        }
    }
}"""


def broken_rules(page: Page, section: str | None = None) -> list[tuple[str, str]]:
    """Return the rules that the page, or a section of it, breaks, each with the first element that does.

    Rows of tables that look like others are removed from the page.
    """
    page.evaluate(READY)
    found = Axe().run(page, context=section).response
    assert found["passes"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
