/* The five-point heat step on a grid that is cut by rows among the ranks of MPI, as one writes it by hand: halo rows by
 * nonblocking messages while the interior is computed, two buffers. To measure ours against, and to compare the bits.
 *
 *   five_point HEIGHT WIDTH STEPS REPETITIONS
 *
 * u' = u + k (up + down + left + right - 4 u) where there are four neighbours; the cells of the boundary stay. k = 0.1, and
 * u[i][j] = ((31 i + 17 j) mod 101) / 101 at first, in every repetition. Rank r of p has the rows r h / p to (r + 1) h / p.
 *
 * Prints for each repetition the seconds a step takes, of the rank where that is longest; then FNV-1a, of 64 bits, of the bytes
 * of the last grid, row by row.
 *
 * mpicc -O3 -march=native -ffp-contract=off five_point.c; with -DREAL=float for f32. See setup.sh. */

#include <inttypes.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

#define OR_ABORT(condition, text)                                                                                              \
  do {                                                                                                                         \
    if (!(condition)) {                                                                                                        \
      fprintf(stderr, "five_point: %s\n", text);                                                                               \
      MPI_Abort(MPI_COMM_WORLD, 2);                                                                                            \
      exit(2);                                                                                                                 \
    }                                                                                                                          \
  } while (0)

/* What a rank has: rows first to first + rows of the grid, in lines 1 to rows of its memory; the halo in line 0 and line
 * rows + 1. */
struct slab {
  size_t height, width, first, rows;
  int above, below;
};

static void fill(const struct slab *slab, real *u) {
  for (size_t line = 0; line < slab->rows + 2; line++)
    for (size_t j = 0; j < slab->width; j++) {
      size_t i = slab->first + line - 1; /* Of a line without a row anything. */
      u[line * slab->width + j] = (real)((i * 31 + j * 17) % 101) / (real)101;
    }
}

/* The new values of some lines. */
static void step(const struct slab *slab, const real *restrict u, real *restrict out, size_t from, size_t to) {
  const size_t w = slab->width;
  const real k = (real)0.1, four = (real)4;
  for (size_t line = from; line < to; line++) {
    size_t i = slab->first + line - 1;
    if (i == 0 || i + 1 == slab->height)
      continue;
    const real *up = u + (line - 1) * w, *row = up + w, *down = row + w;
    real *into = out + line * w;
    for (size_t j = 1; j + 1 < w; j++)
      into[j] = row[j] + k * ((((up[j] + down[j]) + row[j - 1]) + row[j + 1]) - four * row[j]);
  }
}

/* A step with the messages that it needs. */
static void exchange_and_step(const struct slab *slab, real *u, real *out, MPI_Datatype row) {
  const size_t w = slab->width, rows = slab->rows;
  MPI_Request requests[4];
  MPI_Irecv(u, 1, row, slab->above, 0, MPI_COMM_WORLD, &requests[0]);
  MPI_Irecv(u + (rows + 1) * w, 1, row, slab->below, 0, MPI_COMM_WORLD, &requests[1]);
  MPI_Isend(u + w, 1, row, slab->above, 0, MPI_COMM_WORLD, &requests[2]);
  MPI_Isend(u + rows * w, 1, row, slab->below, 0, MPI_COMM_WORLD, &requests[3]);
  step(slab, u, out, 2, rows);
  MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
  step(slab, u, out, 1, 2);
  if (rows > 1)
    step(slab, u, out, rows, rows + 1);
}

static uint64_t fnv(uint64_t hash, const real *values, size_t count) {
  const unsigned char *bytes = (const unsigned char *)values;
  for (size_t at = 0; at < count * sizeof *values; at++)
    hash = (hash ^ bytes[at]) * UINT64_C(0x100000001b3);
  return hash;
}

/* Prints the hash of the rows of all ranks, which come to the first one, one row at a time. */
static void print_hash(const struct slab *slab, const real *u, MPI_Datatype row, int rank, int ranks) {
  const size_t w = slab->width;
  if (rank > 0) {
    for (size_t line = 1; line <= slab->rows; line++)
      MPI_Send(u + line * w, 1, row, 0, 1, MPI_COMM_WORLD);
    return;
  }
  uint64_t hash = fnv(UINT64_C(0xcbf29ce484222325), u + w, slab->rows * w);
  real *other = malloc(w * sizeof *other);
  OR_ABORT(other, "no memory");
  for (int from = 1; from < ranks; from++) {
    size_t rows = (from + 1) * slab->height / ranks - from * slab->height / ranks;
    for (size_t line = 0; line < rows; line++) {
      MPI_Recv(other, 1, row, from, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      hash = fnv(hash, other, w);
    }
  }
  free(other);
  printf("checksum %016" PRIx64 "\n", hash);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, ranks;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  OR_ABORT(argc == 5, "arguments: HEIGHT WIDTH STEPS REPETITIONS");
  struct slab slab = {.height = strtoull(argv[1], 0, 10), .width = strtoull(argv[2], 0, 10)};
  const long steps = atol(argv[3]), repetitions = atol(argv[4]);
  OR_ABORT(slab.height >= (size_t)ranks, "fewer rows than ranks");
  OR_ABORT(slab.width > 0 && slab.width < INT_MAX / sizeof(real) && steps > 0 && repetitions > 0, "numbers out of range");
  slab.first = rank * slab.height / ranks;
  slab.rows = (rank + 1) * slab.height / ranks - slab.first;
  slab.above = rank > 0 ? rank - 1 : MPI_PROC_NULL;
  slab.below = rank + 1 < ranks ? rank + 1 : MPI_PROC_NULL;

  MPI_Datatype row;
  MPI_Type_contiguous((int)(slab.width * sizeof(real)), MPI_BYTE, &row);
  MPI_Type_commit(&row);
  real *u = malloc((slab.rows + 2) * slab.width * sizeof *u);
  real *v = malloc((slab.rows + 2) * slab.width * sizeof *v);
  OR_ABORT(u && v, "no memory");

  for (long repetition = 0; repetition < repetitions; repetition++) {
    fill(&slab, u);
    fill(&slab, v);
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    for (long at = 0; at < steps; at++) {
      exchange_and_step(&slab, u, v, row);
      real *old = u;
      u = v;
      v = old;
    }
    double mine = (MPI_Wtime() - start) / steps, longest;
    MPI_Reduce(&mine, &longest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    if (rank == 0)
      printf("seconds %.9f\n", longest);
  }
  print_hash(&slab, u, row, rank, ranks);
  free(u);
  free(v);
  MPI_Type_free(&row);
  MPI_Finalize();
  return 0;
}
