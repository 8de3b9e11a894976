"""The daemon's configuration: what it says, what it refuses and how, and what it keeps to itself."""

import json
import os
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError, LuxwakeError, UsageError
from luxwake.cli import main
from luxwake.daemon.config import Config, TcpSource, WatchConfig, WebhookSink, config_of, read_config, told
from luxwake.daemon.config_environment import overridden
from luxwake.daemon.config_problems import problems
from luxwake.daemon.config_text import example_text, shown_text, toml
from luxwake.daemon.core import settings_of, watch_of

ROOT = Path(__file__).resolve().parents[1]
SMALL = """
state = "{folder}/state"
[[sources]]
name = "feed"
type = "tcp"
host = "ais.example"
port = 5631
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    for name in [name for name in os.environ if "__" in name and name.startswith("LUXWAKE_")]:
        monkeypatch.delenv(name)

    def write(text, name="luxwake.toml"):
        path = tmp_path / name
        path.write_text(text.replace("{folder}", str(tmp_path)), encoding="utf-8")
        return path

    return write


def luxwake(capsys, *arguments):
    code = main(["config", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_example_is_right_and_explains_every_key(written, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, _ = luxwake(capsys, "example")
    assert code == 0 and out == example_text()
    assert luxwake(capsys, "check", written(out))[0] == 0
    config = config_of(tomllib.loads(out))
    assert config == config_of({"sources": [msgspec.to_builtins(s) for s in config.sources],
                                "sinks": [msgspec.to_builtins(s) for s in config.sinks]})  # fmt: skip
    for part in (Config, *(field.type for field in msgspec.structs.fields(Config))):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            for field in msgspec.structs.fields(part):
                assert re.search(rf"^#?\[?\[?{field.name}\b", out, re.MULTILINE), field.name


def test_what_the_example_has_behind_its_signs_is_right_too():
    lines = [line.removeprefix("#") if re.match(r"#[\[a-z]", line) else line for line in example_text().splitlines()]
    blocks = "\n".join(line for line in lines if not line.startswith("detectors = [...]")).split("\n\n")
    shared = [block for block in blocks if "In each of [[" in block]
    config = config_of(tomllib.loads("\n\n".join(block for block in blocks if block not in shared)))
    assert len(config.sources) == 13 and len(config.sinks) == 8
    assert config.http == Config().http and config.watch == Config().watch and config.log == Config().log
    source = config_of({"sources": [{"type": "stdin", "name": "my"}]}).sources[0]
    sink = config_of({"sinks": [{"type": "syslog", "name": "my"}]}).sinks[0]
    for block, one in zip(shared, (source, sink), strict=True):
        for key, value in tomllib.loads(block).items():
            assert getattr(one, key) == value, key


def test_every_error_is_said_with_its_place_its_value_and_what_is_allowed(written, capsys):
    path = written(
        """
        stat = "x"
        archive = "yes"
        [http]
        prot = 9
        port = 70000
        [watch]
        step_s = -1
        [log]
        format = "xml"
        [[sources]]
        name = "feed"
        type = "tpc"
        [[sources]]
        name = "a feed"
        type = "tcp"
        host = 5
        [[sources]]
        type = "udp"
        name = "twice"
        port = 1
        [[sinks]]
        name = "twice"
        type = "webhook"
        url = "https://alerts.example/"
        headers = { X = 1 }
        kinds = "dark"
        """
    )
    code, out, err = luxwake(capsys, "check", path)
    assert code == 2 and out == ""
    said = [line.removeprefix(f"luxwake: {path}: ") for line in err.splitlines()]
    assert said == [
        "stat: no such key; did you mean state?",
        "archive is 'yes'; it must be true or false",
        "sources.feed.type is 'tpc'; did you mean tcp?",
        "sources.a feed.name is 'a feed'; it must be 1 to 64 letters, digits, points, - and _",
        "sources.a feed.host is 5; it must be a text",
        "sources.a feed.port: it is missing; it must be a whole number from 0 to 65,535",
        "sinks.twice.kinds is 'dark'; it must be a list, each a text",
        "sinks.twice.headers.X is '***'; it must be a text",
        "watch.step_s is -1; it must be a number from 0.001 to 1e10",
        "http.prot: no such key; did you mean port?",
        "http.port is 70000; it must be a whole number from 0 to 65,535",
        'log.format is \'xml\'; it must be "json" or "plain"',
        "name is 'twice'; two sources or sinks are called so; give each a name of its own",
    ]
    with pytest.raises(
        UsageError, match=r"stat: no such key; did you mean state\? \(and 12 more: luxwake config check"
    ):
        read_config(path)
    code, out, err = luxwake(capsys, "check", path, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 2 and lines[-1]["problems"] == 13 and len(err.splitlines()) == 1
    assert lines[1] == {"type": "problem", "path": "archive", "value": "yes", "said": "it must be true or false"}


def test_what_the_values_name_is_looked_at(written, capsys):
    written("mmsi\nSEA LARK\n", "ships.csv")
    path = written(
        """
        state = "{folder}/ships.csv/state"
        store = "mysql://x"
        [detect]
        detectors = ["dark", "darc"]
        anchorages = "/nowhere.geojson"
        [detect.params.dark]
        min_gap_h = 6
        min_gap_s = "x"
        [http]
        host = "0.0.0.0"
        [[sinks]]
        name = "file"
        type = "jsonl"
        path = "/nowhere/events.jsonl"
        kinds = ["darkk"]
        [[sinks]]
        name = "hook"
        type = "webhook"
        url = "http://user:word@alerts.example/"
        vessels = "{folder}/ships.csv"
        """
    )
    code, _, err = luxwake(capsys, "check", path)
    said = "".join(err.splitlines(keepends=True))
    assert code == 2 and "word" not in said
    for part in (
        "ships.csv is no folder that can be written",
        'store: it must be "" for SQLite',
        "sources: there is none",
        "detect.detectors is 'darc'; did you mean dark?",
        "detect.params: dark: no parameter 'min_gap_h'; did you mean min_gap_s?",
        "detect.params: dark: min_gap_s = 'x' is no int",
        "detect.anchorages is '/nowhere.geojson'; it cannot be read",
        "http.host is '0.0.0.0', which others can reach",
        "sinks.file.kinds: no 'darkk'; did you mean 'dark'?",
        "sinks.file.path is '/nowhere'; /nowhere is no folder",
        "sinks.hook.url has a user in it",
        "sinks.hook: ",
        "ships.csv:2: 'SEA LARK' is no MMSI",
    ):
        assert part in said, part


def test_a_file_that_is_right(written, capsys):
    path = written(SMALL)
    assert luxwake(capsys, "check", path) == (0, f"{path}: nothing is wrong\n", "")
    assert luxwake(capsys, "check", path, "--quiet") == (0, "", "")
    assert not (path.parent / "state").exists()  # it was only looked at


@pytest.mark.parametrize("data", [b"\xff", b"a = ", b"a = 1\na = 2", b"[" * 5000, b"a = 99999999999999999999999", b""])
def test_files_that_are_none(tmp_path, capsys, data):
    path = tmp_path / "luxwake.toml"
    path.write_bytes(data)
    code, _, err = luxwake(capsys, "check", path)
    assert code == 2 and str(path) in err and len(err.splitlines()) == 1
    code, _, err = luxwake(capsys, "check", tmp_path / "nowhere.toml")
    assert code == 1 and "luxwake config example" in err


def test_the_environment(written):
    sink = '[[sinks]]\nname="web-hook"\ntype="webhook"\nurl="https://a.b/"\nheaders={ X-Api-Key="old" }'
    path = written(SMALL + sink)
    environment = {
        "LUXWAKE_HTTP__PORT": "9000",
        "LUXWAKE_STATE": "/var/lib/luxwake",
        "LUXWAKE_SOURCES__FEED__HOST": "other.example",
        "LUXWAKE_SINKS__WEB_HOOK__HEADERS__AUTHORIZATION": "Bearer s",
        "LUXWAKE_SINKS__WEB_HOOK__HEADERS__X_API_KEY": "new",
        "LUXWAKE_DETECT__PARAMS__DARK__MIN_GAP_S": "43200",
        "LUXWAKE_DETECT__DETECTORS": '["dark"]',
        "LUXWAKE_CACHE": "/cache", "LUXWAKE_NUMBA_CACHE": "0", "HOME": "/",
    }  # fmt: skip
    config = read_config(path, environment)
    assert config.http.port == 9000 and config.state == "/var/lib/luxwake"
    source, sink = config.sources[0], config.sinks[0]
    assert isinstance(source, TcpSource) and source.host == "other.example"
    assert isinstance(sink, WebhookSink) and sink.headers == {"authorization": "Bearer s", "X-Api-Key": "new"}
    assert config.detect.params == {"dark": {"min_gap_s": 43200}} and config.detect.detectors == ["dark"]
    for variable, said in (
        ("LUXWAKE_HTTP__PROT", r"http\.prot: no such key; did you mean port\?"),
        ("LUXWAKE_SOURCES__FED__PORT", r"LUXWAKE_SOURCES__FED__PORT: none is called 'fed'; did you mean feed\?"),
        ("LUXWAKE_STATE__X", "'x' cannot be set in"),
    ):
        with pytest.raises(UsageError, match=said):
            read_config(path, {variable: "1"})


def test_secrets_come_from_the_environment_and_are_not_shown(written, capsys, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "s3cr3t-a")
    monkeypatch.setenv("BROKER_WORD", "s3cr3t-b")
    monkeypatch.setenv("LUXWAKE_SINKS__HOOK__HEADERS__X_KEY", "s3cr3t-c")
    path = written(
        SMALL
        + """
        [[sources]]
        name = "ws"
        type = "websocket"
        url = "wss://stream.example/?apikey=s3cr3t-d&area=1"
        subscribe = "s3cr3t-e"
        [[sinks]]
        name = "hook"
        type = "webhook"
        url = "https://alerts.example/in?token=s3cr3t-f"
        headers = { Authorization = "Bearer ${HOOK_TOKEN}", X-Plain = "s3cr3t-g" }
        [[sinks]]
        name = "mq"
        type = "mqtt"
        url = "mqtt://me:${BROKER_WORD}@broker.example"
        topic = "ships"
        [[sources]]
        name = "web"
        type = "http"
        url = "https://feed.example/?pass=s3cr3t-j&area=2"
        [[sinks]]
        name = "k"
        type = "kafka"
        brokers = "k.example:9092"
        topic = "ships"
        [sinks.options]
        "sasl.password" = "s3cr3t-h"
        "security.protocol" = "SASL_SSL"
        "ssl.key.pem" = "-----BEGIN PRIVATE KEY-----\\ns3cr3t-k"
        "sasl.oauthbearer.assertion.private.key.passphrase" = "s3cr3t-l"
        "ssl.key.location" = "/etc/kafka/ours.pem"
        "ssl.certificate.pem" = "-----BEGIN CERTIFICATE-----"
        """
    )
    path.write_text('store = "postgresql://me:s3cr3t-i@db/x"\n' + path.read_text())
    config = read_config(path)
    hook = config.sinks[0]
    assert isinstance(hook, WebhookSink)
    assert hook.headers["Authorization"] == "Bearer s3cr3t-a" and hook.headers["x_key"] == "s3cr3t-c"
    for options in ([], ["--json"]):
        code, out, _ = luxwake(capsys, "show", path, *options)
        assert code == 0 and "s3cr3t" not in out
        assert "Bearer ${HOOK_TOKEN}" in out and "SASL_SSL" in out and "postgresql://***@db/x" in out
        assert "apikey=***&area=1" in out and "pass=***&area=2" in out
        assert "/etc/kafka/ours.pem" in out and "BEGIN CERTIFICATE" in out
    monkeypatch.delenv("HOOK_TOKEN")
    code, _, err = luxwake(capsys, "show", path)
    assert code == 2 and "sinks[0].headers.Authorization: ${HOOK_TOKEN} is not set in the environment" in err


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        ('options = { "sasl.password" = "${PW}", "session.timeout.ms" = 6000 }', {}, "session.timeout.ms is 6000"),
        ('options = { "sasl.password" = ["${PW}"] }', {}, "sinks.k.options.sasl.password is"),
        ('options = "sasl.password=${PW}"', {}, "sinks.k.options: it must be a table"),
        ("", {"LUXWAKE_SINKS__K__OPTIONS": '{"sasl.password": "${PW}"}'}, "sinks.k.options: it must be a table"),
        ("", {"LUXWAKE_SOURCES__FEED__LOGIN": "73313"}, "sources.feed.login is '***'; it must be a text"),
        ("", {"LUXWAKE_STORE": "postgresql://me:s3cr3t@db/x", "LUXWAKE_STORE__X": "1"}, "'x' cannot be set in"),
        ('[[sinks]]\nname="h"\ntype="webhook"\nurl="https://a.b/"\nheaders={ A="Bearer ${PW}", B=1 }', {},
         "sinks.h.headers.B is '***'; it must be a text"),
        ('[[sinks]]\nname="m"\ntype="mqtt"\ntopic="x"\nurl=["mqtt://me:${PW}@host"]', {}, "sinks.m.url is"),
        *(
            (f'[[sources]]\nname="s"\ntype="mqtt"\ntopic="x"\nurl="{url}"', {}, "source 's': url must be mqtt://host")
            # 12 could be a port, and what follows a path; s3cr3t a host
            for url in ("mqtt://me:ab/${PW}@host", "mqtt://me:12/${PW}@host", "mqtt:/me:${PW}@host", "mqtt://${PW}@host")
        ),
        ('[[sources]]\nname="s"\ntype="http"\nurl="ftp://host/?token=${PW}"', {}, "url is 'ftp://host/?token=***'"),
    ],
)  # fmt: skip
def test_errors_tell_no_secrets(written, capsys, monkeypatch, text, environment, said, options):
    for name, value in {"PW": "s3cr3t/x", **environment}.items():
        monkeypatch.setenv(name, value)
    path = written(SMALL + '[[sinks]]\nname="k"\ntype="kafka"\nbrokers="host:1"\ntopic="x"\n' + text)
    code, out, err = luxwake(capsys, "check", path, *options)
    assert code == 2 and said in err and not re.search("s3cr3t|73313", out + err)


def test_what_is_shown_can_be_read_again(written):
    path = written(SMALL)
    found = told(path)
    config = config_of(found.values)
    assert config_of(tomllib.loads(shown_text(config, found))) == config


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_keys = st.text(string.ascii_lowercase, max_size=5) | st.sampled_from(
    ["http", "port", "sources", "sinks", "type", "name", "udp", "watch", "step_s", "detect", "params", "headers", "log"]
)
_values = st.recursive(
    _scalars | st.sampled_from(["udp", "tcp", "webhook", "jsonl"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_keys, _values, max_size=5))
def test_whatever_it_says_it_is_taken_or_told_what_is_wrong(values):
    """`problems` finds something exactly where msgspec does."""
    found = list(problems(values, Config))
    try:
        msgspec.convert(values, Config)
        assert not found
    except msgspec.ValidationError:
        assert found
    for problem in found:
        assert "\n" not in str(problem) or "\n" in repr(values)


@given(_values)
def test_toml_of_any_value(value):
    def without_none(value):
        if isinstance(value, dict):
            return {key: without_none(part) for key, part in value.items()}
        if isinstance(value, list):
            return [without_none(part) for part in value]
        return 0 if value is None or value != value or (isinstance(value, str) and not value.isprintable()) else value

    value = without_none(value)
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


@given(st.dictionaries(st.text(st.sampled_from("ABHTPORS_01"), max_size=12), st.text(max_size=12), max_size=4))
def test_any_environment(environment):
    named = {f"LUXWAKE_{name}": value for name, value in environment.items()}
    values, wrong = overridden({"http": {"port": 1}, "sources": [{"name": "a"}]}, named)
    assert isinstance(values, dict) and all(str(problem) for problem in wrong)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    try:
        read_config(path, {})
    except LuxwakeError as error:
        assert str(path) in str(error)


def test_commands_load_nothing_that_they_do_not_need():
    code = (
        "import sys\nfrom luxwake.cli import main\nmain(['config', 'example'])\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numba', 'duckdb', 'paho', 'nats', 'sklearn'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.splitlines()[-1] == "[]"


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="luxwake config example"):
        read_config(tmp_path)


@pytest.mark.parametrize("field", msgspec.structs.fields(WatchConfig), ids=lambda field: field.name)
def test_the_least_and_the_most_that_a_key_of_the_watch_may_be_are_taken_by_it(field):
    kind = msgspec.inspect.type_info(field.type)
    for least_or_most in (kind.ge, kind.le):
        config = config_of({"detect": {"detectors": ["dark"]}, "watch": {field.name: least_or_most}})
        watch_of(settings_of(config))
