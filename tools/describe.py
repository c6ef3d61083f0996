"""What each key of the site file is, read from the docstring below it: for the pages and the schema."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache

from pydantic import BaseModel


@cache
def described(model: type[BaseModel]) -> dict[str, str]:
    """Each field of a section, by its name, with what its docstring says, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    (section,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    found = {}
    for field, after in zip(section.body, section.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[field.target.id] = " ".join(str(after.value.value).split())
    return found
