#!/bin/sh
# Airlock's layer on an official image of Debian or Ubuntu: what the Worker's scripts need, the user of
# untrusted commands, and the folders that are ours. Runs once, as root, while the image is built; arguments
# are further packages. Packages are not pinned, so that a build gets security updates.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends bash build-essential ca-certificates coreutils curl git grep \
  perl-base pkg-config python-is-python3 python3 python3-pip python3-venv tini util-linux "$@"
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb

# Node and Codex of this processor; `npm ci` has checked them against the lock file.
packages=/opt/packages/node_modules
ln -s $packages/node-linux-* /opt/node
mkdir /opt/codex
ln -s $packages/@openai/codex-linux-*/vendor/*/bin /opt/codex/bin
ln -s $packages/@openai/codex-linux-*/vendor/*/codex-path /opt/codex/path

# From the official image of Node; our package of Node has none.
for name in npm npx; do ln -s ../lib/node_modules/npm/bin/$name-cli.js /usr/local/bin/$name; done

# Ubuntu's images have a user with this number.
if taken=$(id -nu 1000 2>/dev/null); then userdel --remove "$taken" 2>/dev/null || true; fi
if taken=$(getent group 1000); then groupdel "${taken%%:*}"; fi
groupadd --gid 1000 codex
useradd --uid 1000 --gid 1000 --create-home --home-dir /home/codex --shell /bin/bash codex

# The Worker's script and its calls are not for the agent, and no program gives it more rights.
install -d -m 700 /var/lib/airlock
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
