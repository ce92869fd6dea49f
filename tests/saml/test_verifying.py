"""Promises of `saml.verify`: what a good response says is read, and nothing else is believed."""

from datetime import UTC, datetime, timedelta

import pytest

from actas import saml


@pytest.mark.parametrize("sign", ["response", "assertion", "both"])
def test_a_signed_response_is_read(idp, verify, made, sign):
    assertion = verify(idp.response(sign=sign))

    assert (assertion.id, assertion.issuer, assertion.name_id) == ("_a1", "https://idp.example/", "ana")
    assert assertion.name_id_format == "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    assert assertion.session_index == "_s1"
    assert assertion.authn_context == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert assertion.authn_instant == datetime(2026, 11, 23, 8, 59, 30, tzinfo=UTC)
    assert assertion.not_before == datetime(2026, 11, 23, 8, 59, tzinfo=UTC)
    assert assertion.not_on_or_after == datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert assertion.session_not_on_or_after == datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    assert assertion.in_response_to == "_q1"
    assert assertion.audiences == ("https://sp.example/metadata",)
    assert assertion.recipient == "https://sp.example/acs"
    assert (assertion.one_time_use, assertion.proxy_restriction, assertion.signed) == (False, None, sign)
    assert dict(assertion.attributes) == {
        "urn:oid:0.9.2342.19200300.100.1.3": ("ana@people.example",),
        "Role": ("reader", "writer"),
    }
    assert assertion.attribute("mail") == ("ana@people.example",)
    assert assertion.attribute("absent") == ()


def test_nothing_signed_is_refused(idp, verify):
    with pytest.raises(saml.NotSigned):
        verify(idp.response(sign="nothing"))


def test_a_bare_assertion_is_read(idp, verify):
    assert verify(idp.signed(idp.assertion())).signed == "assertion"


def test_a_bare_assertion_without_signature_is_refused(idp, verify):
    with pytest.raises(saml.NotSigned):
        verify(idp.assertion().encode())


def test_the_bytes_that_were_read_are_the_canonical_ones(idp, verify):
    response = idp.response(name="<saml:NameID>a<!-- b -->na</saml:NameID>")

    assertion = verify(response)

    assert assertion.name_id == "ana"
    assert b"<saml:NameID>ana</saml:NameID>" in assertion.xml
    assert b"Signature" not in assertion.xml


@pytest.mark.parametrize("prefixes", ["xs", "xs xsi"])
def test_a_prefix_list_reaches_what_is_declared_further_out(idp, verify, prefixes):
    names = ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

    response = idp.response(sign="both", envelope={"namespaces": names}, how={"prefixes": prefixes})

    assert verify(response).signed == "both"


ALGORITHMS = [f"{kind}-sha{bits}" for kind in ("rsa", "pss") for bits in (256, 384, 512)]


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_allowed_rsa_signature_is_read(idp, verify, algorithm, digest):
    assert verify(idp.response(how={"algorithm": algorithm, "digest": digest})).name_id == "ana"


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("bits", [256, 384, 521])
def test_an_allowed_curve_is_read(curves, verify, made, bits, name):
    trust = saml.Trust(made.ISSUER, (curves[bits].cert,))

    assert verify(curves[bits].response(how={"algorithm": f"ecdsa-{name}"}), trust=trust).name_id == "ana"


@pytest.mark.parametrize("how", [{"algorithm": "rsa-sha1"}, {"digest": "sha1"}], ids=["signature", "digest"])
def test_sha_1_is_refused_unless_it_is_allowed(idp, verify, how):
    response = idp.response(how=how)

    with pytest.raises(saml.AlgorithmRefused):
        verify(response)
    assert verify(response, allow_sha1=True).name_id == "ana"


def test_a_key_of_1024_bits_is_refused_unless_old_providers_are_allowed(made, verify):
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 1024)
    old = made.Idp(key, made.certificate(key))
    trust = saml.Trust(made.ISSUER, (old.cert,))

    with pytest.raises(saml.WeakKey):
        verify(old.response(), trust=trust)
    assert verify(old.response(), trust=trust, allow_sha1=True).name_id == "ana"


def test_old_and_new_key_are_valid_together(idp, attacker, verify, made):
    both = saml.Trust(made.ISSUER, (idp.cert, attacker.cert))

    assert verify(idp.response(), trust=both) == verify(attacker.response(), trust=both)
    with pytest.raises(saml.BadSignature):
        verify(attacker.response())


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param(lambda at: {"ends": at(-59)}, None, id="within the leeway the assertion has not ended"),
        pytest.param(lambda at: {"ends": at(-60)}, saml.AssertionExpired, id="a leeway ago it ended"),
        pytest.param(lambda at: {"begins": at(60)}, None, id="it begins within the leeway"),
        pytest.param(lambda at: {"begins": at(61)}, saml.NotYetValid, id="it begins later than that"),
        pytest.param(lambda at: {"confirmed_until": at(-59)}, None, id="the confirmation ended within the leeway"),
        pytest.param(
            lambda at: {"confirmed_until": at(-60)}, saml.AssertionExpired, id="the confirmation ended before"
        ),
        pytest.param(
            lambda at: {"session": f' SessionNotOnOrAfter="{at(-59)}"'}, None, id="the session ended just now"
        ),
        pytest.param(
            lambda at: {"session": f' SessionNotOnOrAfter="{at(-60)}"'}, saml.AssertionExpired, id="the session ended"
        ),
    ],
)
def test_a_leeway_of_a_minute_counts_both_ways(idp, verify, made, said, error):
    response = idp.response(**said(made.at))

    if error is None:
        assert verify(response).name_id == "ana"
    else:
        with pytest.raises(error):
            verify(response)


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T09:10:00.5Z", "2026-11-23T09:10:00.1234567Z", "2026-11-23T10:10:00+01:00", "2026-11-23T09:10:00"],
)
def test_times_have_fractions_and_offsets(idp, verify, text):
    assert verify(idp.response(ends=text)).name_id == "ana"


@pytest.mark.parametrize(
    "text", ["2026-11-23", "tomorrow", "", "2026-11-23T09:10:61Z", "2026-11-23 09:10:00Z", "\uff12026-11-23T09:10:00Z"]
)
def test_what_is_no_time_is_refused(idp, verify, text):
    with pytest.raises(saml.MalformedDocument):
        verify(idp.response(ends=text))


# --- who, for whom, in answer to what --------------------------------------------------------------------------------

OTHER_AUDIENCE = (
    "<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>"
)
OURS = "<saml:AudienceRestriction><saml:Audience>https://sp.example/metadata</saml:Audience></saml:AudienceRestriction>"
TWO = OURS.replace("</saml:Audience>", "</saml:Audience><saml:Audience>https://other.example</saml:Audience>")


@pytest.mark.parametrize(
    ("audience", "accepted"),
    [
        pytest.param(OURS, True, id="ours"),
        pytest.param(TWO, True, id="ours among others"),
        pytest.param(OURS + TWO, True, id="ours in each restriction"),
        pytest.param(OTHER_AUDIENCE, False, id="another"),
        pytest.param(OURS + OTHER_AUDIENCE, False, id="ours in one restriction of two"),
        pytest.param("", False, id="no restriction"),
    ],
)
def test_each_audience_restriction_must_name_us(idp, verify, audience, accepted):
    response = idp.response(audience=audience)

    if accepted:
        assert "https://sp.example/metadata" in verify(response).audiences
    else:
        with pytest.raises(saml.WrongAudience):
            verify(response)
        assert verify(response, audience=None).name_id == "ana"


@pytest.mark.parametrize("sign", ["assertion", "response"])
def test_another_recipient_is_refused(idp, verify, sign):
    response = idp.response(sign=sign, recipient="https://other.example/acs")

    with pytest.raises(saml.WrongRecipient):
        verify(response)
    assert verify(response, recipient=None).recipient == "https://other.example/acs"


@pytest.mark.parametrize(
    ("sign", "destination", "accepted"),
    [
        ("response", ' Destination="https://sp.example/acs"', True),
        ("response", "", False),
        ("response", ' Destination=""', False),
        ("response", ' Destination="https://sp.example/acs/"', False),
        ("assertion", "", True),
        ("assertion", ' Destination=""', False),
        ("assertion", ' Destination="https://other.example/acs"', False),
    ],
)
def test_the_destination_is_ours_and_there_when_the_response_is_signed(idp, verify, sign, destination, accepted):
    response = idp.response(sign=sign, envelope={"destination": destination})

    if accepted:
        assert verify(response).name_id == "ana"
    else:
        with pytest.raises(saml.WrongDestination):
            verify(response)


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize(
    ("wanted", "said", "accepted"),
    [
        pytest.param("_q1", ' InResponseTo="_q1"', True, id="the open request is answered"),
        pytest.param("_q1", ' InResponseTo="_q2"', False, id="another request is answered"),
        pytest.param("_q1", "", False, id="a request is open and none is answered"),
        pytest.param(None, "", True, id="unsolicited"),
        pytest.param(None, ' InResponseTo="_q1"', False, id="none is open and one is answered"),
        pytest.param(saml.ANY, ' InResponseTo="_q1"', True, id="not checked, one is answered"),
        pytest.param(saml.ANY, "", True, id="not checked, none is answered"),
    ],
)
def test_the_open_request_is_answered(idp, verify, sign, wanted, said, accepted):
    response = idp.response(sign=sign, request=said, envelope={"request": said})

    if accepted:
        assert verify(response, in_response_to=wanted).name_id == "ana"
    else:
        with pytest.raises(saml.WrongRequest):
            verify(response, in_response_to=wanted)


@pytest.mark.parametrize(
    ("issuer", "accepted"),
    [
        ("", True),
        ("<saml:Issuer>https://idp.example/</saml:Issuer>", True),
        ("<saml:Issuer>https://idp.example</saml:Issuer>", False),
        ("<saml:Issuer>https://idp.example/</saml:Issuer><saml:Issuer>https://idp.example/</saml:Issuer>", False),
    ],
)
def test_the_response_may_leave_its_issuer_out(idp, verify, issuer, accepted):
    response = idp.response(envelope={"issuer": issuer})

    if accepted:
        assert verify(response).issuer == "https://idp.example/"
    else:
        with pytest.raises(saml.SamlError):
            verify(response)


def bearer(made, recipient, ends):
    data = f'<saml:SubjectConfirmationData NotOnOrAfter="{made.at(ends)}" Recipient="{recipient}" InResponseTo="_q1"/>'
    method = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    return f'<saml:SubjectConfirmation Method="{method}">{data}</saml:SubjectConfirmation>'


@pytest.mark.parametrize(("ends", "seconds"), [(120, 300), (900, 600)], ids=["the other's", "the conditions'"])
def test_an_assertion_can_be_used_until_the_last_of_its_confirmations_ends(idp, verify, made, ends, seconds):
    """Who remembers it only until the first one ends takes it again at the other's door."""
    both = bearer(made, "https://sp.example/token", ends) + bearer(made, made.ACS, 300)

    assertion = verify(idp.response(confirmation=both))

    assert assertion.not_on_or_after == made.NOW + timedelta(seconds=300)
    assert assertion.usable_until == made.NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("form", "accepted"),
    [
        (None, True),
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:entity", True),
        ("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", False),
    ],
    ids=["none", "entity", "an address"],
)
def test_the_issuer_of_an_assertion_is_the_name_of_an_entity(idp, verify, form, accepted):
    """SAML profiles 4.1.4.2."""
    said = "" if form is None else f' Format="{form}"'
    response = idp.response(issuer=f"<saml:Issuer{said}>https://idp.example/</saml:Issuer>")

    if accepted:
        assert verify(response).issuer == "https://idp.example/"
    else:
        with pytest.raises(saml.WrongIssuer):
            verify(response)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", (None, None)),
        (' NameQualifier="" SPNameQualifier=""', (None, None)),
        (' NameQualifier="https://other.example/" SPNameQualifier="urn:us"', ("https://other.example/", "urn:us")),
    ],
    ids=["nothing", "empty ones", "another provider, and us"],
)
def test_whose_name_a_name_is_is_told(idp, verify, said, found):
    assertion = verify(idp.response(name=f"<saml:NameID{said}>ana</saml:NameID>"))

    assert (assertion.name_qualifier, assertion.sp_name_qualifier) == found


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "<saml:Issuer/>",
        "<saml:Issuer>https://evil.example/</saml:Issuer>",
        "<saml:Issuer>https://idp.example/<b/></saml:Issuer>",
    ],
)
def test_the_assertion_names_its_issuer(idp, verify, issuer):
    with pytest.raises(saml.SamlError):
        verify(idp.response(issuer=issuer, space="<saml:Advice/>" if not issuer else ""))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/></samlp:Status>',
            saml.StatusNotSuccess,
        ),
        ("<samlp:Status/>", saml.UnexpectedStructure),
        ("", saml.UnexpectedStructure),
    ],
)
def test_only_a_success_is_read(idp, verify, status, error):
    with pytest.raises(error):
        verify(idp.response(envelope={"status": status}))


@pytest.mark.parametrize("version", ["1.1", "2", ""])
@pytest.mark.parametrize("where", ["response", "assertion"])
def test_only_version_2_is_read(idp, verify, version, where):
    response = idp.response(envelope={"version": version}) if where == "response" else idp.response(version=version)

    with pytest.raises(saml.WrongVersion):
        verify(response)


# --- confirmations and conditions ------------------------------------------------------------------------------------

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER, SENDER = BEARER.replace("bearer", "holder-of-key"), BEARER.replace("bearer", "sender-vouches")
BEGIN = ' NotBefore="2026-11-23T08:00:00Z"'
END, PLACE = ' NotOnOrAfter="2026-11-23T09:05:00Z"', ' Recipient="https://sp.example/acs"'
GOOD = f'<saml:SubjectConfirmationData{END}{PLACE} InResponseTo="_q1"/>'


def confirmation(data, method=BEARER):
    return f'<saml:SubjectConfirmation Method="{method}">{data}</saml:SubjectConfirmation>'


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param(confirmation(GOOD), None, id="a good one"),
        pytest.param(confirmation("") + confirmation(GOOD), None, id="a good one behind a bad one"),
        pytest.param(confirmation(""), saml.NotConfirmed, id="no data"),
        pytest.param("", saml.NotConfirmed, id="none"),
        pytest.param(confirmation(GOOD, SENDER), saml.NotConfirmed, id="another method"),
        pytest.param(confirmation(GOOD, HOLDER), saml.HolderOfKeyRefused, id="holder of key"),
        pytest.param(confirmation(GOOD, ""), saml.NotConfirmed, id="no method"),
        pytest.param(confirmation(GOOD.replace(PLACE, BEGIN + PLACE)), saml.NotConfirmed, id="not before"),
        pytest.param(confirmation(GOOD.replace(END, "")), saml.NotConfirmed, id="no end"),
        pytest.param(confirmation(GOOD.replace(PLACE, "")), saml.NotConfirmed, id="no recipient"),
        pytest.param(confirmation(GOOD + GOOD), saml.UnexpectedStructure, id="two data"),
        pytest.param(confirmation(GOOD) * 9, saml.DocumentTooLarge, id="nine of them"),
    ],
)  # fmt: skip
def test_one_confirmation_by_bearer_must_be_whole(idp, verify, said, error):
    response = idp.response(confirmation=said)

    if error is None:
        assert verify(response).name_id == "ana"
    else:
        with pytest.raises(error):
            verify(response)


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("<saml:OneTimeUse/>", None),
        ('<saml:ProxyRestriction Count="0"/>', None),
        ("<saml:OneTimeUse/><saml:OneTimeUse/>", saml.UnknownCondition),
        ('<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"/>', saml.UnknownCondition),
        ('<saml:ProxyRestriction Count="many"/>', saml.UnexpectedStructure),
    ],
)
def test_a_condition_is_understood_or_refused(idp, verify, condition, error):
    response = idp.response(audience=OURS + condition)

    if error is None:
        assertion = verify(response)
        assert assertion.one_time_use is ("OneTimeUse" in condition)
        assert (assertion.proxy_restriction is not None) is ("Proxy" in condition)
    else:
        with pytest.raises(error):
            verify(response)


def test_how_somebody_signed_in_can_be_required(idp, verify):
    context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

    assert verify(idp.response(), require=saml.Require(authn_contexts=(context,))).authn_context == context
    with pytest.raises(saml.WrongAuthnContext):
        verify(idp.response(), require=saml.Require(authn_contexts=("https://refeds.org/profile/mfa",)))


def test_an_assertion_without_an_id_is_refused_though_the_response_is_signed(idp, verify):
    assert verify(idp.response(sign="response", id="_other")).id == "_other"
    with pytest.raises(saml.UnexpectedStructure):
        verify(idp.response(sign="response", id=""))


def test_an_assertion_without_conditions_is_refused(idp, verify):
    with pytest.raises(saml.UnexpectedStructure):
        verify(idp.response(conditions=" "), audience=None)


def test_a_recipient_that_is_not_checked_may_be_absent(idp, verify):
    data = GOOD.replace(PLACE, "")

    assert verify(idp.response(data=data), recipient=None).recipient is None


def test_a_response_with_a_child_that_the_schema_has_not_is_refused(idp, verify):
    extensions = "<samlp:Extensions><x/></samlp:Extensions>"

    assert verify(idp.response(envelope={"extra": extensions})).name_id == "ana"
    with pytest.raises(saml.UnexpectedStructure):
        verify(idp.response(envelope={"extra": "<x/>"}))


def test_an_assertion_without_sign_in_is_refused(idp, verify):
    with pytest.raises(saml.UnexpectedStructure):
        verify(idp.response(authn=""))


@pytest.mark.parametrize(
    ("sign", "requirement"),
    [("assertion", "signed_response"), ("response", "signed_assertion"), ("both", "encrypted_assertion")],
)
def test_a_requirement_that_is_not_met_is_refused(idp, verify, sign, requirement):
    with pytest.raises(saml.RequirementUnmet) as refused:
        verify(idp.response(sign=sign), require=saml.Require(**{requirement: True}))
    assert refused.value.requirement == requirement


def test_requirements_that_are_met_are_accepted(idp, verify):
    require = saml.Require(signed_assertion=True, signed_response=True)

    assert verify(idp.response(sign="both"), require=require).signed == "both"


# --- names and attributes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "<saml:NameID/>",
        "<saml:NameID> </saml:NameID>",
        "<saml:NameID>a<b/>na</saml:NameID>",
        "<saml:NameID>ana</saml:NameID><saml:NameID>eve</saml:NameID>",
        "<saml:BaseID/>",
    ],
)
def test_a_name_that_is_no_name_is_refused(idp, verify, name):
    with pytest.raises(saml.UnexpectedStructure):
        verify(idp.response(name=name))


def test_a_provider_may_name_nobody(idp, verify):
    assert verify(idp.response(name="")).name_id is None


def test_a_value_may_be_an_element_and_its_text_is_the_value(idp, verify):
    values = "<saml:AttributeValue>\n<saml:NameID>a1</saml:NameID>\n</saml:AttributeValue><saml:AttributeValue/>"
    attribute = f'<saml:Attribute Name="x">{values}</saml:Attribute>'

    assert verify(idp.response(attributes=attribute)).attributes["x"] == ("a1", "")


def test_a_friendly_name_of_two_attributes_is_not_guessed(idp, verify):
    two = "".join(
        f'<saml:Attribute Name="{name}" FriendlyName="f"><saml:AttributeValue>{name}</saml:AttributeValue>'
        "</saml:Attribute>"
        for name in "ab"
    )
    assertion = verify(idp.response(attributes=two))

    assert assertion.attribute("a") == ("a",)
    with pytest.raises(saml.AmbiguousAttribute):
        assertion.attribute("f")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("now", datetime(2026, 11, 23)),  # noqa: DTZ001
        ("leeway", timedelta(seconds=-1)),
        ("leeway", timedelta(days=1)),
        ("decryption_keys", (b"no key",)),
    ],
)
def test_arguments_that_make_no_sense_are_the_callers_mistake(idp, verify, argument, value):
    with pytest.raises(saml.AskedWrongly) as refused:
        verify(idp.response(), **{argument: value})
    assert refused.value.argument == argument
