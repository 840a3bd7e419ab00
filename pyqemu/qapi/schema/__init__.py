"""QEMU's schema language: text → tokens → expressions → checked definitions.

========== =========================================================================
lexer      characters to tokens
syntax     expressions: values with their places
parser     tokens to expressions; ``include``, ``pragma``
doc        the documentation comment of a definition, divided into its sections
condition  ``if``
names      what may be called how
shape      which keys an expression has, and of what kind
model      the definitions as objects that refer to each other
builder    expressions to definitions
rules      what must hold between definitions
prune      leaves what is configured
load       all of that
========== =========================================================================

Used by the generator and by tests only; the running program reads generated modules.
"""

from pyqemu.qapi.schema.errors import Place, SchemaError
from pyqemu.qapi.schema.load import load

__all__ = ["Place", "SchemaError", "load"]
