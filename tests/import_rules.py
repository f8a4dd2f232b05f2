"""An import rule of its own for import-linter: every module of some packages decides only, but for those named.

A list of what is pure has to be added to; a list of what is not holds each new module from its first day.
"""

from fnmatch import fnmatchcase

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """`packages`: those that are held; `shells`: patterns of the modules that do input and output; `forbidden`:
    packages that no other module imports. A module that is held imports no shell either, so that nothing reaches a
    forbidden package by way of one."""

    type_name = "pure"

    packages = fields.ListField(subfield=fields.StringField())
    shells = fields.ListField(subfield=fields.StringField())
    forbidden = fields.SetField(subfield=fields.StringField())
    ignore_imports = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        held = [module for module in graph.modules if self._is_held(module)]
        unused = [pattern for pattern in self.shells if not any(fnmatchcase(name, pattern) for name in graph.modules)]
        wrong = sorted(
            f"{module} -> {imported}"
            for module in held
            for imported in graph.find_modules_directly_imported_by(module)
            if self._is_wrong(imported) and f"{module} -> {imported}" not in self.ignore_imports
        )
        return ContractCheck(kept=not wrong and not unused, metadata={"wrong": wrong, "unused": unused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(f"{line}: a module that decides imports no shell and nothing that waits", bold=False)
        for pattern in check.metadata["unused"]:
            output.print_error(f"{pattern}: no module is called so: take it out of `shells`", bold=False)

    def _is_held(self, module: str) -> bool:
        inside = any(module == package or module.startswith(f"{package}.") for package in self.packages)
        return inside and not self._is_shell(module)

    def _is_shell(self, module: str) -> bool:
        return any(fnmatchcase(module, pattern) for pattern in self.shells)

    def _is_wrong(self, imported: str) -> bool:
        return imported.partition(".")[0] in self.forbidden or self._is_shell(imported)
