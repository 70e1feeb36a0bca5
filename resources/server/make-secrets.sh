#!/bin/sh
# Makes the secrets that compose.yaml needs, in the folder `secrets` beside it; never changes ones that are there.
# Others cannot enter the folder. In it only glassine.toml is for one user alone: the one in the container (10001).
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
  echo "secrets is there already" >&2
  exit 1
fi
random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
mkdir secrets.new
random 32 > secrets.new/mongo-root-password
random 32 > secrets.new/mongo-password
random 500 > secrets.new/mongo-keyfile
cat > secrets.new/glassine.toml <<EOF
mongodb = "mongodb://glassine:$(cat secrets.new/mongo-password)@mongo/glassine?replicaSet=rs0&authSource=glassine"
secret_key = "$(random 32)"
EOF
chmod 644 secrets.new/mongo-*
if [ "$(id -u)" = 0 ]; then
  chown 10001 secrets.new/glassine.toml
fi
mv secrets.new secrets
if [ "$(id -u)" != 0 ]; then
  echo "now run: sudo chown 10001 $(pwd)/secrets/glassine.toml"
fi
