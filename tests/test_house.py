"""The rules of the house, as far as a machine can check them."""

import ast
import functools
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "geo": set(),
    "ais": {"geo"},
    "detectors": {"geo", "ais"},
    "cargo": {"geo", "ais", "detectors"},
    "luxwake": {"geo", "ais", "detectors", "cargo"},
}
KERNELS_MAY_IMPORT = {"numpy", "math", "numba"}
ONLY_IN_FUNCTIONS = {
    *("sklearn", "duckdb", "pandas", "polars", "arro3", "searoute", "scipy", "rich", "shapely"),
    *("python_calamine", "zstandard", "networkx", "rapidfuzz", "anyascii", "xlsxwriter"),
    *("paho", "nats", "redis", "confluent_kafka", "websockets", "psycopg"),
}
MAX_LINES = 400
SOURCES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module", params=SOURCES, ids=name_of)
def path(request) -> Path:
    """A module: what is asked of one is asked together, so that it is parsed once."""
    return request.param


@functools.lru_cache(maxsize=8)
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree, *, at_import_time: bool):
    """Top names that a module imports: anywhere, or when it is itself imported (annotations apart)."""
    nodes = list(ast.walk(tree))
    if at_import_time:
        lazy = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        lazy += [n for n in nodes if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
        inner = {id(m) for n in lazy for m in ast.walk(n)}
        nodes = [n for n in nodes if id(n) not in inner]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            yield (node.module or "").split(".")[0]


def decorators(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from ((node, ast.unparse(d)) for d in node.decorator_list)


def names_in(*nodes):
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}


def kernels(tree):
    return [node for node, decorator in decorators(tree) if decorator in ("kernel", "inner", "inlined")]


def test_the_arrows_run_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    ours = set(imports(tree_of(path), at_import_time=False)) & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[package] | {package}


def test_heavy_libraries_are_imported_where_they_are_needed(path):
    if "/tables/build_" in path.as_posix():
        return  # build scripts are run by maintainers, and imported by nobody
    assert not set(imports(tree_of(path), at_import_time=True)) & ONLY_IN_FUNCTIONS
    if path.relative_to(ROOT).parts[0] != "geo":
        assert "shapely" not in set(imports(tree_of(path), at_import_time=False))


def test_there_is_one_decorator_of_kernels_and_kernels_keep_their_rules(path):
    text, tree = path.read_text(encoding="utf-8"), tree_of(path)
    if name_of(path) not in ("geo/kernel.py", "geo/instructions.py"):
        assert not re.search(r"\b(njit|jit|vectorize|guvectorize|prange|jitclass)\b\(", text)
        assert "numba" not in set(imports(tree, at_import_time=True))
    assert not re.search(r"fastmath\s*=\s*True|parallel\s*=\s*True", text)
    for function in kernels(tree):
        for node in ast.walk(function):
            assert not isinstance(node, ast.Raise | ast.Try | ast.With | ast.Dict | ast.Set | ast.JoinedStr), (
                function.name
            )
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"sorted", "np.sort", "np.argsort", "np.unique", "print"}, (
                    function.name
                )


def test_kernels_above_the_detectors_take_nothing_from_modules_without_kernels(path):
    """The digest that the cache of kernels goes by leaves those modules out."""
    tree = tree_of(path)
    if not (kernels(tree) and name_of(path).startswith(("cargo/", "luxwake/"))):
        return
    foreign = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("cargo", "luxwake")):
            if not kernels(tree_of(ROOT / (node.module.replace(".", "/") + ".py"))):
                foreign |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign) and foreign & names_in(node.value):
            foreign |= names_in(*node.targets)
    for function in kernels(tree):
        assert not foreign & names_in(function), function.name


def test_every_function_but_kernels_is_annotated(path):
    tree = tree_of(path)
    compiled = {id(function) for function in kernels(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and id(node) not in compiled:
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert node.returns is not None, node.name
            assert not [a.arg for a in arguments if a.annotation is None and a.arg not in {"self", "cls"}], node.name


def test_modules_and_functions_are_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.body:
            code = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            lines = (code[-1].end_lineno or 0) - code[0].lineno + 1 if code else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


def test_nothing_is_called_utils():
    banned = {"utils", "helpers", "common", "manager", "misc"}
    assert not [name_of(p) for p in SOURCES if p.stem in banned]


def test_parameters_have_units_or_sources(path):
    """Each default of a `*Params` class is followed by a sentence that says where it is from."""
    for node in ast.walk(tree_of(path)) if name_of(path).partition("/")[0] != "luxwake" else ():
        if isinstance(node, ast.ClassDef) and node.name.endswith("Params"):
            for field, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign):
                    assert isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant), field.target


def test_no_path_of_this_machine_and_no_host_of_a_registry_stand_in_the_project():
    names = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml", "constraints.txt", ".ci/run")
    texts = [ROOT / name for name in names]
    texts += [*SOURCES, *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.py")]
    here = [str(path) for path in (ROOT, Path.home()) if len(path.parts) > 2]  # "/" and "/root" stand in many texts
    assert not [name_of(path) for path in texts if any(word in path.read_text(encoding="utf-8") for word in here)]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert pins and all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins)


def test_the_command_line_loads_nothing_heavy_before_it_knows_what_to_do():
    import subprocess

    code = (
        "import sys\nfrom luxwake.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'numba', 'duckdb', 'rich', 'h3', 'sklearn'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.splitlines()[-1] == "[]"
