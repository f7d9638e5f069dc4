#!/usr/bin/env bash
# Makes a wheelhouse: everything that the agent needs on a Linux machine without Internet.
#
#   deploy/wheelhouse.sh [--python 3.11] [--machine x86_64] [--out build/wheelhouse]
#
# --python   Python of the machines the agent goes to (Debian 12: 3.11, Debian 13: 3.13,
#            Ubuntu 24.04: 3.12). requirements/agent.lock is made for 3.11 and newer.
# --machine  their processor as `uname -m` names it.
# --out      the folder; an earlier wheelhouse in it is replaced.
#
# It needs the package index, and a Python with pip and hatchling (`make test` makes one in .venv;
# another is named by the variable PYTHON). What is downloaded is held against the hashes of
# requirements/agent.lock. The folder then holds the wheels, pip among them, because a machine's
# own Python often has none, and requirements.txt: all of them by name, version and hash.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

# Not in agent.lock: pip is no dependency of the agent, it only puts the wheels in place.
readonly PIP='pip==26.3 --hash=sha256:f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13'

python_version=3.11
machine=x86_64
out=$root/build/wheelhouse
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    --python | --machine | --out)
      [ "$#" -ge 2 ] || { echo "$1: thiếu giá trị. ($1: a value is missing.)" >&2; exit 64; }
      case "$1" in
        --python) python_version=$2 ;;
        --machine) machine=$2 ;;
        --out) out=$(realpath -m -- "$2") ;;
      esac
      shift 2 ;;
    *) echo "Không hiểu «$1»; xem --help. (What is \"$1\"? See --help.)" >&2; exit 64 ;;
  esac
done

python=${PYTHON:-$root/.venv/bin/python}
case "$python" in /*) ;; */*) python=$PWD/$python ;; esac
"$python" -c 'import hatchling, pip' || {
  echo "Cần Python có pip và hatchling; chạy «make test» một lần, hoặc đặt biến PYTHON." >&2
  echo '(A Python with pip and hatchling is needed: run "make test" once, or set PYTHON.)' >&2
  exit 1
}

if [ -e "$out" ]; then
  # Only what this script has made is ever deleted.
  if ! grep -qs '^# attt, Python ' "$out/requirements.txt" && ! rmdir -- "$out" 2>/dev/null; then
    echo "$out không phải một bộ cài cũ nên không bị xóa; chọn thư mục khác bằng --out." >&2
    echo "($out is not an earlier wheelhouse and is left alone; choose another with --out.)" >&2
    exit 1
  fi
  rm -f -- "$out"/*.whl "$out/requirements.txt"
fi
mkdir -p -- "$out"

wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
{ cat "$root/requirements/agent.lock"; echo "$PIP"; } >"$wanted"
# glibc 2.28 is Debian 10, RHEL 8, Ubuntu 18.10.
"$python" -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes \
  --only-binary=:all: --implementation cp --python-version "$python_version" \
  --platform "manylinux_2_28_$machine" --platform "manylinux2014_$machine" \
  --dest "$out" -r "$wanted"
(cd "$root" && "$python" -m hatchling build --target wheel --directory "$out" >/dev/null)

"$python" - "$out" "$python_version" "$machine" <<'PYTHON'
import hashlib
import sys
from pathlib import Path

folder, python_version, machine = Path(sys.argv[1]), *sys.argv[2:]
lines = [f"# attt, Python {python_version}, Linux {machine}"]
total_bytes = 0
for wheel in sorted(folder.glob("*.whl")):
    name, version = wheel.name.split("-")[:2]
    content = wheel.read_bytes()
    total_bytes += len(content)
    lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}")
    print(f"  {len(content) / 1024:8.0f} KiB  {wheel.name}")
(folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
print(f"{folder.resolve()}: {len(lines) - 1} wheel, {total_bytes / 1024 / 1024:.1f} MiB")
PYTHON
