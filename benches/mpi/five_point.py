"""The five-point heat step of five_point.c in NumPy and mpi4py: the same grid, cut and order of operations, and so the same bits.

    five_point.py HEIGHT WIDTH STEPS REPETITIONS [f64|f32]

Prints what five_point.c prints. The checksum is taken byte by byte in Python, some ten million bytes a second: measure with small
grids first where it is to be compared.
"""

import sys

import numpy as np
from mpi4py import MPI

COMM = MPI.COMM_WORLD
RANK, RANKS = COMM.rank, COMM.size
ABOVE = RANK - 1 if RANK > 0 else MPI.PROC_NULL
BELOW = RANK + 1 if RANK + 1 < RANKS else MPI.PROC_NULL


def bounds(rank, height):
    """The rows of a rank: the first, and the one after the last."""
    return rank * height // RANKS, (rank + 1) * height // RANKS


def initial(height, width, real):
    """The rows of this rank, with a line of halo above and below."""
    first, end = bounds(RANK, height)
    i = np.arange(first - 1, end + 1)[:, None]
    j = np.arange(width)[None, :]
    return ((i * 31 + j * 17) % 101).astype(real) / real(101)


def exchange(u):
    """Brings the lines of the halo."""
    COMM.Sendrecv(u[1], dest=ABOVE, recvbuf=u[-1], source=BELOW)
    COMM.Sendrecv(u[-2], dest=BELOW, recvbuf=u[0], source=ABOVE)


def step(u, out, scratch, real):
    """The new values of the cells with four neighbours, in place: no array is made."""
    # Lines that belong to the boundary of the whole grid stay.
    top, bottom = 1 + (RANK == 0), u.shape[0] - 1 - (RANK + 1 == RANKS)
    if top >= bottom:
        return
    centre = u[top:bottom, 1:-1]
    new, four = out[top:bottom, 1:-1], scratch[top:bottom, 1:-1]
    np.add(u[top - 1 : bottom - 1, 1:-1], u[top + 1 : bottom + 1, 1:-1], out=new)
    np.add(new, u[top:bottom, :-2], out=new)
    np.add(new, u[top:bottom, 2:], out=new)
    np.multiply(centre, real(4), out=four)
    np.subtract(new, four, out=new)
    np.multiply(new, real(0.1), out=new)
    np.add(centre, new, out=new)


def fnv(value, data):
    """FNV-1a of 64 bits, continued."""
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def print_hash(u, height):
    """The hash of the rows of all ranks, which come to the first one."""
    if RANK > 0:
        for line in u[1:-1]:
            COMM.Send(line, dest=0, tag=1)
        return
    value = fnv(0xCBF29CE484222325, u[1:-1].tobytes())
    line = np.empty_like(u[0])
    for other in range(1, RANKS):
        first, end = bounds(other, height)
        for _ in range(first, end):
            COMM.Recv(line, source=other, tag=1)
            value = fnv(value, line.tobytes())
    print(f"checksum {value:016x}")


def main():
    if len(sys.argv) not in (5, 6) or sys.argv[5:] not in ([], ["f64"], ["f32"]):
        sys.exit("arguments: HEIGHT WIDTH STEPS REPETITIONS [f64|f32]")
    height, width, steps, repetitions = map(int, sys.argv[1:5])
    real = np.float32 if sys.argv[5:] == ["f32"] else np.float64
    if height < RANKS:
        sys.exit("fewer rows than ranks")
    for _ in range(repetitions):
        u = initial(height, width, real)
        v, scratch = u.copy(), np.empty_like(u)
        COMM.Barrier()
        start = MPI.Wtime()
        for _ in range(steps):
            exchange(u)
            step(u, v, scratch, real)
            u, v = v, u
        mine = (MPI.Wtime() - start) / steps
        longest = COMM.reduce(mine, op=MPI.MAX, root=0)
        if RANK == 0:
            print(f"seconds {longest:.9f}", flush=True)
    print_hash(u, height)


main()
