"""What is shipped for deployment: each file is parsed, and what it names is there."""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from luxwake.cli import _parser
from luxwake.daemon.config import AnySource, config_of
from luxwake.daemon.metrics import metrics_text
from luxwake.daemon.status import Held, SinkStatus, SourceStatus, Status
from tests.http_case import served

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\bluxwake_[a-z0-9_]+")
SOURCES = {kind.__struct_config__.tag for kind in get_args(AnySource)}


@pytest.fixture(scope="module")
def metrics():
    """The labels of each metric of a daemon that has everything."""
    lost = {"queue full": 1}
    source = SourceStatus(
        "feed",
        "udp",
        connected=True,
        dropped_bytes=lost,
        dropped_units=lost,
        rejected=lost,
        unused=lost,
        t_last=1,
    )
    status = Status(t=1, phase="running", version="0", sources=[source], sinks=[SinkStatus("hook", "webhook")],
                    held={"vessels": Held(1, 2)}, left_out=lost, changes={"dark": 1}, checkpoint_age_s=1.0)  # fmt: skip
    text = metrics_text(status, 60.0)
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.partition("{")
            found[name.split(" ")[0]] = set(re.findall(r'(\w+)="', labels))
    assert set(found) == set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    return found


def check_expression(expression, metrics):
    """Every metric is one of ours, and every label that it is asked for is one of its own."""
    expression = re.sub(r"luxwake:[a-z0-9_:]+", "recorded", expression)
    names = NAME.findall(expression)
    assert names or "up{" in expression or "recorded" in expression, expression
    for name in names:
        assert name in metrics, f"{name} in {expression}"
    for name, labels in re.findall(r"\b(luxwake_[a-z0-9_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*=", labels)) <= metrics[name] | {"instance", "job"}, expression
    assert set(re.findall(r'\btype\s*!?=\s*"([^"]*)"', expression)) <= SOURCES, expression
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        asked = {label.strip() for label in labels.split(",")} - {"instance", "job"}
        assert all(asked <= metrics[name] for name in names), expression


def test_the_rules_of_prometheus(metrics):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    rules = [rule for group in yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"]
             for rule in group["rules"]]  # fmt: skip
    alerts = [rule["alert"] for rule in rules if "alert" in rule]
    assert len(alerts) == len(set(alerts)) >= 15
    for rule in rules:
        check_expression(rule["expr"], metrics)
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("critical", "warning")
            used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) - {"instance"}
            assert all(used <= metrics[name] for name in NAME.findall(rule["expr"])), rule["alert"]


RULE_TESTS = """
rule_files: [RULES]
tests:
  - interval: 1m
    input_series:
      - {series: 'luxwake_source_last_arrival_timestamp_seconds{source="feed", instance="a"}', values: '0x20'}
      - {series: 'luxwake_source_rejected_total{source="feed", instance="a", reason="checksum"}', values: '0+30x40'}
      - {series: 'luxwake_source_decoded_messages_total{source="feed", instance="a"}', values: '0+70x40'}
      - {series: 'luxwake_held{what="vessels", instance="a"}', values: '95x20'}
      - {series: 'luxwake_held_limit{what="vessels", instance="a"}', values: '100x20'}
      - {series: 'luxwake_start_time_seconds{instance="a"}', values: '1 1 2 2 3 4 5 5 5 5'}
      - {series: 'luxwake_start_time_seconds{instance="b"}', values: '1 1 2 2 3 4 4 4 4 4'}
      - {series: 'luxwake_source_connections_total{source="feed", type="tcp", instance="a"}', values: '0+1x70'}
      - {series: 'luxwake_source_connections_total{source="gate", type="tcp-server", instance="a"}', values: '0+1x70'}
      - {series: 'luxwake_source_dropped_units_total{source="feed", instance="a", reason="full"}', values: '_x11 5x40'}
      - {series: 'luxwake_source_connected{source="mute", instance="a"}', values: '1x40'}
      - {series: 'luxwake_checkpoint_age_seconds{instance="b"}', values: '1000x40'}
      - {series: 'luxwake_sink_failing{sink="hook", instance="a"}', values: '1x40'}
      - {series: 'luxwake_sink_queued{sink="hook", instance="a"}', values: '0x10 7x30'}
    alert_rule_test:
      - {eval_time: 9m, alertname: LuxwakeSourceSilent, exp_alerts: []}
      - eval_time: 15m
        alertname: LuxwakeSourceSilent
        exp_alerts:
          - exp_labels: {severity: warning, source: feed, instance: a}
            exp_annotations:
              summary: "Source feed has been silent for 15m 0s: a silence of ours, not of ships"
      - eval_time: 30m
        alertname: LuxwakeSourceRejects
        exp_alerts:
          - exp_labels: {severity: warning, source: feed, instance: a}
            exp_annotations: {summary: "30% of what source feed sends cannot be decoded"}
      - eval_time: 12m
        alertname: LuxwakeNearItsCap
        exp_alerts:
          - exp_labels: {severity: warning, what: vessels, instance: a}
            exp_annotations: {summary: "vessels of a are 95% of their cap"}
      - eval_time: 20m
        alertname: LuxwakeSourceNeverHeard
        exp_alerts:
          - exp_labels: {severity: warning, source: mute, instance: a}
            exp_annotations: {summary: "Nothing has come from source mute since the daemon was started"}
      - {eval_time: 20m, alertname: LuxwakeCheckpointOld, exp_alerts: []}
      - {eval_time: 10m, alertname: LuxwakeSourceDrops, exp_alerts: []}
      - eval_time: 13m
        alertname: LuxwakeSourceDrops
        exp_alerts:
          - exp_labels: {severity: warning, source: feed, instance: a, reason: full}
            exp_annotations: {summary: "Source feed dropped something in 10 min: full"}
      - eval_time: 60m
        alertname: LuxwakeSourceReconnects
        exp_alerts:
          - exp_labels: {severity: warning, source: feed, type: tcp, instance: a}
            exp_annotations: {summary: "Source feed connected 60 times in an hour"}
      - {eval_time: 20m, alertname: LuxwakeSinkFails, exp_alerts: []}
      - eval_time: 30m
        alertname: LuxwakeSinkFails
        exp_alerts:
          - exp_labels: {severity: warning, sink: hook, instance: a}
            exp_annotations: {summary: "Sink hook has failed for 15 min; changes wait in the store"}
      - eval_time: 9m
        alertname: LuxwakeRestarts
        exp_alerts:
          - exp_labels: {severity: critical, instance: a}
            exp_annotations: {summary: "Luxwake at a started 4 times in an hour; see its log"}
"""


def test_the_rules_fire_when_they_should(tmp_path):
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed")
    tests = tmp_path / "tests.yml"
    tests.write_text(RULE_TESTS.replace("RULES", str(DEPLOY / "prometheus-rules.yml")))
    checked = subprocess.run([promtool, "test", "rules", str(tests)], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_metrics_are_as_prometheus_wants_them():
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed")
    text = metrics_text(Status(t=1, sources=[SourceStatus("a")], sinks=[SinkStatus("b")]), 60.0)
    checked = subprocess.run([promtool, "check", "metrics"], check=False, input=text, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_dashboard_of_grafana(metrics):
    board = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    variables = {variable["name"] for variable in board["templating"]["list"]}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) >= 15
    places = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places and at["x"] + at["w"] <= 24, panel["title"]
        places |= cells
        for target in panel["targets"]:
            check_expression(target["expr"], metrics)
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables
            shown = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
            assert all(shown <= metrics[name] for name in NAME.findall(target["expr"])), panel["title"]
    for variable in board["templating"]["list"]:
        assert set(NAME.findall(json.dumps(variable.get("query", "")))) <= set(metrics)


@pytest.fixture(scope="module")
def unit():
    class Lists(dict):
        def __setitem__(self, key, value):
            if isinstance(value, list) and isinstance(self.get(key), list):
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    parser = configparser.RawConfigParser(strict=False, dict_type=Lists, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read(DEPLOY / "luxwake.service")
    return parser


def of_unit(unit, key):
    return [line for line in unit["Service"][key].split("\n") if line]


def test_the_commands_of_the_unit_are_ours(unit):
    for line in of_unit(unit, "ExecStart"):
        program, *arguments = shlex.split(line)
        assert Path(program).name == "luxwake"
        _parser().parse_args(arguments)


def test_the_unit_is_hardened(unit):
    service = unit["Service"]
    assert service["Type"] == "notify" and int(service["WatchdogSec"]) > 0 and service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "2"  # of a wrong configuration
    assert "MemoryDenyWriteExecute" not in service  # kernels are compiled
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    told = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(DEPLOY / "luxwake.service")],
        check=False,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level .*?: ([0-9.]+)", told.stdout)
    if found is None:
        pytest.skip(f"systemd-analyze does not judge files offline: {told.stderr[:100]}")
    assert float(found[1]) <= 1.3


def test_systemd_knows_every_line_of_the_unit():
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed")
    asked = [analyze, "verify", str(DEPLOY / "luxwake.service")]
    told = subprocess.run(asked, check=False, capture_output=True, text=True)
    lines = [line for line in told.stderr.splitlines() if "luxwake.service" in line and "is not executable" not in line]
    assert not lines


def test_kernels_are_cached_where_the_unit_says(unit, tmp_path):
    """With no home, and from packages that cannot be written, as under the unit."""
    settings = dict(part.split("=", 1) for line in of_unit(unit, "Environment") for part in line.split())
    assert settings["LUXWAKE_CACHE"] == "%C/" + unit["Service"]["CacheDirectory"]
    code = "from geo.kernel import CACHE_FOLDER; print(CACHE_FOLDER)"
    cache = tmp_path / "cache"
    environment = {**settings, "LUXWAKE_CACHE": str(cache), "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True, check=True
    ).stdout.strip()
    assert Path(out).parent == cache and Path(out).stat().st_mode & 0o777 == 0o700


def containerfile():
    """The text, each instruction in one line."""
    return (DEPLOY / "Containerfile").read_text().replace("\\\n", "")


def health_check(text):
    return json.loads(re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)[1])


def test_the_health_check_asks_no_proxy():
    """A proxy that the container's environment names is for the web."""
    _, option, code = health_check(containerfile())
    nobody = {"http_proxy": "http://127.0.0.1:9", "PATH": os.environ["PATH"]}
    with served() as port:
        asked = code.replace(f":{config_of({}).http.port}/", f":{port}/")
        subprocess.run([sys.executable, option, asked], env=nobody, check=True)


def test_the_container():
    text = containerfile()
    assert "--no-compile" not in text  # each start would compile a thousand modules: 2 s
    lines = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
    assert {word for word, _ in lines} <= known | {"ENTRYPOINT", "CMD"}
    stages = [n for n, (word, _) in enumerate(lines) if word == "FROM"]
    last = lines[stages[-1] :]
    for word, rest in lines[: stages[-1]]:
        if word == "COPY":
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
    packages = {rest.split()[0] for word, rest in lines if word == "COPY"}
    assert {"geo", "ais", "detectors", "cargo", "luxwake", "fixtures/flagship"} <= packages
    users = [rest for word, rest in last if word == "USER"]
    assert users and users[-1].split(":")[0].isdecimal() and int(users[-1].split(":")[0]) >= 1000
    entry = json.loads(next(rest for word, rest in last if word == "ENTRYPOINT"))
    arguments = json.loads(next(rest for word, rest in last if word == "CMD"))
    assert entry == ["luxwake"] and arguments[:2] == ["serve", "--config"]
    _parser().parse_args(arguments)
    assert f":{config_of({}).http.port}/healthz" in health_check(text)[-1]
    volumes = json.loads(next(rest for word, rest in last if word == "VOLUME"))
    assert re.search(r"LUXWAKE_CACHE=(\S+)", text)[1] in volumes
