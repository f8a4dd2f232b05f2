"""A contract for import-linter: every module of some packages is pure, except the named shells.

A list of pure modules grows by hand; a list of shells holds each new module to the rule from the beginning.
"""

from fnmatch import fnmatchcase

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """`packages`: the packages whose modules are pure, except `shells` (patterns of module names). A pure module
    imports no package of `forbidden`, and of this project only pure modules; so it reaches no forbidden package
    indirectly."""

    type_name = "pure"

    packages = fields.ListField(subfield=fields.StringField())
    shells = fields.ListField(subfield=fields.StringField())
    forbidden = fields.SetField(subfield=fields.StringField())
    ignore_imports = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        own = {module for module in graph.modules if not graph.is_module_squashed(module)}
        pure = {module for module in own if self._is_pure(module)}
        imports = {
            f"{module} -> {name}": name for module in pure for name in graph.find_modules_directly_imported_by(module)
        }
        wrong = {line for line, name in imports.items() if name in self.forbidden or (name in own and name not in pure)}
        names = (*self.packages, *self.shells)
        unused = [name for name in names if not any(fnmatchcase(module, name) for module in own)]
        unused += sorted(self.ignore_imports - wrong)
        left = sorted(wrong - self.ignore_imports)
        return ContractCheck(kept=not left and not unused, metadata={"wrong": left, "unused": unused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(f"{line}: a pure module imports only pure modules and no input or output", bold=False)
        for name in check.metadata["unused"]:
            output.print_error(f"{name}: matches nothing: take it out of the contract", bold=False)

    def _is_pure(self, module: str) -> bool:
        inside = any(module == package or module.startswith(f"{package}.") for package in self.packages)
        return inside and not any(fnmatchcase(module, shell) for shell in self.shells)
