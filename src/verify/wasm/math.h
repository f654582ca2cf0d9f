/*
 * The float functions of math.h that generated code uses. src/verify/wasm.ts reads this list and lets the linker leave
 * them to be imported; src/verify/wasm_worker.ts implements them.
 */
#ifndef TH_WASM_MATH_H
#define TH_WASM_MATH_H

#define TH_MATH_1(name) float name(float x)
#define TH_MATH_2(name) float name(float x, float y)

TH_MATH_1(acosf);
TH_MATH_1(asinf);
TH_MATH_1(atanf);
TH_MATH_1(ceilf);
TH_MATH_1(cosf);
TH_MATH_1(coshf);
TH_MATH_1(expf);
TH_MATH_1(exp2f);
TH_MATH_1(expm1f);
TH_MATH_1(fabsf);
TH_MATH_1(floorf);
TH_MATH_1(logf);
TH_MATH_1(log2f);
TH_MATH_1(log10f);
TH_MATH_1(log1pf);
TH_MATH_1(rintf);
TH_MATH_1(nearbyintf);
TH_MATH_1(roundf);
TH_MATH_1(sinf);
TH_MATH_1(sinhf);
TH_MATH_1(sqrtf);
TH_MATH_1(tanf);
TH_MATH_1(tanhf);
TH_MATH_1(truncf);
TH_MATH_2(atan2f);
TH_MATH_2(copysignf);
TH_MATH_2(fmaxf);
TH_MATH_2(fminf);
TH_MATH_2(fmodf);
TH_MATH_2(powf);

#define HUGE_VALF __builtin_huge_valf()
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
#define signbit(x) __builtin_signbit(x)

#endif
