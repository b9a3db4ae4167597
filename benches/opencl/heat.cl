// One step: a work-item does a few whole rows of the grid; edges stay.
#define ROWS 4
REAL inner(global const REAL *c, uint n, uint j) {
  return R(0.25) * ((c[(long)j - n] + c[j + n]) + (c[j - 1] + c[j + 1]));
}

kernel void heat(global const REAL *restrict u, global REAL *restrict v, uint n) {
  uint first = get_global_id(0) * ROWS;
  for (uint row = first; row < first + ROWS; row++) {
    global const REAL *c = u + (size_t)row * n;
    global REAL *out = v + (size_t)row * n;
    if (row == 0 || row == n - 1) {
      for (uint j = 0; j < n; j += WIDTH) STORE(LOAD(0, c + j), 0, out + j);
      continue;
    }
    out[0] = c[0];
    out[n - 1] = c[n - 1];
    // Stores that are aligned; loads beside the middle cannot be.
    for (uint j = 1; j < WIDTH; j++) out[j] = inner(c, n, j);
    uint j = WIDTH;
    for (; j + WIDTH <= n - 1; j += WIDTH) {
      REALS vertical = LOAD(0, c + j - n) + LOAD(0, c + j + n);
      STORE(R(0.25) * (vertical + (LOAD(0, c + j - 1) + LOAD(0, c + j + 1))), 0, out + j);
    }
    for (; j < n - 1; j++) out[j] = inner(c, n, j);
  }
}
