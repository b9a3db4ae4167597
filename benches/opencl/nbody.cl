// A vector of bodies a work-item, all bodies in turn. Division and square root limit it, and a processor does half a vector of
// them in half the time: so the host asks for half the width.
kernel void nbody(global const REAL *restrict x, global const REAL *restrict y, global const REAL *restrict z,
                  global const REAL *restrict m, global REAL *restrict ax, global REAL *restrict ay,
                  global REAL *restrict az, uint n, REAL eps2) {
  size_t i = get_global_id(0);
  REALS xi = LOAD(i, x), yi = LOAD(i, y), zi = LOAD(i, z), sx = 0, sy = 0, sz = 0;
  for (uint j = 0; j < n; j++) {
    REALS dx = x[j] - xi, dy = y[j] - yi, dz = z[j] - zi;
#if FREE
    REALS r = fma(dx, dx, fma(dy, dy, fma(dz, dz, (REALS)eps2)));
#else
    REALS r = dx * dx + dy * dy + dz * dz + eps2;
#endif
#if FREE && DOUBLE
    // A first guess from the exponent, then Newton's steps.
    REALS q = AS_REALS((INT)0x5fe6eb50c7b537a9L - (AS_INTS(r) >> 1)), h = R(0.5) * r;
    UNROLL for (int step = 0; step < 4; step++) q *= fma(-h * q, q, (REALS)R(1.5));
    REALS w = m[j] * q * (q * q);
#else
    // Where contraction is allowed the host also allows estimates of the reciprocal, which the compiler then refines.
    REALS w = m[j] / (r * sqrt(r));
#endif
    sx = MAD(dx, w, sx);
    sy = MAD(dy, w, sy);
    sz = MAD(dz, w, sz);
  }
  STORE(sx, i, ax);
  STORE(sy, i, ay);
  STORE(sz, i, az);
}
