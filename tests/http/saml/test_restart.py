"""What was shown once is known after a restart, and so is who signed in: nothing of it is in one process alone."""

import importlib.util
import subprocess
import sys


def test_an_assertion_counts_once_and_a_sign_in_goes_on_over_a_restart(running, with_saml, loose, make_browser):
    form = {"SAMLResponse": loose.response()}
    with running(with_saml()) as before:
        browser = make_browser(before)
        first = browser.post("/saml/loose/acs", form).status_code
    with type(before)(before.folder, before.settings) as after:
        kept = make_browser(after)
        kept.cookies = browser.cookies
        page = kept.get("/saml/loose/signed-in").status_code
        second = make_browser(after).post("/saml/loose/acs", form).status_code
        third = make_browser(after).post("/saml/loose/acs", {"SAMLResponse": loose.response()}).status_code

    assert (first, page, second, third) == (303, 200, 403, 303)


def test_a_gateway_without_saml_reads_no_xml():
    program = "import sys, actas.wiring.run; print('lxml' in sys.modules, 'actas.saml' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)

    assert importlib.util.find_spec("lxml") is not None
    assert told.stdout.split() == ["False", "False"]
