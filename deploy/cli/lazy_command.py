"""Commands that are listed without an import: their help is read from the source."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

import deploy.cli


class LazyCommand(TyperCommand):
    """A command, or a group of commands, whose module is imported on use."""

    def __init__(self, name: str, module: str, attribute: str):
        super().__init__(name)
        self._module, self._attribute = module, attribute

    def read_help(self) -> None:
        """Read the help from the source of the module."""
        self.help = self.help or help_in_source(self._module, self._attribute)

    def load(self) -> Any:
        """Import the module and return the command itself."""
        function_or_group = getattr(import_module(self._module), self._attribute)
        holder = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        holder.callback()(lambda: None)
        if isinstance(function_or_group, typer.Typer):
            holder.add_typer(function_or_group, name=self.name)
        else:
            holder.command(self.name)(function_or_group)
        group = typer.main.get_command(holder)
        assert isinstance(group, TyperGroup)
        return group.commands[self.name or ""]

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Create the context of the real command, which then runs instead of this one."""
        return self.load().make_context(*arguments, **options)


def help_in_source(module: str, attribute: str) -> str | None:
    """Return the docstring of a function, or the `help` argument of a group, in a module."""
    source = Path(deploy.cli.__path__[0], module.rpartition(".")[2]).with_suffix(".py").read_bytes()
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) if name == attribute:
                return ast.get_docstring(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)):
                if name == attribute:
                    text: str = next(ast.literal_eval(k.value) for k in keywords if k.arg == "help")
                    return text
    raise LookupError(f"{module} defines no {attribute}")
