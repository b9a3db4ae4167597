#!/usr/bin/env bash
# What the programs here need, for the MPI whose compiler MPICC names (mpicc.openmpi, else mpicc):
#   target/mpi-bench/five_point_f64, five_point_f32    the C program
#   target/mpi4py-venv                                 NumPy and mpi4py, which is built for this MPI
# Run with, for example:
#   mpirun.openmpi -n 2 target/mpi-bench/five_point_f64 4096 4096 20 5
#   mpirun.openmpi -n 2 target/mpi4py-venv/bin/python benches/mpi/five_point.py 4096 4096 20 5
# On Debian, mpicc.openmpi is in openmpi-bin with libopenmpi-dev; a Python with headers builds mpi4py (python3-dev, python3-venv).
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
MPICC=${MPICC:-$(command -v mpicc.openmpi || command -v mpicc)} || { echo "there is no mpicc: install libopenmpi-dev" >&2; exit 1; }
export MPICC

mkdir -p "$target/mpi-bench"
flags=(-std=c11 -Wall -Wextra -O3 -march=native -ffp-contract=off)
for type in f64:double f32:float; do
  "$MPICC" "${flags[@]}" "-DREAL=${type#*:}" -o "$target/mpi-bench/five_point_${type%:*}" benches/mpi/five_point.c
done

venv=$target/mpi4py-venv
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3}" -m venv "$venv"
# A wheel of mpi4py would be for another MPI.
"$venv/bin/pip" install --quiet --disable-pip-version-check numpy
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-binary mpi4py mpi4py
"$venv/bin/python" -c 'import mpi4py, numpy; from mpi4py import MPI
print("numpy", numpy.__version__, "mpi4py", mpi4py.__version__, "for", MPI.Get_library_version().split(",")[0])'
