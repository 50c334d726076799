"""Rules of the house that the import contract does not hold; see docs/structure.md."""

import ast
from collections import Counter
from pathlib import Path

import autodip

HOME = Path(autodip.__file__).parent
TREES = {path.relative_to(HOME): ast.parse(path.read_text()) for path in HOME.rglob("*.py")}
MODULES = [path for path in TREES if path.name != "__init__.py"]
POSITIONAL = 5
"""Arguments that may be given by their position."""


def twice(names):
    return sorted(name for name, count in Counter(names).items() if count > 1)


def nodes(kind):
    return [
        (path, node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, kind)
    ]


def test_three_modules_lie_at_the_top():
    top = {path.name for path in TREES if len(path.parts) == 1}
    assert top == {"__init__.py", "__main__.py", "errors.py"}


def test_no_module_and_no_class_has_the_name_of_another():
    assert twice(path.name for path in MODULES) == []
    assert twice(node.name for _, node in nodes(ast.ClassDef) if node.name[0] != "_") == []


def test_the_command_line_alone_knows_click_and_prints():
    """Python shows progress as well, in the same bar, which is in one module."""
    for path, tree in TREES.items():
        if path.parts[0] == "cli" or path == Path("api", "bars.py"):
            continue
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            (node.module or "").split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & {"click", "rich"}, path
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "print" not in called, path


def test_the_plugin_alone_knows_napari_and_qt():
    for kind in (ast.Import, ast.ImportFrom):
        for path, node in nodes(kind):
            names = [alias.name for alias in node.names] if kind is ast.Import else [node.module]
            known = {str(name).split(".")[0] for name in names} & {"napari", "qtpy"}
            assert not known or path.parts[0] == "napari", path


def test_no_private_name_is_imported():
    for path, node in nodes(ast.ImportFrom):
        if (node.module or "").startswith("autodip"):
            assert [alias.name for alias in node.names if alias.name[0] == "_"] == [], path


def test_more_than_five_arguments_are_keywords():
    for path, node in nodes(ast.FunctionDef):
        own = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        own = own[1:] if own[:1] in (["self"], ["cls"]) else own
        made_by_click = path.parts[0] == "cli" and node.decorator_list
        assert len(own) <= POSITIONAL or made_by_click, f"{path}: {node.name}"


def test_so_are_more_than_five_fields():
    for path, node in nodes(ast.ClassDef):
        marks = [ast.unparse(mark) for mark in node.decorator_list]
        if not any(mark.startswith("dataclass") for mark in marks) or "kw_only=True" in " ".join(
            marks
        ):
            continue
        names = [field.target.id for field in node.body if isinstance(field, ast.AnnAssign)]
        positional = names[: names.index("_")] if "_" in names else names
        assert len(positional) <= POSITIONAL, f"{path}: {node.name}"


def test_options_end_in_planning():
    """Below it there is the plan."""
    allowed = {"options.py", "planning.py", "denoise.py"}
    for path, tree in TREES.items():
        if path.parts[0] != "pipeline" or path.name in allowed:
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert "Options" not in names, path
