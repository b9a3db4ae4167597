// Sparse matrices and conjugate gradients for a processor: few work-items, each of which goes through a chunk of consecutive
// rows or elements. The host defines REAL, WIDTH (the vector width that the device prefers) and FP64.
#if FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define REALS JOIN(REAL, WIDTH)
#define LOAD JOIN(vload, WIDTH)
#define STORE JOIN(vstore, WIDTH)

// Asks for a cache line that comes later: the hardware follows few streams at a time.
#ifdef __has_builtin
#if __has_builtin(__builtin_prefetch)
#define FETCH(p) __builtin_prefetch((p), 0, 3)
#endif
#endif
#ifndef FETCH
#define FETCH(p)
#endif
// Entries ahead, and elements of vectors.
#define LATER 512
#define AHEAD 1024

// This work-item's chunk [from, to) of n; it begins at a multiple of the width.
#define CHUNK(from, to, n) \
  size_t each = ((n) / WIDTH + get_global_size(0)) / get_global_size(0) * WIDTH; \
  size_t from = min(get_global_id(0) * each, (size_t)(n)), to = min(from + each, (size_t)(n));

REAL total(REALS v) {
  REAL lanes[WIDTH], sum = 0;
  STORE(v, 0, lanes);
  for (int l = 0; l < WIDTH; l++) sum += lanes[l];
  return sum;
}

// The entries [k, to) of a row times x, four at a time.
REAL row_product(size_t k, size_t to, global const uint *cols, global const REAL *vals, global const REAL *x) {
  REAL sum = 0;
  for (; k + 4 <= to; k += 4) {
    FETCH(cols + k + LATER);
    FETCH(vals + k + LATER);
    sum += (vals[k] * x[cols[k]] + vals[k + 1] * x[cols[k + 1]]) +
           (vals[k + 2] * x[cols[k + 2]] + vals[k + 3] * x[cols[k + 3]]);
  }
  // There are three at most.
  _Pragma("unroll 1") for (; k < to; k++) sum += vals[k] * x[cols[k]];
  return sum;
}

kernel void spmv_csr(uint n, global const uint *restrict rows, global const uint *restrict cols,
                     global const REAL *restrict vals, global const REAL *restrict x, global REAL *restrict y) {
  CHUNK(row, end, n)
  for (; row < end; row++) y[row] = row_product(rows[row], rows[row + 1], cols, vals, x);
}

// Entry k of row r is at k * n + r: rows are neighbours in memory, and go together, sixteen at a time: a cache line of columns.
kernel void spmv_ell(uint n, uint width, global const uint *restrict cols, global const REAL *restrict vals,
                     global const REAL *restrict x, global REAL *restrict y) {
  CHUNK(row, end, n)
  for (; row + 16 <= end; row += 16) {
    JOIN(REAL, 16) sum = 0;
    for (size_t k = 0, at = row; k < width; k++, at += n) {
      FETCH(cols + at + LATER);
      for (int l = 0; l < 16; l += 64 / sizeof(REAL)) FETCH(vals + at + LATER + l);
      REAL near[16];
      for (int l = 0; l < 16; l++) near[l] = x[cols[at + l]];
      sum += vload16(0, vals + at) * vload16(0, near);
    }
    vstore16(sum, 0, y + row);
  }
  for (; row < end; row++) {
    REAL sum = 0;
    for (size_t k = 0, at = row; k < width; k++, at += n) sum += vals[at] * x[cols[at]];
    y[row] = sum;
  }
}

// The inverse of the diagonal, x = 0, r = b, p = b / diagonal; each chunk's part of r p.
kernel void start(uint n, global const uint *restrict rows, global const uint *restrict cols,
                  global const REAL *restrict vals, global const REAL *restrict b, global REAL *restrict inverse,
                  global REAL *restrict x, global REAL *restrict r, global REAL *restrict p,
                  global REAL *restrict parts) {
  CHUNK(row, end, n)
  REAL sum = 0;
  for (; row < end; row++) {
    REAL diagonal = 0;
    for (size_t k = rows[row]; k < rows[row + 1]; k++) diagonal += cols[k] == row ? vals[k] : 0;
    inverse[row] = 1 / diagonal;
    x[row] = 0;
    r[row] = b[row];
    p[row] = b[row] / diagonal;
    sum += b[row] * b[row] / diagonal;
  }
  parts[get_global_id(0)] = sum;
}

// q = A p; each chunk's part of p q.
kernel void product(uint n, global const uint *restrict rows, global const uint *restrict cols,
                    global const REAL *restrict vals, global const REAL *restrict p, global REAL *restrict q,
                    global REAL *restrict parts) {
  CHUNK(row, end, n)
  REAL sum = 0;
  for (; row < end; row++) {
    REAL value = row_product(rows[row], rows[row + 1], cols, vals, p);
    q[row] = value;
    sum += p[row] * value;
  }
  parts[get_global_id(0)] = sum;
}

// r -= alpha q; each chunk's part of r r / diagonal.
kernel void advance(uint n, global const REAL *restrict scalars, global const REAL *restrict q,
                    global const REAL *restrict inverse, global REAL *restrict r, global REAL *restrict parts) {
  CHUNK(i, end, n)
  REAL alpha = scalars[1], rest = 0;
  REALS sum = 0;
  for (; i + WIDTH <= end; i += WIDTH) {
    FETCH(r + i + AHEAD);
    FETCH(q + i + AHEAD);
    FETCH(inverse + i + AHEAD);
    REALS next = LOAD(0, r + i) - alpha * LOAD(0, q + i);
    STORE(next, 0, r + i);
    sum += next * next * LOAD(0, inverse + i);
  }
  for (; i < end; i++) {
    r[i] -= alpha * q[i];
    rest += r[i] * r[i] * inverse[i];
  }
  parts[get_global_id(0)] = total(sum) + rest;
}

// x += alpha p, while p is at hand, then p = r / diagonal + beta p.
kernel void turn(uint n, global const REAL *restrict scalars, global const REAL *restrict r,
                 global const REAL *restrict inverse, global REAL *restrict x, global REAL *restrict p) {
  CHUNK(i, end, n)
  REAL alpha = scalars[1], beta = scalars[2];
  for (; i + WIDTH <= end; i += WIDTH) {
    FETCH(r + i + AHEAD);
    FETCH(inverse + i + AHEAD);
    FETCH(x + i + AHEAD);
    FETCH(p + i + AHEAD);
    REALS old = LOAD(0, p + i);
    STORE(LOAD(0, x + i) + alpha * old, 0, x + i);
    STORE(LOAD(0, r + i) * LOAD(0, inverse + i) + beta * old, 0, p + i);
  }
  for (; i < end; i++) {
    x[i] += alpha * p[i];
    p[i] = r[i] * inverse[i] + beta * p[i];
  }
}

REAL joined(uint count, global const REAL *parts) {
  REAL sum = 0;
  for (uint i = 0; i < count; i++) sum += parts[i];
  return sum;
}

// One work-item each. The scalars are r r / diagonal, alpha and beta.
kernel void find_alpha(uint count, global const REAL *restrict parts, global REAL *restrict scalars) {
  scalars[1] = scalars[0] / joined(count, parts);
}

kernel void find_beta(uint count, global const REAL *restrict parts, global REAL *restrict scalars) {
  REAL next = joined(count, parts);
  scalars[2] = next / scalars[0];
  scalars[0] = next;
}
