"""Faulty changes of Python: operators of mutmut, and additional ones.

Changes without testable behaviour are omitted: annotations, decorators, docstrings and other texts,
logging, and values of constants (such as page sizes and timeouts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import libcst as cst
import libcst.matchers as m
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper
from mutmut.mutation import mutators

from tools.mutation.source_change import Change

Operator: TypeAlias = "tuple[type[cst.CSTNode], Callable[[Any], Iterable[cst.CSTNode]]]"
SWAPPED_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
LOGGING = m.Call(func=m.Attribute(value=m.Name("log") | m.Name("logger")))
LEFT_OUT = (cst.Annotation, cst.Decorator, cst.BaseString, cst.Import, cst.ImportFrom)
FOR_CHECKERS = m.If(test=m.Name("TYPE_CHECKING")) | m.Assert()
HOW_A_CLASS_IS_MADE = m.Arg(keyword=m.OneOf(*map(m.Name, ("frozen", "slots", "kw_only", "eq"))))
WITHOUT_EFFECT = {"description", "deprecation_reason", "strict"}
"""Arguments for documentation, and one without effect in correct code."""


def negate(condition: cst.BaseExpression) -> Iterator[cst.CSTNode]:
    """Yield `if x` → `if not x`, where no other operator changes the condition."""
    if not m.matches(condition, m.Comparison() | m.UnaryOperation(operator=m.Not())):
        inside = condition.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield cst.UnaryOperation(cst.Not(), inside)


def drop_case(node: cst.MatchCase) -> Iterator[cst.CSTNode]:
    """Yield the removal of a case."""
    yield cst.EmptyLine(indent=False)


def drop_operand(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    """Yield `a and b` → `a`, and → `b`."""
    yield from (node.left, node.right)


def drop_keyword_argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Yield `f(a, key=b)` → `f(a)`, which uses the default."""
    for number, argument in enumerate(node.args):
        if argument.keyword and argument.keyword.value not in WITHOUT_EFFECT:
            yield node.with_changes(args=[*node.args[:number], *node.args[number + 1 :]])


def swap_call(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Yield `min(…)` → `max(…)` and similar swaps."""
    if isinstance(node.func, cst.Name) and node.func.value in SWAPPED_CALLS:
        yield node.with_changes(func=cst.Name(SWAPPED_CALLS[node.func.value]))


def drop_statement(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Yield the removal of a call statement."""
    call = node.value.expression if isinstance(node.value, cst.Await) else node.value
    if isinstance(call, cst.Call) and not m.matches(call, LOGGING):
        yield cst.Pass()


OPERATORS: tuple[Operator, ...] = (
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.Call, mutators.operator_symmetric_string_methods_swap),
    (cst.Call, mutators.operator_unsymmetrical_string_methods_swap),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.MatchCase, drop_case),
    (cst.IfExp, mutators.operator_if_exp),
    (cst.BooleanOperation, drop_operand),
    (cst.Call, drop_keyword_argument),
    (cst.Call, swap_call),
    (cst.Expr, drop_statement),
)


class _Finder(cst.CSTVisitor):
    """A visitor that collects the changes of a module, with the function of each."""

    METADATA_DEPENDENCIES = (ByteSpanPositionProvider,)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.module, self.source = module, module.bytes
        self.scopes: list[str] = []
        self.functions = 0
        self.changes: list[Change] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Collect changes of a node; False skips its children."""
        if _is_left_out(node) or (isinstance(node, cst.BaseNumber) and not self.functions):
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.changes += (self._change(node, new) for new in operator(node))
        if isinstance(node, cst.If | cst.While | cst.CompIf):
            self.changes += (self._change(node.test, new) for new in negate(node.test))
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.scopes.append(node.name.value)
            self.functions += isinstance(node, cst.FunctionDef)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Leave the function or class."""
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self.scopes.pop()
            self.functions -= isinstance(original_node, cst.FunctionDef)

    def _change(self, node: cst.CSTNode, new: cst.CSTNode) -> Change:
        span = self.get_metadata(ByteSpanPositionProvider, node)
        before = self.source[span.start : span.start + span.length].decode()
        start = len(self.source[: span.start].decode()) + len(before) - len(before.lstrip())
        after = self.module.code_for_node(new).strip()
        return Change(".".join(self.scopes), start, before.strip(), after)


def _is_left_out(node: cst.CSTNode) -> bool:
    return isinstance(node, LEFT_OUT) or m.matches(
        node, LOGGING | FOR_CHECKERS | HOW_A_CLASS_IS_MADE
    )


def python_changes(source: str) -> Iterator[Change]:
    """Yield all changes of a module; some of them are not valid Python."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    finder = _Finder(wrapper.module)
    wrapper.visit(finder)
    return (change for change in dict.fromkeys(finder.changes) if change.before != change.after)


def is_python(source: str) -> bool:
    """Whether a module can be compiled."""
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True
