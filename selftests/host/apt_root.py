# SPDX-License-Identifier: GPL-2.0
"""An apt of its own, for tests of the set-up."""

import os


def program(path, text):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)


def apt_root(tmp):
    """An apt whose state is in tmp, with the packages of this host and none of its
    configuration. Returns its environment, and the directories of its locks."""
    dirs = {"lists": "lists", "archives": "archives", "dpkg": "dpkg"}
    for name, path in dirs.items():
        dirs[name] = os.path.join(tmp, path)
        os.makedirs(os.path.join(dirs[name], "partial"))
    os.makedirs(os.path.join(dirs["dpkg"], "updates"))
    os.mkdir(os.path.join(tmp, "parts"))
    with open("/var/lib/dpkg/status") as f, \
            open(os.path.join(dirs["dpkg"], "status"), "w") as g:
        g.write(f.read())
    program(os.path.join(tmp, "sources.list"), "")
    conf = os.path.join(tmp, "apt.conf")
    with open(conf, "w") as f:
        f.write('Dir::State "%s";\nDir::State::lists "%s";\nDir::State::status '
                '"%s/status";\nDir::Cache "%s";\nDir::Cache::archives "%s";\n'
                'Dir::Etc::sourcelist "%s/sources.list";\n'
                'Dir::Etc::sourceparts "%s/lists";\nDir::Etc::trusted "%s";\n'
                'Dir::Etc::parts "%s/parts";\nAPT::Sandbox::User "root";\n'
                % (tmp, dirs["lists"], dirs["dpkg"], tmp, dirs["archives"], tmp,
                   tmp, tmp, tmp))
    # Read last.
    with open(os.path.join(tmp, "parts/fast"), "w") as f:
        f.write('Acquire::Retries "0";\n')
    # A dpkg-query that knows no package: all have to be installed.
    os.mkdir(os.path.join(tmp, "bin"))
    program(os.path.join(tmp, "bin/dpkg-query"), "#!/bin/sh\nexit 1\n")
    program(os.path.join(tmp, "bin/id"), "#!/bin/sh\necho 0\n")
    env = dict(os.environ, APT_CONFIG=conf,
               PATH=os.path.join(tmp, "bin") + ":" + os.environ["PATH"])
    for name in ("http_proxy", "https_proxy", "no_proxy", "LUO_MIRROR",
                 "LUO_ALLOW_EXPIRED", "LUO_ALONE", "KSRC"):
        env.pop(name, None)
    return env, dirs
