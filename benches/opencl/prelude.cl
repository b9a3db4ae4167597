// Before every kernel: the type and the width that the host chose (DOUBLE, WIDTH), and whether multiplications and
// additions may be contracted (FREE).
#if DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define REAL double
#define INT long
#else
#define REAL float
#define INT int
#endif
#if FREE
#define MAD(a, b, c) fma((a), (b), (c))
#else
#pragma OPENCL FP_CONTRACT OFF
#define MAD(a, b, c) ((a) * (b) + (c))
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define REALS JOIN(REAL, WIDTH)
#define INTS JOIN(INT, WIDTH)
#define LOAD JOIN(vload, WIDTH)
#define STORE JOIN(vstore, WIDTH)
#define AS_REALS JOIN(as_, REALS)
#define AS_INTS JOIN(as_, INTS)
#define TO_REALS JOIN(convert_, REALS)
#define TO_INT32 JOIN(convert_int, WIDTH)
// A constant of the type.
#define R(x) ((REAL)(x))
#define UNROLL _Pragma("unroll")

// Asks for the cache line there, to read or to write, where the compiler has a word for it.
#ifdef __has_builtin
#if __has_builtin(__builtin_prefetch)
#define FETCH(p) __builtin_prefetch((p), 0, 3)
#define FETCH_TO_WRITE(p) __builtin_prefetch((p), 1, 3)
#endif
#endif
#ifndef FETCH
#define FETCH(p)
#define FETCH_TO_WRITE(p)
#endif
// Bytes ahead.
#define AHEAD 8192

REAL total(REALS v) {
  REAL lanes[WIDTH], sum = 0;
  STORE(v, 0, lanes);
  for (int l = 0; l < WIDTH; l++) sum += lanes[l];
  return sum;
}
