#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The way of metrics to an operator: promtool and the OpenMetrics parser of Prometheus'
own library check the format, promtool the rules, and a Prometheus on loopback scrapes a
node exporter, which reads the file that luotrace wrote in the VM test leak, and answers
the queries of the rules and of the dashboard. Prints TAP."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tap import TOP, check, end

DOCS = os.path.join(TOP, "Documentation/monitoring")
STAGE = os.path.join(TOP, "build/vm/default/leak/stage1")
LEAKED, FINISHED = (os.path.join(STAGE, n) for n in ("luo.prom", "finished.prom"))
WAIT = 60       # seconds for the first scrape


def unpacked(package, *names):
    """Paths of programs of a package, which is only unpacked."""
    r = subprocess.run([os.path.join(TOP, "tools/build/unpacked"), package],
                       stdout=subprocess.PIPE, text=True, check=True)
    return [os.path.join(r.stdout.strip(), "usr/bin", name) for name in names]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def samples(text):
    """{(name, sorted labels): value} by the OpenMetrics parser."""
    return {(s.name, tuple(sorted(s.labels.items()))): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples}


def test_format(promtool, text):
    r = subprocess.run([promtool, "check", "metrics"], input=text,
                       capture_output=True, text=True)
    check(r.returncode == 0 and not r.stdout and not r.stderr,
          "promtool accepts the metrics", r.stdout, r.stderr)
    broken = subprocess.run([promtool, "check", "metrics"],
                            input=text.replace("luo_leaks{", "luo_leaks{{"),
                            capture_output=True, text=True)
    check(broken.returncode != 0, "and rejects broken ones")
    have = samples(text)
    for key, want in (
            (("luo_leaks", (("class", "unclaimed"),)), 6),
            (("luo_leaks", (("class", "no-handler"),)), 1),
            (("luo_leaks", (("class", "refused"),)), 1),
            (("luo_leaks", (("class", "dropped"),)), 0),
            (("luo_incoming_sessions", (("state", "unclaimed"),)), 6),
            (("luo_incoming_files", (("state", "unclaimed"),)), 12),
            (("luo_incoming_files", (("state", "no-handler"),)), 1),
            (("luo_state", (("state", "updated"),)), 1),
            (("luo_liveupdates", ()), 1),
            (("luo_finished_sessions", ()), 0)):
        check(have.get(key) == want, "%s%s is %d" % (
            key[0], "".join(" %s" % v for _, v in key[1]), want), have.get(key))
    freeze = {k: v for k, v in have.items() if ("op", "freeze") in k[1] and
              ("name", "liveupdate-test-v1") in k[1]}
    check(freeze.get(next((k for k in freeze if k[0] == "luo_call_seconds_count"),
                          None)) == 9,
          "the histogram of freeze has the calls of the nine test files", freeze)
    return {name for name, _ in have}


def test_rules(promtool, names, tmp):
    rules = os.path.join(DOCS, "alerts.yml")
    r = subprocess.run([promtool, "check", "rules", rules], capture_output=True,
                       text=True)
    check(r.returncode == 0, "promtool accepts the rules", r.stdout, r.stderr)
    test = {
        "rule_files": [rules], "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [
                {"series": 'luo_leaks{instance="a",class="dropped"}',
                 "values": "0 2x30"},
                {"series": 'luo_leaks{instance="b",class="dropped"}',
                 "values": "0x30"},
                {"series": 'luo_incoming_bytes{instance="a"}', "values": "0 2e9x30"},
                {"series": 'luo_blackout_seconds{instance="a"}', "values": "9x120"},
                {"series": 'luo_freeze_window_seconds{instance="a"}',
                 "values": "2x120"},
                {"series": 'luo_blackout_timestamp_seconds{instance="a"}',
                 "values": "60x120"},
                {"series": 'luo_failed_reboots{instance="b",update="next"}',
                 "values": "0 1x30"}],
            "alert_rule_test": [
                {"eval_time": "2m", "alertname": "LuoLeak", "exp_alerts": []},
                {"eval_time": "7m", "alertname": "LuoLeak", "exp_alerts": [{
                    "exp_labels": {"severity": "warning", "instance": "a",
                                   "class": "dropped"},
                    "exp_annotations": {
                        "summary": "Leaks on a after a live update: 2 dropped",
                        "description": "Run 'luotrace audit' on the instance; it says "
                                       "for each leak what to do."}}]},
                {"eval_time": "20m", "alertname": "LuoLeakHoldsMemory",
                 "exp_alerts": [{
                     "exp_labels": {"severity": "critical", "instance": "a"},
                     "exp_annotations": {
                         "summary": "1.863GiB are held by leaked sessions on a",
                         "description": "Run 'luotrace audit' on the instance; the "
                                        "next live update gives these sessions up."}}]},
                {"eval_time": "5m", "alertname": "LuoBlackoutLong", "exp_alerts": [{
                    "exp_labels": {"severity": "warning", "instance": "a"},
                    "exp_annotations": {
                        "summary": "The last blackout of a took 9s",
                        "description": "Run 'luotrace timeline' on the instance; its "
                                       "first sentences name what took long."}}]},
                {"eval_time": "5m", "alertname": "LuoFreezeSlow", "exp_alerts": [{
                    "exp_labels": {"severity": "warning", "instance": "a"},
                    "exp_annotations": {
                        "summary": "The freeze window of a was 2s",
                        "description": "Run 'luotrace timeline' on the instance; it "
                                       "names handler, session and token."}}]},
                # The alert ends an hour after the blackout.
                {"eval_time": "62m", "alertname": "LuoBlackoutLong",
                 "exp_alerts": []},
                {"eval_time": "62m", "alertname": "LuoFreezeSlow",
                 "exp_alerts": []}]}]}
    path = os.path.join(tmp, "test.yml")
    with open(path, "w") as f:
        yaml.safe_dump(test, f)
    r = subprocess.run([promtool, "test", "rules", path], capture_output=True,
                       text=True)
    check(r.returncode == 0, "the alerts fire when they should",
          r.stdout, r.stderr)
    with open(rules) as f:
        exprs = [rule["expr"] for group in yaml.safe_load(f)["groups"]
                 for rule in group["rules"]]
    return [("alert", e, names) for e in exprs]


def dashboard_queries(names):
    with open(os.path.join(DOCS, "dashboard.json")) as f:
        board = json.load(f)
    return [(p["title"], t["expr"].replace("$instance", ".*"), names)
            for p in board["panels"] for t in p["targets"]]


class Servers:
    """A node exporter and a Prometheus that scrapes it, both on loopback."""

    def __init__(self, prometheus, exporter, directory):
        self.exporter_port, self.port = free_port(), free_port()
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w") as f:
            yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
                {"job_name": "node", "static_configs": [
                    {"targets": ["127.0.0.1:%d" % self.exporter_port]}]}]}, f)
        self._log = open(os.path.join(directory, "log"), "w")
        self._procs = [self._start(command) for command in (
            [exporter, "--collector.disable-defaults", "--collector.textfile",
             "--collector.textfile.directory=" + directory,
             "--web.listen-address=127.0.0.1:%d" % self.exporter_port],
            [prometheus, "--config.file=" + config,
             "--storage.tsdb.path=" + os.path.join(directory, "data"),
             "--web.listen-address=127.0.0.1:%d" % self.port])]

    def _start(self, command):
        return subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def query(self, expr):
        url = "http://127.0.0.1:%d/api/v1/query?%s" % (
            self.port, urllib.parse.urlencode({"query": expr}))
        try:
            with urllib.request.urlopen(url, timeout=10) as r:
                return json.load(r)["data"]["result"]
        except urllib.error.HTTPError as e:
            return e.read().decode()
        except OSError:
            return []

    def stop(self):
        for proc in self._procs:
            proc.terminate()
            proc.wait()
        self._log.close()


def wait_for(servers, expr, value=None):
    """The result of a query as soon as it has one, or this one."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        r = servers.query(expr)
        if r and (value is None or r[0]["value"][1] == value):
            return r
        time.sleep(0.5)
    return None


def test_scrape(prometheus, exporter, queries, directory):
    shutil.copy(LEAKED, os.path.join(directory, "luo.prom"))
    servers = Servers(prometheus, exporter, directory)
    try:
        check(wait_for(servers, "sum(luo_leaks)", "8"),
              "Prometheus has scraped the file and answers a query")
        # In one step, like luotrace.
        shutil.copy(FINISHED, os.path.join(directory, "new"))
        os.rename(os.path.join(directory, "new"),
                  os.path.join(directory, "luo.prom"))
        check(wait_for(servers, "luo_blackout_seconds") and
              wait_for(servers, "sum(luo_leaks)", "0"),
              "metrics are updated: no leaks, and a known blackout")
        for title, expr, names in queries:
            r = servers.query(expr)
            used = set(re.findall(r"\b(luo_\w+)", expr)) - {"luo_call_seconds"}
            check(isinstance(r, list) and used <= names | {"luo_info"} and
                  (title == "alert" or r), "%s: %s" % (title, expr),
                  r, used - names)
    finally:
        servers.stop()


def main():
    for path in (LEAKED, FINISHED):
        if not os.path.exists(path):
            sys.exit("monitor_test: '%s' is missing; selftests/vm/check leak "
                     "writes it" % path)
    prometheus, = unpacked("prometheus", "prometheus")
    promtool, = unpacked("promtool", "promtool")
    exporter, = unpacked("prometheus-node-exporter", "prometheus-node-exporter")
    with open(LEAKED) as f:
        text = f.read()
    with open(FINISHED) as f:
        finished = f.read()
    with tempfile.TemporaryDirectory() as tmp:
        names = test_format(promtool, text)
        names |= {name for name, _ in samples(finished)}
        queries = test_rules(promtool, names, tmp) + dashboard_queries(names)
        test_scrape(prometheus, exporter, queries, tmp)
    return end()


if __name__ == "__main__":
    sys.exit(main())
