"""One Chromium for all browser tests, and pages opened in it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def contexts(browser) -> Iterator[Callable[..., object]]:
    """Return the context that pages with the same options share.

    A page beside another one takes half of the processor time of one in a new context, which starts processes.
    """
    made: dict[str, object] = {}

    def of(**options: object) -> object:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = browser.new_context(**options)
            made[key].new_page()
        return made[key]

    yield of
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(browser, contexts) -> Iterator[Callable[..., object]]:
    """Open an address; what the console says and what is requested is kept on `page.said` and `page.asked`.

    What a page stores and may do ends with the test. Where a test sets the clock, it needs a context `alone`.
    """
    pages, own = [], []

    def opened(address: str, alone: bool = False, **options: object) -> object:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(**options) if alone else contexts(**options)
        page = context.new_page()
        (own if alone else pages).append(page)
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address)
        return page

    yield opened
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.context.clear_permissions()
        page.close()
    for page in own:
        page.context.close()


@pytest.fixture
def visit(open_page, report) -> Callable[..., object]:
    """Open a study's page."""
    return lambda name, fragment="", **options: open_page(report(name).as_uri() + fragment, **options)
