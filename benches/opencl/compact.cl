// The elements above a bound, and their sum, in two passes over chunks: counts and sums, the prefix of the counts, then each
// chunk to its place without a branch an element.
kernel void counts(global const REAL *restrict x, REAL bound, global uint *restrict parts, global REAL *restrict sums, uint chunk) {
  x += get_global_id(0) * (size_t)chunk;
  INTS n[4] = {0, 0, 0, 0};
  REALS s[4] = {0, 0, 0, 0};
  for (uint i = 0; i < chunk; i += 4 * WIDTH) {
    UNROLL for (int a = 0; a < 4; a++) {
      FETCH((global const char *)(x + i + a * WIDTH) + AHEAD);
      REALS v = LOAD(a, x + i);
      INTS kept = v > bound;
      n[a] -= kept;
      s[a] += kept ? v : (REALS)R(0);
    }
  }
  INT lanes[WIDTH];
  STORE((n[0] + n[1]) + (n[2] + n[3]), 0, lanes);
  uint count = 0;
  for (int l = 0; l < WIDTH; l++) count += (uint)lanes[l];
  parts[get_global_id(0)] = count;
  sums[get_global_id(0)] = total((s[0] + s[1]) + (s[2] + s[3]));
}

kernel void prefix(global uint *parts, uint count) {
  uint sum = 0;
  for (uint k = 0; k < count; k++) {
    uint part = parts[k];
    parts[k] = sum;
    sum += part;
  }
  parts[count] = sum;
}

#define STEP 16
kernel void place(global const REAL *restrict x, REAL bound, global const uint *restrict parts, global REAL *restrict out, uint chunk) {
  size_t group = get_global_id(0);
  x += group * chunk;
  uint at = parts[group], end = parts[group + 1], i = 0;
  // What is not kept is overwritten by the next; nothing is written at the end of the chunk's own place or behind it.
  for (; i + STEP <= chunk && at + STEP <= end; i += STEP) {
    // Ahead of the loads and the stores. It also keeps compilers from making vectors of this loop, which are slower.
    FETCH((global const char *)(x + i) + AHEAD / 2);
    FETCH_TO_WRITE((global char *)(out + at) + 256);
    UNROLL for (int u = 0; u < STEP; u++) {
      REAL v = x[i + u];
      out[at] = v;
      at += v > bound;
    }
  }
  while (at < end) {
    REAL v = x[i++];
    out[at] = v;
    at += v > bound;
  }
}
