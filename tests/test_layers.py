"""An arrow only points down: who may import whom, read from the source with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import escalate

SOURCE = Path(escalate.__file__).parent

LAYERS = (
    {"__main__"},
    {"cli"},
    {"export"},
    {"pages"},
    {"report", "plots"},
    {"tracking"},
    {"protocol_tables", "studies"},
    {"kernel", "cautions"},
    {"trial", "exactly"},
    {"committee"},
    {"rules", "nature", "results"},
    {"scenario", "registry"},
    {"words"},
    {"files"},
    {"errors", "shipped"},
)
"""From the top down; rooms of one floor may not import each other."""

ONLY_IN = {
    "simpy": {"trial"},
    "matplotlib": {"plots"},
    "pydantic": {"scenario"},
    "jinja2": {"pages"},
    "tqdm": {"studies"},
    "distributed": {"studies"},
    "pyarrow": {"studies"},
    "openpyxl": {"export", "tracking"},
    "shtab": {"cli"},
    "termcolor": {"cli"},
}


def layer_of(name: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if name in names)


def unit_of(path: Path) -> str:
    """Return the room, or the module that stands beside the rooms, that a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[tuple[str, bool]]:
    """Return what a file imports: the unit inside the package (True), or the library (False)."""
    found: set[tuple[str, bool]] = set()
    depth = len(path.relative_to(SOURCE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name.split(".")[0], False) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(((node.module or "").split(".")[0], False))
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            found |= {(name, True) for name in names}
    return found


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]


def test_every_room_has_a_floor() -> None:
    assert {unit_of(path) for path in FILES} == set().union(*LAYERS)


def test_an_arrow_only_points_down() -> None:
    wrong = [
        f"{unit_of(path)} imports {name}"
        for path in FILES
        for name, inside in imports(path)
        if inside and name not in {"__version__", unit_of(path)} and layer_of(name) <= layer_of(unit_of(path))
    ]
    assert wrong == []


def test_libraries_stay_where_they_belong() -> None:
    wrong = [
        f"{unit_of(path)} imports {name}"
        for path in FILES
        for name, inside in imports(path)
        if not inside and name in ONLY_IN and unit_of(path) not in ONLY_IN[name]
    ]
    assert wrong == []


def test_the_package_itself_imports_nothing() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {getattr(node, "module", None) or node.names[0].name for node in at_import}
    assert names == {"__future__", "importlib", "typing"}


def modules_imported(path: Path) -> Iterator[Path]:
    """Yield the modules of the package that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for named in (folder / alias.name for alias in node.names):
                places = (
                    named.with_suffix(".py"),
                    named / "__init__.py",
                    folder.with_suffix(".py"),
                    folder / "__init__.py",
                )
                yield next(place for place in places if place.exists())


def circle(files: list[Path]) -> list[str]:
    """Return the modules of a circle of imports among files, the first one again at its end; none if there is none."""
    arrows = {path: {other for other in modules_imported(path) if other in files} for path in files}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return [path.stem for path in error.args[1]]
    return []


@pytest.mark.parametrize("room", sorted({unit_of(path) for path in FILES if path.parent != SOURCE}))
def test_a_room_has_no_circle_of_modules(room: str) -> None:
    assert circle([path for path in FILES if unit_of(path) == room]) == []


def test_a_circle_is_found_where_there_is_one(tmp_path: Path) -> None:
    texts = {
        "a": "from .b import x",
        "b": "def f():\n    from . import c",
        "c": "from ..room.a import y",
        "d": "from . import a",
    }
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").write_text("")
    for name, text in texts.items():
        (room / f"{name}.py").write_text(text)
    found = circle(sorted(room.glob("*.py")))
    assert set(found) == {"a", "b", "c"} and found[0] == found[-1]
