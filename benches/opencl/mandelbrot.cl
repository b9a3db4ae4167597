// Four vectors of pixels of a row go on side by side until the last pixel has left; whether one is left is asked every eighth
// iteration.
#define SIDE 4
#define STEP 8
kernel void mandelbrot(global int *restrict out, uint n, REAL h) {
  size_t at = get_global_id(0) * (SIDE * WIDTH);
  uint row = at / n, column = at % n;
  REALS ci = MAD((REAL)row, h, R(-1.25));
  REAL lane[WIDTH];
  for (int l = 0; l < WIDTH; l++) lane[l] = column + l;
  REALS cr[SIDE], zr[SIDE], zi[SIDE];
  INTS count[SIDE], live[SIDE];
  UNROLL for (int s = 0; s < SIDE; s++) {
    cr[s] = MAD(LOAD(0, lane) + R(s * WIDTH), (REALS)h, (REALS)R(-2));
    zr[s] = zi[s] = 0;
    count[s] = 0;
    live[s] = -1;
  }
  for (int round = 0; round < 256; round += STEP) {
    UNROLL for (int step = 0; step < STEP; step++) {
      UNROLL for (int s = 0; s < SIDE; s++) {
#if FREE
        REALS ii = zi[s] * zi[s], less = fma(zr[s], zr[s], -ii), more = fma(zr[s], zr[s], ii);
#else
        REALS rr = zr[s] * zr[s], ii = zi[s] * zi[s], less = rr - ii, more = rr + ii;
#endif
        live[s] &= more <= R(4);
        count[s] -= live[s];
        zi[s] = MAD(zr[s] + zr[s], zi[s], ci);
        zr[s] = less + cr[s];
      }
    }
    if (!any((live[0] | live[1]) | (live[2] | live[3]))) break;
  }
  UNROLL for (int s = 0; s < SIDE; s++) STORE(TO_INT32(count[s]), s, out + at);
}
