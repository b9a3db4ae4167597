// Inclusive prefix sums in two passes over chunks that stay in a cache: totals, their prefix, then each chunk, a vector at a
// time with logarithmically many additions of shifted lanes.
kernel void totals(global const REAL *restrict x, global REAL *restrict parts, uint chunk) {
  x += get_global_id(0) * (size_t)chunk;
  REALS s[4] = {0, 0, 0, 0};
  for (uint i = 0; i < chunk; i += 4 * WIDTH) {
    UNROLL for (int a = 0; a < 4; a++) {
      FETCH((global const char *)(x + i + a * WIDTH) + AHEAD);
      s[a] += LOAD(a, x + i);
    }
  }
  parts[get_global_id(0)] = total((s[0] + s[1]) + (s[2] + s[3]));
}

kernel void prefix(global REAL *parts, uint count) {
  REAL sum = 0;
  for (uint k = 0; k < count; k++) {
    REAL part = parts[k];
    parts[k] = sum;
    sum += part;
  }
}

#define O R(0)
REALS lanes(REALS v) {
#if WIDTH == 16
  v += (REALS)(O, v.s01234567, v.s89ab, v.scd, v.se);
  v += (REALS)(O, O, v.s01234567, v.s89ab, v.scd);
  v += (REALS)(O, O, O, O, v.s01234567, v.s89ab);
  v += (REALS)(O, O, O, O, O, O, O, O, v.s01234567);
#elif WIDTH == 8
  v += (REALS)(O, v.s0123, v.s45, v.s6);
  v += (REALS)(O, O, v.s0123, v.s45);
  v += (REALS)(O, O, O, O, v.s0123);
#else
  v += (REALS)(O, v.s012);
  v += (REALS)(O, O, v.s01);
#endif
  return v;
}
#if WIDTH == 16
#define LAST(v) v.sf
#elif WIDTH == 8
#define LAST(v) v.s7
#else
#define LAST(v) v.s3
#endif

kernel void place(global const REAL *restrict x, global const REAL *restrict parts, global REAL *restrict out, uint chunk) {
  size_t begin = get_global_id(0) * (size_t)chunk;
  x += begin;
  out += begin;
  REALS carry = parts[get_global_id(0)];
  for (uint i = 0; i < chunk; i += WIDTH) {
    REALS v = lanes(LOAD(0, x + i)) + carry;
    STORE(v, 0, out + i);
    carry = LAST(v);
  }
}
