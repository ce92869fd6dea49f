"""The names that SAML, XML Signature and XML Encryption give to things."""

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
DS_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
DS_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
REQUESTER = "urn:oasis:names:tc:SAML:2.0:status:Requester"
RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"
PARTIAL_LOGOUT = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
HOLDER_OF_KEY = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def saml(name: str) -> str:
    """Qualify *name* of the assertion schema."""
    return f"{{{SAML}}}{name}"


def samlp(name: str) -> str:
    """Qualify *name* of the protocol schema."""
    return f"{{{SAMLP}}}{name}"


def ds(name: str) -> str:
    """Qualify *name* of XML Signature."""
    return f"{{{DS}}}{name}"


def md(name: str) -> str:
    """Qualify *name* of the metadata schema."""
    return f"{{{MD}}}{name}"


def xenc(name: str) -> str:
    """Qualify *name* of XML Encryption."""
    return f"{{{XENC}}}{name}"


def local(tag: object) -> str:
    """Take the namespace off *tag*, to show it."""
    return str(tag).rpartition("}")[2]
