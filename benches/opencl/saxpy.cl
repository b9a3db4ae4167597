// One vector a work-item, large work-groups: the compiler makes one long loop of a group.
kernel void saxpy(REAL a, global const REALS *restrict x, global const REALS *restrict y, global REALS *restrict out) {
  size_t i = get_global_id(0);
  out[i] = MAD(a, x[i], y[i]);
}
