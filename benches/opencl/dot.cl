// As sum, of products.
kernel void dot_(global const REAL *restrict x, global const REAL *restrict y, global REAL *restrict parts, uint chunk) {
  x += get_global_id(0) * (size_t)chunk;
  y += get_global_id(0) * (size_t)chunk;
  REALS s[4] = {0, 0, 0, 0};
  for (uint i = 0; i < chunk; i += 4 * WIDTH) {
    UNROLL for (int a = 0; a < 4; a++) s[a] = MAD(LOAD(a, x + i), LOAD(a, y + i), s[a]);
  }
  parts[get_global_id(0)] = total((s[0] + s[1]) + (s[2] + s[3]));
}
