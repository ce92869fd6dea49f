"""Every mistake that `actas check` can tell, by its code; codes never change."""

from typing import Final

CODES: Final = {
    # the text of the file
    "settings.unreadable-file": "The settings file cannot be read.",
    "settings.too-large": "The settings file is larger than 1 MB.",
    "settings.not-utf8": "The settings file is not UTF-8.",
    "settings.control-character": "A control character stands in the file, or is escaped in a text.",
    "settings.bad-yaml": "The file is no YAML.",
    "settings.empty": "The file says nothing.",
    "settings.too-many": "There are more mistakes than are told in one run.",
    "settings.too-deep": "Something is nested deeper than settings ever are.",
    "settings.duplicate-key": "A key is there a second time.",
    "settings.bad-key": "A key is empty, too long, or no text.",
    "settings.anchor": "An anchor (`&name`).",
    "settings.alias": "An alias (`*name`).",
    "settings.tag": "A tag (`!name`).",
    "settings.merge-key": "A merge key (`<<`).",
    "settings.directive": "A directive (`%YAML`, `%TAG`).",
    "settings.several-documents": "A second document in one file.",
    # the shape of the values
    "settings.unknown-key": "There is no such key here.",
    "settings.missing-key": "A key is not there that must be.",
    "settings.wrong-type": "A value of the wrong kind: a number for a text, a text for a list, nothing at all.",
    "settings.wrong-value": "A value of the right kind that is not one of those it can be.",
    "settings.bad-name": "A name that is none: small letters, digits, `-` and `_`.",
    "settings.bad-officer": "An officer's public key cannot be read.",
    "settings.too-few-officers": "One officer alone, who can unmask nobody.",
    "settings.secret-in-file": "A secret stands in the file, or what looks like one. It is never repeated.",
    # gateway, audit
    "settings.bad-url": "A URL that is none, or has parts that it must not have.",
    "settings.same-origin": "`public_url` and `control_url` are one origin.",
    "settings.bad-address": "An address to listen on that is none.",
    "settings.same-address": "Both listeners have one address.",
    "settings.control-in-clear": "The control origin can be reached from elsewhere, and is not https.",
    "settings.proxies-too-wide": "Too many may say which address a client comes from.",
    "settings.weak-isolation": "`isolation: weak`, which a server refuses.",
    "settings.limit-without-effect": "One caller's share is more than the whole.",
    "settings.out-of-range": "A span or a size that makes no sense here.",
    # files and secrets
    "settings.no-such-file": "A file that the settings name cannot be read.",
    "settings.secret-reference": "A reference to a secret that is none.",
    "settings.secret-missing": "A secret is not where the settings say it is.",
    "settings.secret-empty": "A secret is there, and empty.",
    "settings.secret-unreadable": "A secret's file is no text, too large, or may not be read.",
    "settings.secret-open": "Others may read or write a secret's file.",
    # providers
    "settings.unknown-preset": "There is no such preset.",
    "settings.provider-incomplete": "A provider lacks something, or says something that its preset cannot mean.",
    "settings.bad-issuer": "The issuer does not look like one of this preset.",
    "settings.insecure-url": "Something that must be https is not.",
    "settings.private-address": "Something is at a private address, and nobody has said that this is meant.",
    "settings.same-issuer": "Two providers have one issuer.",
    "settings.tenants-missing": "A provider for everybody's organisations has no list of them.",
    "settings.unknown-algorithm": "A signature algorithm that is not taken.",
    "settings.one-of": "Keys come from more than one place, or from none.",
    "settings.bad-keys": "A key set that is none, or has keys that cannot be used.",
    "settings.bad-certificate": "A file of certificates that holds none.",
    "settings.wrong-lookup": "A look-up that does not fit the preset.",
    # functions and routes
    "settings.reserved-name": "A function has a name that means something else.",
    "settings.one-backend": "A function has no backend, or several.",
    "settings.bad-handler": "A handler that is no file, colon and name.",
    "settings.bad-arn": "An ARN that is none.",
    "settings.token-in-clear": "The caller's token would be sent on in clear.",
    "settings.bad-variable": "A variable's name that is none.",
    "settings.reserved-variable": "A variable that the runtime sets.",
    "settings.bad-route": "A route that is none, or that no request can take.",
    "settings.route-built-in": "A route hides a path of the gateway's own.",
    "settings.route-twice": "Two routes take the same requests.",
    # roles
    "settings.policy": "Something is wrong with a policy; the place is in the policy's file.",
    "settings.role-unused": "No rule gives the role.",
    "settings.trust-blind": "A role's trust policy rests on a key that this gateway cannot see.",
    "settings.trust-nobody": "A role's trust policy names neither this gateway nor a provider's issuer.",
    # rules
    "settings.rule-twice": "Two rules have one id.",
    "settings.rule-says-nothing": "A rule says neither `may` nor `may_not`.",
    "settings.rule-says-both": "A rule says both `may` and `may_not`.",
    "settings.as-without-may": "A rule forbids, and names a role.",
    "settings.empty-list": "A list that nothing fits.",
    "settings.names-nothing": "A rule names a function, a route or an admin action that is not there.",
    "settings.no-such-role": "A rule names a role that is not there.",
    "settings.no-such-provider": "A rule names a provider that is not there.",
    "settings.provider-not-named": "A rule rests on what one provider says, and does not say which.",
    "settings.anybody": "A rule lets everybody in whom a provider knows.",
    "settings.no-wildcard": "A `*` that stands for itself.",
    "settings.role-needed": "A function in AWS would be run without a role.",
    "settings.local-role-in-aws": "A function in AWS would be run with a role that AWS does not know.",
    "settings.no-such-zone": "A time zone that is none.",
    "settings.never": "A rule can never apply.",
    "settings.over": "A rule's last day is over.",
    "settings.shadowed": "A rule changes nothing because of another one.",
    "settings.absence-decides": "A `may_not` applies to everybody of a provider whose tokens say nothing.",
    # the whole
    "settings.needs-restart": "A key changed under a running gateway that is read when it starts.",
    "settings.no-effect": "A key changes nothing here.",
    "settings.no-rules": "There are no rules.",
    "settings.provider-unused": "No rule speaks of the provider.",
    "settings.function-unused": "No rule lets anybody run the function.",
    "settings.observing": "`mode: observe` refuses nobody.",
    "settings.observe-unguarded": "`mode: observe` over a function that decides nothing by itself.",
}
"""Each code and what it says."""


def table() -> str:
    """Give the catalogue as Markdown."""
    rows = (f"| `{code}` | {says} |" for code, says in CODES.items())
    return "\n".join(["\n| code | says |\n|---|---|", *rows]) + "\n\n"
