#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Host tests of the set-up on real machines: mirrors that are out of date, proxies,
full disks, two builds at once. Prints TAP."""

import contextlib
import hashlib
import http.server
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from email.utils import formatdate

from apt_root import apt_root, program
from tap import TOP, check, run, run_tests

DAY = 24 * 3600


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a directory; as a proxy it knows no host. Notes what it is asked for."""

    def do_GET(self):
        self.server.seen.append(self.path)
        if self.path.startswith("/"):
            super().do_GET()
        else:
            self.send_error(502)

    def do_CONNECT(self):
        self.server.seen.append("CONNECT " + self.path)
        self.send_error(502)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def server(directory):
    def handler(*args):
        return Handler(*args, directory=directory)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as s:
        s.seen = []
        s.url = "http://127.0.0.1:%d" % s.server_port
        thread = threading.Thread(target=s.serve_forever)
        thread.start()
        yield s
        s.shutdown()
        thread.join()


def package(tmp, name, content):
    """Build a package with a file. Returns its path."""
    tree = os.path.join(tmp, name)
    os.makedirs(os.path.join(tree, "DEBIAN"))
    with open(os.path.join(tree, "DEBIAN/control"), "w") as f:
        f.write("Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\n"
                "Description: x\n" % name)
    for path, data in content.items():
        os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
        with open(os.path.join(tree, path), "wb") as f:
            f.write(data)
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, tree + ".deb"], check=True,
                   stdout=subprocess.DEVNULL)
    return tree + ".deb"


def repository(tmp, date, until, deb=None):
    """An unsigned repository in tmp/repo, of these times in s from now."""
    binary = os.path.join(tmp, "repo/dists/now/main/binary-all")
    os.makedirs(binary)
    text = ""
    if deb:
        shutil.copy(deb, os.path.join(tmp, "repo"))
        with open(deb, "rb") as f:
            data = f.read()
        text = run(["dpkg-deb", "-f", deb]).stdout + \
            "Filename: %s\nSize: %d\nSHA256: %s\n" % (
                os.path.basename(deb), len(data), hashlib.sha256(data).hexdigest())
    with open(os.path.join(binary, "Packages"), "w") as f:
        f.write(text)
    with open(os.path.join(tmp, "repo/dists/now/Release"), "w") as f:
        f.write("Suite: now\nCodename: now\nArchitectures: amd64 all\n"
                "Components: main\nDate: %s\nValid-Until: %s\nSHA256:\n"
                " %s %d main/binary-all/Packages\n"
                % (formatdate(time.time() + date, usegmt=True),
                   formatdate(time.time() + until, usegmt=True),
                   hashlib.sha256(text.encode()).hexdigest(), len(text)))
    return os.path.join(tmp, "repo")


def lib(command):
    return ["bash", "-c", "set -eu -o pipefail; prog=deps; . tools/build/lib.sh; " +
            command]


def last_line(r):
    return (r.stderr.splitlines() or [""])[-1]


# date and end of the repository, its option in apt's sources, what is set, the last
# line of deps; None if the lists are updated
OLD = r"deps: the mirror is out of date: http\S+/Release is expired since .* " \
      r"LUO_ALLOW_EXPIRED=1"
UNSIGNED = r"deps: a signature of the mirror is missing"
RELEASES = (
    ("an expired mirror", -9 * DAY, -2 * DAY, "[trusted=yes]", {}, OLD),
    ("an expired mirror that is allowed", -9 * DAY, -2 * DAY, "[trusted=yes]",
     {"LUO_ALLOW_EXPIRED": "1"}, None),
    ("an allowed one without a signature", -9 * DAY, -2 * DAY, "",
     {"LUO_ALLOW_EXPIRED": "1"}, UNSIGNED),
    ("a mirror from the future", 2 * DAY, 9 * DAY, "[trusted=yes]", {},
     r"deps: the clock of this machine or of the mirror is wrong: .* set the clock"),
    ("a mirror as it should be", -DAY, DAY, "[trusted=yes]", {}, None),
)


def test_release():
    """One line says what is wrong with a mirror; only its end can be ignored."""
    for what, date, until, option, more, want in RELEASES:
        with tempfile.TemporaryDirectory() as tmp:
            env, dirs = apt_root(tmp)
            env.update(more)
            open(os.path.join(dirs["dpkg"], "status"), "w").close()
            with server(repository(tmp, date, until)) as s:
                with open(os.path.join(tmp, "sources.list"), "w") as f:
                    f.write("deb %s %s now main\n" % (option, s.url))
                r = run(["tools/build/deps", "bench"], env=env)
                update = run(lib("apt_get update -qq"), env=env)
            line = want or r"deps: apt-get could not install: bpftrace linux-perf$"
            check(r.returncode == 1 and re.match(line, last_line(r)) is not None, what,
                  r.returncode, r.stderr)
            check((update.returncode == 0) == (not want), "%s: its lists are %s" % (
                what, "rejected" if want else "taken"), update.stderr)


PROXIED = (
    (["tools/build/deps", "bench"], "http://mirror.invalid/debian/dists/now/InRelease"),
    (["tools/build/base"],
     "http://mirror.invalid/debian/dists/trixie-backports/InRelease"),
    (["tools/build/unpacked", "--newest", "pahole"],
     "http://mirror.invalid/debian/dists/sid/InRelease"),
    (["tools/build/distro-kernel"],
     "http://mirror.invalid/debian/dists/forky/InRelease"),
)


def proxy_root(tmp, mirror):
    env, dirs = apt_root(tmp)
    open(os.path.join(dirs["dpkg"], "status"), "w").close()
    with open(os.path.join(tmp, "sources.list"), "w") as f:
        f.write("deb %s now main\n" % mirror)
    env.update(LUO_MIRROR=mirror, XDG_CACHE_HOME=os.path.join(tmp, "cache"))
    program(os.path.join(tmp, "bin/debootstrap"),
            '#!/bin/sh\necho "http=$http_proxy https=$https_proxy"\n')
    return env


def test_proxy():
    """All that downloads goes through the proxy of the environment or of apt."""
    for where in ("http_proxy", "Acquire::http::Proxy"):
        for command, want in PROXIED:
            with tempfile.TemporaryDirectory() as tmp, server(tmp) as s:
                env = proxy_root(tmp, "http://mirror.invalid/debian")
                if where == "http_proxy":
                    env["http_proxy"] = s.url
                else:
                    with open(os.path.join(tmp, "parts/proxy"), "w") as f:
                        f.write('%s "%s/";\n' % (where, s.url))
                r = run(command, env=env)
                check(want in s.seen, "%s uses the proxy of %s" % (command[0], where),
                      s.seen, r.stderr)
                check(r.returncode == 1 and re.match(
                    r"\S+: the mirror cannot be reached through the proxy '%s/?' \(%s\)"
                    % (s.url, where), last_line(r)) is not None,
                    "and names it if it fails", r.stderr)
    with tempfile.TemporaryDirectory() as tmp, server(tmp) as s:
        env = proxy_root(tmp, "https://mirror.invalid/debian")
        run(["tools/build/base"], env=dict(env, https_proxy=s.url))
        check("CONNECT mirror.invalid:443" in s.seen, "a mirror by https", s.seen)
    with tempfile.TemporaryDirectory() as tmp:
        env = proxy_root(tmp, "http://mirror.invalid/debian")
        r = run(["tools/build/base"],
                env=dict(env, http_proxy="http://me:secret@127.0.0.1:9"))
        check("the proxy 'http://127.0.0.1:9' (http_proxy)" in last_line(r) and
              "secret" not in last_line(r), "without the password", r.stderr)
        r = run(["tools/build/base"], env=env)
        check("the mirror in apt's sources cannot be reached" in last_line(r) and
              "if this machine needs a proxy" in last_line(r), "without a proxy",
              r.stderr)


# apt's configuration, the environment, what debootstrap gets
BOOTSTRAPS = (
    ("", {}, "http= https="),
    ("", {"http_proxy": "http://a"}, "http=http://a https=http://a"),
    ("", {"http_proxy": "http://a", "https_proxy": "http://b"},
     "http=http://a https=http://b"),
    ('Acquire::http::Proxy "http://c";', {"http_proxy": "http://a"},
     "http=http://c https=http://c"),
    ('Acquire::http::Proxy "DIRECT";', {"http_proxy": "http://a"}, "http= https="),
)


def test_bootstrap_proxy():
    """debootstrap, which does not read apt's configuration, gets its proxies."""
    for conf, more, want in BOOTSTRAPS:
        with tempfile.TemporaryDirectory() as tmp:
            env = proxy_root(tmp, "http://mirror.invalid/debian")
            with open(os.path.join(tmp, "parts/proxy"), "w") as f:
                f.write(conf)
            r = run(lib("bootstrap forky %s/root %s/log make; cat %s/log"
                        % (tmp, tmp, tmp)), env=dict(env, **more))
            check(r.stdout == want + "\n", "%s %s: debootstrap gets %s" % (
                conf, more, want), r.stdout, r.stderr)


def on_small_disk(command, size, where, **kwargs):
    """Run a command with a file system of size MiB at where."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = 'mount -t tmpfs -o size=%dM none "$0" && exec "$@"' % size
    return run(["unshare", "--mount"] + user + ["sh", "-c", script, where] + command,
               **kwargs)


def source_package(tmp):
    """A package of a kernel's source, of 4 MiB that no program makes smaller."""
    path = os.path.join(tmp, "source/linux-source-7.3/mm")
    os.makedirs(path)
    with open(os.path.join(path, "memfd_luo.c"), "wb") as f:
        f.write(os.urandom(4 << 20))
    subprocess.run(["tar", "-C", os.path.join(tmp, "source"), "-cJf",
                    os.path.join(tmp, "source.tar.xz"), "linux-source-7.3"], check=True)
    with open(os.path.join(tmp, "source.tar.xz"), "rb") as f:
        return package(tmp, "linux-source-7.3",
                       {"usr/src/linux-source-7.3.tar.xz": f.read()})


# apt-get and apt-cache that have one package; a download waits for a file, if it exists
APT_GET = """#!/bin/sh
while [ $# -gt 0 ]; do case $1 in download) break ;; esac; shift; done
[ $# -gt 0 ] || exit 0
echo x >> {tmp}/downloads
while [ -e {tmp}/wait ]; do sleep 0.1; done
cp {deb} .
"""
APT_CACHE = "#!/bin/sh\necho ' linux-source-7.3 | 1 | x'\n"
ROOMY = "#!/bin/sh\necho x\necho 100 /\n"


def archive(tmp):
    """An environment with an archive that has the source of 7.3."""
    env, _ = apt_root(tmp)
    deb = source_package(tmp)
    program(os.path.join(tmp, "bin/apt-get"), APT_GET.format(tmp=tmp, deb=deb))
    program(os.path.join(tmp, "bin/apt-cache"), APT_CACHE)
    # There seems to be room at the beginning.
    program(os.path.join(tmp, "bin/df"), ROOMY)
    cache = os.path.join(tmp, "cache")
    os.mkdir(cache)
    env.update(LUO_MIRROR="http://mirror.invalid/debian", XDG_CACHE_HOME=cache)
    return env, cache


def test_full_base():
    """A disk that is full while the base is unpacked."""
    for size, what in ((6, "dpkg-deb"), (11, "tar")):
        with tempfile.TemporaryDirectory() as tmp:
            env, cache = archive(tmp)
            r = on_small_disk(["sh", "-c", "tools/build/base; ls %s/luotrace/" % cache],
                              size, cache, env=env)
            check(re.match(r"base: the file system '.*' is full, 100 MiB are free in "
                           r"'%s\S*': unpacking linux-source-7.3 needs about 3 GiB; .*"
                           r"XDG_CACHE_HOME" % cache, last_line(r)) is not None,
                  "is named if %s fills it" % what, r.stderr)
            check(r.stdout.split() == ["base", "base.lock"], "and nothing is left",
                  r.stdout)


def test_full_apt():
    """A disk that has no room for packages."""
    with tempfile.TemporaryDirectory() as tmp:
        env, dirs = apt_root(tmp)
        deb = package(tmp, "large", {"usr/large": bytes(5 << 20)})
        with server(repository(tmp, -DAY, DAY, deb)) as s:
            with open(os.path.join(tmp, "sources.list"), "w") as f:
                f.write("deb [trusted=yes] %s now main\n" % s.url)
            r = run(lib("apt_get update -qq"), env=env)
            r = on_small_disk(lib("apt_must no install -y -qq --download-only large"),
                              2, dirs["archives"], env=env)
        check(r.returncode == 1 and re.match(
            r"deps: the file system '%s' is full, \d MiB are free .*: apt-get says: "
            r"(Need to get|Download size:) 5,?26\d kB" % dirs["archives"],
            last_line(r)) is not None,
            "is named, with what is needed", r.stderr)


KERNEL_MAKEFILE = """
kernelversion:
	@echo 7.3.0
allnoconfig:
	head -c 8M /dev/zero > obj/large
"""


def test_full_build():
    """A disk that is full in the build of a kernel."""
    with tempfile.TemporaryDirectory() as tmp:
        env, _ = apt_root(tmp)
        cache, tree = os.path.join(tmp, "cache"), os.path.join(tmp, "tree")
        for path in ("mm/memfd_luo.c", "kernel/liveupdate/luo_core.c", "Makefile"):
            os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
            with open(os.path.join(tree, path), "w") as f:
                f.write(KERNEL_MAKEFILE if path == "Makefile" else "")
        os.mkdir(cache)
        program(os.path.join(tmp, "bin/df"), ROOMY)
        program(os.path.join(tmp, "bin/pahole"), "#!/bin/sh\n")
        # The host tests do not need the packages of a kernel build.
        program(os.path.join(tmp, "bin/rsync"),
                '#!/bin/sh\ncase "$*" in *--files-from*) exit ;; esac\n'
                'while [ $# -gt 2 ]; do shift; done\ncp -a "$1." "$2"\n')
        env.update(XDG_CACHE_HOME=cache, KSRC=tree)
        r = on_small_disk(["tools/build/kernel", "--stock"], 4, cache, env=env)
        check(r.returncode == 1 and re.match(
            r"kernel: the file system '.*' is full, .*: a kernel build needs about "
            r"6 GiB; .*XDG_CACHE_HOME", last_line(r)) is not None,
            "is named, with what a build needs", r.stderr)
        program(os.path.join(tmp, "bin/df"), ROOMY.replace("100 /", "5 /small"))
        r = run(["tools/build/kernel", "--stock"], env=env)
        check(r.returncode == 1 and "only 5 GiB are free" in last_line(r) and
              "(file system '/small'), 6 are needed" in last_line(r),
              "a build does not begin without room", r.stderr)


def test_full_make():
    """A disk that is full in a command of make, which says something else."""
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CACHE_HOME=os.path.join(tmp, "cache"))
        tree = small_tree(tmp, "tree")
        build = os.path.join(tree, "build")
        os.makedirs(build)
        for what, full in (("head -c 16M /dev/zero > build/x 2> /dev/null", True),
                           ("exit 3", False)):
            r = on_small_disk(["tools/build/alone", "build", "sh", "-c", what], 12,
                              build, cwd=tree, env=env)
            line = r"make: the file system '%s' is full, 0 MiB are free in '%s': " \
                r"'sh -c .*' failed, see above; free some$" % (build, build)
            check((re.match(line, last_line(r)) is not None) == full and
                  r.returncode == (1 if full else 3),
                  "is named" if full else "another failure is not one of it",
                  r.returncode, r.stderr)


def test_distclean():
    """The cache is not removed while another tree uses it."""
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CACHE_HOME=tmp)
        cache = os.path.join(tmp, "luotrace")
        hold = lib("lock x; touch %s/begun; while [ -e %s/wait ]; do sleep 0.1; done" %
                   (tmp, tmp))
        clean = [os.path.join(TOP, "tools/build/clean-cache")]
        wait = os.path.join(tmp, "wait")
        with open(wait, "w"):
            pass
        with subprocess.Popen(hold, env=env) as holder:
            wait_for(os.path.join(tmp, "begun"))
            r = run(clean, env=env)
            os.unlink(wait)
            holder.wait()
        check(r.returncode == 1 and os.path.exists(cache) and re.match(
            r"distclean: '%s' is in use by pid \d+, .*; let it end, or end it, and run "
            r"this again$" % cache, last_line(r)) is not None,
            "distclean waits for nobody, and says who has it", r.stderr)
        r = run(clean, env=env)
        check(r.returncode == 0 and not os.path.exists(cache),
              "and removes it afterwards", r.stderr)


def small_tree(tmp, name):
    """A tree with the real Makefile and build scripts, whose tool takes as long as
    tmp/wait exists."""
    tree = os.path.join(tmp, name)
    os.makedirs(os.path.join(tree, "tools/luotrace"))
    shutil.copy(os.path.join(TOP, "Makefile"), tree)
    shutil.copytree(os.path.join(TOP, "tools/build"), os.path.join(tree, "tools/build"))
    with open(os.path.join(tree, "tools/luotrace/Makefile"), "w") as f:
        f.write("all:\n\t@echo begin >> %s/steps; while [ -e %s/wait ]; do sleep 0.1; "
                "done; echo end >> %s/steps\n" % (tmp, tmp, tmp))
    return tree


def wait_for(path):
    end = time.monotonic() + 60
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)


def two_at_once(tmp, first, second, begun, env):
    """Start the first of (command, directory); when the file begun is there, the
    second; let the first end when the second waits, or does not after 20 s. Returns
    both as (exit code, stdout, stderr)."""
    wait = os.path.join(tmp, "wait")
    open(wait, "w").close()
    procs = []
    for command, cwd in first, second:
        procs.append(subprocess.Popen(command, cwd=cwd, env=env, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        wait_for(begun)
    ready = select.select([procs[1].stderr], [], [], 20)[0]
    line = procs[1].stderr.readline() if ready else ""
    os.unlink(wait)
    out = [p.communicate(timeout=120) for p in procs]
    return [(p.returncode, o, (line if p is procs[1] else "") + e)
            for p, (o, e) in zip(procs, out)]


def test_second_make():
    """Two makes in the same tree: one waits and says for which."""
    for what in (["make", "luotrace"], ["make", "clean"]):
        with tempfile.TemporaryDirectory() as tmp:
            env, _ = apt_root(tmp)
            program(os.path.join(tmp, "bin/dpkg-query"),
                    "#!/bin/sh\necho -n install ok installed\n")
            env["XDG_CACHE_HOME"] = os.path.join(tmp, "cache")
            tree = small_tree(tmp, "tree")
            steps = os.path.join(tmp, "steps")
            (a, _, err), (b, _, talk) = two_at_once(
                tmp, (["make", "luotrace"], tree), (what, tree), steps, env)
            with open(steps) as f:
                order = f.read().split()
            check(a == 0 and b == 0 and order in (["begin", "end"] * 2,
                                                  ["begin", "end"]),
                  "%s does not run into another" % " ".join(what), order, err, talk)
            check(re.match(r"make: waiting for pid \d+, tools/build/alone build make "
                           r"-C tools/luotrace, which uses '%s/build'\n$" % tree,
                           talk) is not None, "and names it", talk)
            check(run(["tools/build/alone", "build", "tools/build/alone", "build",
                       "true"], cwd=tree, env=env, timeout=60).returncode == 0,
                  "what it runs does not wait for it")


def test_second_tree():
    """Two trees with one cache: the second waits and takes what the first has made."""
    with tempfile.TemporaryDirectory() as tmp:
        env, cache = archive(tmp)
        trees = [small_tree(tmp, name) for name in ("one", "two")]
        downloads = os.path.join(tmp, "downloads")
        (a, path, err), (b, other, talk) = two_at_once(
            tmp, (["tools/build/base"], trees[0]), (["tools/build/base"], trees[1]),
            downloads, env)
        with open(downloads) as f:
            count = len(f.read().split())
        source = os.path.join(path.strip(), "mm/memfd_luo.c")
        check(a == 0 and b == 0 and path == other and count == 1 and
              os.path.getsize(source) == 4 << 20, "one source, downloaded once",
              path, other, count, err, talk)
        check(re.match(r"base: waiting for pid \d+, tools/build/base, which uses '%s'"
                       % os.path.join(cache, "luotrace"), talk) is not None,
              "and the second names the first", talk)


def test_lock_removed():
    """A lock whose file was removed while it was waited for."""
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CACHE_HOME=tmp)
        file = os.path.join(tmp, "luotrace/x.lock")
        hold = lib("lock x; touch %s/begun; while [ -e %s/wait ]; do sleep 0.1; done; "
                   "rm %s" % (tmp, tmp, file))
        take = lib('lock x; [ %s -ef /proc/$$/fd/$lock_fd ] && echo held' % file)
        _, (code, out, err) = two_at_once(tmp, (hold, TOP), (take, TOP),
                                          os.path.join(tmp, "begun"), env)
        check(code == 0 and out == "held\n" and "waiting for pid" in err,
              "is taken as a new one", out, err)


def test_lock_in_namespace():
    """A lock that is taken in a PID namespace, as tools/build/suite-root does."""
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_CACHE_HOME=tmp)
        user = ["--user", "--map-root-user"] if os.geteuid() else []
        r = run(["timeout", "-k", "1", "30", "unshare", "--pid", "--fork",
                 "--kill-child"] + user +
                lib("lock x; echo $BASHPID; readlink /proc/self; cat %s/luotrace/x.lock"
                    % tmp), env=env)
        check(r.returncode == 0 and re.match(r"1\n\d+\npid \d\d+, ", r.stdout),
              "a lock is taken in a PID namespace", r.returncode, r.stdout, r.stderr)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
