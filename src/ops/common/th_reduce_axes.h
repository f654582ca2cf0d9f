/*
 * A reduction's kernels, for a TH_TYPE (see th_name.h) that has defined as its parts the types params, input and value,
 * and the functions empty (the value of no elements), add (one more element) and finish (the output). Parameters and
 * the order of axes are those of th_reduce.h.
 */

TH_KERNEL void TH_TYPE(const TH_PART(params) *p, const TH_PART(input) *input, TH_PART(input) *output)
{
    const int32_t second = p->second;
    const int32_t inner = p->inner;
    const int32_t middle_step = second * inner;
    const int32_t first_step = p->middle * middle_step;
    for (int32_t o = 0; o < p->outer; o++) {
        for (int32_t m = 0; m < p->middle; m++) {
            for (int32_t i = 0; i < inner; i++) {
                TH_PART(value) value = TH_PART(empty)();
                const TH_PART(input) *block = input + m * middle_step + i;
                for (int32_t a = 0; a < p->first; a++) {
                    const TH_PART(input) *x = block;
                    for (int32_t b = 0; b < second; b++) {
                        value = TH_PART(add)(value, *x);
                        x += inner;
                    }
                    block += first_step;
                }
                *output++ = TH_PART(finish)(p, value);
            }
        }
        input += p->first * first_step;
    }
}

/*
 * A fold: takes row `row`, in order; the last call writes the output. scratch: values [middle][inner], kept between
 * calls. An output's elements are taken in the order in which the kernel of all rows takes them.
 */
TH_KERNEL void TH_PART(fold)(const TH_PART(params) *p, int32_t row, const TH_PART(input) *input, void *scratch,
                             TH_PART(input) *output)
{
    const int32_t middle = p->middle;
    const int32_t second = p->second;
    const int32_t inner = p->inner;
    TH_PART(value) *values = (TH_PART(value) *)scratch;
    for (int32_t i = 0; row == 0 && i < middle * inner; i++) {
        values[i] = TH_PART(empty)();
    }
    for (int32_t a = 0; a < p->first; a++) {
        TH_PART(value) *sums = values;
        for (int32_t m = 0; m < middle; m++) {
            for (int32_t b = 0; b < second; b++) {
                for (int32_t i = 0; i < inner; i++) {
                    sums[i] = TH_PART(add)(sums[i], *input++);
                }
            }
            sums += inner;
        }
    }
    for (int32_t i = 0; row == p->outer - 1 && i < middle * inner; i++) {
        output[i] = TH_PART(finish)(p, values[i]);
    }
}
