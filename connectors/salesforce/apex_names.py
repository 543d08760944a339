"""The names that External Services gives to what an API document calls otherwise (Salesforce Help, reserved keywords).

A character that is no letter or digit becomes `x` and its code: `line_type` is `linex5ftype` in a flow. A word that
Apex keeps for itself gets `z0` in front: `number` is `z0number`. What is sent bears the document's own names.
"""

from __future__ import annotations

NAMESPACE = "ExternalService__"
"""What the name of every class that External Services makes begins with, as flows write it."""

_KEPT_BY_APEX = """
abstract activate and any array as asc autonomous begin bigdecimal blob boolean break bulk by byte case cast catch
char class collect commit const continue currency date datetime decimal default delete desc do double else end enum
exception exit export extends false final finally float for from global goto group having hint if implements import in
inner insert instanceof int integer interface into join like limit list long loop map merge new not null nulls number
object of on or outer override package parallel pragma private protected public retrieve return rollback select set
short sobject sort static string super switch synchronized system testmethod then this throw time transaction trigger
true try type undelete update upsert using virtual void webservice when where while
"""
_RESERVED = frozenset(_KEPT_BY_APEX.split())


def apex_name(name: str) -> str:
    """Return the name under which Apex and flows know something that the document calls ``name``."""
    if name.lower() in _RESERVED:
        return f"z0{name}"
    first, rest = name[:1], name[1:]
    return _encode(first, keep=first.isascii() and first.isalpha()) + "".join(
        _encode(char, keep=char.isascii() and char.isalnum()) for char in rest
    )


def apex_class(registration: str, schema: str) -> str:
    """Return the class of a schema of a registered document, as a flow's variable names it."""
    return f"{NAMESPACE}{registration}_{apex_name(schema)}"


def _encode(char: str, *, keep: bool) -> str:
    return char if keep else "".join(f"x{byte:02x}" for byte in char.encode())
