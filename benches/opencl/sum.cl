// A work-item adds up one chunk in four vectors; the host adds up the chunks.
kernel void sum(global const REAL *restrict x, global REAL *restrict parts, uint chunk) {
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
